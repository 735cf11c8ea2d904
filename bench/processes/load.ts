/**
 * The generator: writes wire bytes that were made beforehand to some connections, as fast
 * as they are taken.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { machineTime_ms } from '../lib/proc.ts';
import { type LoadShape, loadBlock } from '../lib/wire.ts';
import { Channel } from './channel.ts';

export interface LoadSettings extends LoadShape {
  readonly connections_count: number;
}

type LoadCommand =
  | { readonly do: 'connect'; readonly port: number }
  /** Writes for so long, but no more than so much. */
  | { readonly do: 'send'; readonly for_ms: number; readonly max_bytes: number }
  /** Half-closes every connection and waits until the other side has read to the end. */
  | { readonly do: 'close' };

type LoadReport =
  | { readonly did: 'connected' }
  | {
      readonly did: 'sent';
      readonly events_count: number;
      readonly wire_bytes: number;
      readonly body_bytes: number;
      readonly begin_ms: number;
    }
  | { readonly did: 'closed' };

export interface LoadProtocol {
  readonly settings: LoadSettings;
  readonly command: LoadCommand;
  readonly report: LoadReport;
}

/** All connections' writes under way together: what has begun is sent to its end, however slow the other side is. */
const WRITES_MAX_BYTES = 1024 * 1024;
/** A write of so much costs the generator little for each event. */
const WRITE_MIN_BYTES = 64 * 1024;

const channel = new Channel<LoadProtocol>();
const { connections_count, ...shape } = channel.settings;
const block = loadBlock(shape, Math.max(WRITE_MIN_BYTES, WRITES_MAX_BYTES / connections_count));
let sockets: readonly Socket[] = [];

async function connectAll(port: number): Promise<void> {
  sockets = Array.from({ length: connections_count }, () => connect(port, '127.0.0.1'));
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  // The other side says nothing; reading notices when it closes.
  for (const socket of sockets) socket.resume();
  channel.report({ did: 'connected' });
}

async function send(for_ms: number, max_bytes: number): Promise<void> {
  const begin_ms = machineTime_ms();
  const blocks_max = Math.max(sockets.length, Math.floor(max_bytes / block.bytes.length));
  let blocks_count = 0;
  const isOver = (): boolean => blocks_count >= blocks_max || machineTime_ms() - begin_ms >= for_ms;
  await Promise.all(
    sockets.map(async (socket) => {
      do {
        blocks_count += 1;
        await new Promise<void>((resolve, reject) => {
          socket.write(block.bytes, (error) => (error ? reject(error) : resolve()));
        });
      } while (!isOver());
    }),
  );
  channel.report({
    did: 'sent',
    events_count: blocks_count * block.events_count,
    wire_bytes: blocks_count * block.bytes.length,
    body_bytes: blocks_count * block.body_bytes,
    begin_ms,
  });
}

async function close(): Promise<void> {
  await Promise.all(sockets.map((socket) => once(socket.end(), 'close')));
  channel.report({ did: 'closed' });
}

channel.serve((command) => {
  if (command.do === 'connect') return connectAll(command.port);
  if (command.do === 'send') return send(command.for_ms, command.max_bytes);
  return close();
});
