/** Clients with one event in flight each: they send, await the ack, note how long it took, and send the next. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { machineTime_ms } from '../lib/proc.ts';
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
  | { readonly did: 'warmed_up'; readonly events_count: number }
  | { readonly did: 'measured'; readonly events_count: number; readonly latencies_ms: number[] };

export interface AckClientsProtocol {
  readonly settings: AckClientsSettings;
  readonly command: AckClientsCommand;
  readonly report: AckClientsReport;
}

const channel = new Channel<AckClientsProtocol>();
const { clients_count, line_bytes } = channel.settings;
let next_id = Date.now() * 1000;

/** Sends one at a time until `isOver`; returns how many. */
async function exchange(
  socket: Socket,
  isOver: () => boolean,
  note: (latency_ms: number) => void,
): Promise<number> {
  const { bytes, id_start, id_bytes } = ackedMessage(line_bytes);
  let count = 0;
  do {
    const id = String(next_id++).padStart(id_bytes, '0');
    bytes.write(id, id_start, 'latin1');
    const begin_ms = machineTime_ms();
    socket.write(bytes);
    await ackOf(socket, id);
    note(machineTime_ms() - begin_ms);
    count += 1;
  } while (!isOver());
  return count;
}

/** An ack is one small map, and nothing else comes. */
async function ackOf(socket: Socket, id: string): Promise<void> {
  let answer = '';
  while (!answer.endsWith(id)) {
    const [piece] = (await once(socket, 'data')) as [Buffer];
    answer += piece.toString('latin1');
    if (answer.length > 1024) throw new Error('expected an ack, found something else');
  }
}

async function run({ port, warm_up_ms, for_ms }: AckClientsCommand): Promise<void> {
  const sockets = Array.from({ length: clients_count }, () => connect(port, '127.0.0.1'));
  await Promise.all(sockets.map((socket) => once(socket.setNoDelay(), 'connect')));
  const phase = async (length_ms: number, note: (latency_ms: number) => void): Promise<number> => {
    const end_ms = machineTime_ms() + length_ms;
    const isOver = (): boolean => machineTime_ms() >= end_ms;
    const counts = await Promise.all(sockets.map((socket) => exchange(socket, isOver, note)));
    return counts.reduce((sum, count) => sum + count, 0);
  };
  const warm_count = await phase(warm_up_ms, () => {});
  channel.report({ did: 'warmed_up', events_count: warm_count });
  const latencies_ms: number[] = [];
  const events_count = await phase(for_ms, (latency_ms) => latencies_ms.push(latency_ms));
  channel.report({ did: 'measured', events_count, latencies_ms });
}

channel.serve(run);
