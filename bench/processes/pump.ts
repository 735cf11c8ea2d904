/**
 * The bare byte pump: what any relay in Node must pay at least. Socket to file
 * (writev + fdatasync, the next commit filling meanwhile) to socket, looking at
 * nothing. Run as a process of its own, as plain JavaScript:
 *
 *     node pump.js LISTEN_PORT UPSTREAM_PORT FILE [commit|os] [acks]
 *
 * Its rhythm is the journal's: a commit as soon as there is 1 MiB and the disk is free, or
 * after 20 ms. `os` leaves out the fdatasync. With `acks` every read is one message whose chunk
 * id is its end: it is answered when it is on the disk, and what waits is written as
 * soon as the disk is free.
 */
import { closeSync, fdatasync, openSync, writev } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';

const COMMIT_MAX_BYTES = 4 * 1024 * 1024;
const COMMIT_START_BYTES = 1024 * 1024;
const LINGER_MS = 20;
const ID_BYTES = 24;
/** `{ack: id}` in msgpack, before the id. */
const ACK_HEAD = Buffer.concat([
  Buffer.of(0x81, 0xa3),
  Buffer.from('ack'),
  Buffer.of(0xa0 | ID_BYTES),
]);

interface PumpOptions {
  readonly listen_port: number;
  readonly upstream_port: number;
  readonly file: string;
  readonly syncs: boolean;
  readonly acks: boolean;
}

function startPump({ listen_port, upstream_port, file, syncs, acks }: PumpOptions): void {
  const fd = openSync(file, 'w');
  const upstream = connect(upstream_port, '127.0.0.1');
  const paused = new Set<Socket>();
  let filling: Buffer[] = [];
  let filling_bytes = 0;
  let awaiting: Socket[] = [];
  let committing = false;
  let linger: NodeJS.Timeout | undefined;

  function commit(): void {
    if (linger !== undefined) clearTimeout(linger);
    linger = undefined;
    if (committing || filling_bytes === 0) return;
    const batch = filling;
    const owed = awaiting;
    filling = [];
    filling_bytes = 0;
    awaiting = [];
    committing = true;
    for (const socket of paused) socket.resume();
    paused.clear();
    const done = (): void => {
      for (const [index, socket] of owed.entries()) answer(socket, batch[index]);
      forward(batch);
    };
    writev(fd, batch, null, (write_error) => {
      if (write_error) throw write_error;
      if (!syncs) return done();
      fdatasync(fd, (sync_error) => {
        if (sync_error) throw sync_error;
        done();
      });
    });
  }

  function answer(socket: Socket, message: Buffer | undefined): void {
    if (message !== undefined) socket.write(Buffer.concat([ACK_HEAD, message.subarray(-ID_BYTES)]));
  }

  function forward(batch: Buffer[]): void {
    upstream.cork();
    for (const piece of batch) upstream.write(piece);
    upstream.uncork();
    const next = (): void => {
      committing = false;
      if (filling_bytes > 0) due();
    };
    if (upstream.writableNeedDrain && upstream.writableLength > COMMIT_MAX_BYTES)
      upstream.once('drain', next);
    else next();
  }

  /** The disk is free, and something waits. */
  function due(): void {
    if (filling_bytes >= COMMIT_START_BYTES) commit();
    // After every socket that is readable now.
    else if (acks) setImmediate(commit);
    else linger ??= setTimeout(commit, LINGER_MS);
  }

  const server = createServer({ noDelay: acks }, (socket) => {
    socket.on('data', (piece: Buffer) => {
      filling.push(piece);
      filling_bytes += piece.length;
      if (acks) awaiting.push(socket);
      if (filling_bytes >= COMMIT_MAX_BYTES) {
        socket.pause();
        paused.add(socket);
      }
      if (!committing) due();
    });
    socket.on('error', () => socket.destroy());
  });
  server.listen(listen_port, '127.0.0.1');
  process.once('SIGTERM', () => {
    closeSync(fd);
    process.exit(0);
  });
}

const [listen_port, upstream_port, file = '', sync, acks] = process.argv.slice(2);
startPump({
  listen_port: Number(listen_port),
  upstream_port: Number(upstream_port),
  file,
  syncs: sync !== 'os',
  acks: acks === 'acks',
});
