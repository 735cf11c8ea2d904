/**
 * Clients with one event in flight each: they send, await the ack, note how long it took, and
 * send the next. As little as possible lies between an ack and the clock: no promise, no
 * decoding; what is left of it, the bare pump pays too.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { ackedMessage } from '../lib/wire.ts';
import { Channel } from './channel.ts';

export interface AckClientsSettings {
  readonly clients_count: number;
  readonly line_bytes: number;
}

interface AckClientsCommand {
  readonly do: 'run';
  readonly port: number;
  /** Before anything is noted. */
  readonly warm_up_ms: number;
  readonly for_ms: number;
}

type AckClientsReport =
  | { readonly did: 'warmed_up' }
  | {
      readonly did: 'measured';
      readonly events_count: number;
      readonly latencies_ms: readonly number[];
    };

export interface AckClientsProtocol {
  readonly settings: AckClientsSettings;
  readonly command: AckClientsCommand;
  readonly report: AckClientsReport;
}

/** An ack is one small map, and nothing else comes. */
const ACK_MAX_BYTES = 1024;

const channel = new Channel<AckClientsProtocol>();
const { clients_count, line_bytes } = channel.settings;
let next_id = Date.now() * 1000;
let latencies_ms: number[] = [];

function startClient(socket: Socket): void {
  const { bytes, id_start } = ackedMessage(line_bytes);
  const id = bytes.subarray(id_start);
  let begin_ms = 0;
  let answer: Buffer = Buffer.alloc(0);
  const send = (): void => {
    id.write(String(next_id++).padStart(id.length, '0'), 'latin1');
    begin_ms = performance.now();
    socket.write(bytes);
  };
  socket.on('data', (piece: Buffer) => {
    const now_ms = performance.now();
    answer = answer.length === 0 ? piece : Buffer.concat([answer, piece]);
    if (answer.length > ACK_MAX_BYTES) throw new Error('expected an ack, found something else');
    // The id is the end of the map.
    if (answer.length < id.length || id.compare(answer, answer.length - id.length) !== 0) return;
    answer = answer.subarray(answer.length);
    latencies_ms.push(now_ms - begin_ms);
    send();
  });
  send();
}

async function run({ port, warm_up_ms, for_ms }: AckClientsCommand): Promise<void> {
  const options = { port, host: '127.0.0.1', noDelay: true } as const;
  const sockets = Array.from({ length: clients_count }, () => connect(options));
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  for (const socket of sockets) startClient(socket);
  await sleep(warm_up_ms);
  latencies_ms = [];
  channel.report({ did: 'warmed_up' });
  await sleep(for_ms);
  channel.report({ did: 'measured', events_count: latencies_ms.length, latencies_ms });
}

channel.serve(run);
