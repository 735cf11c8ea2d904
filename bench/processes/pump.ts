/**
 * The bare byte pump: what any relay in Node must pay at least. Socket to file
 * (writev + fdatasync, the next commit filling meanwhile) to socket, looking at
 * nothing. Run as a process of its own, as plain JavaScript:
 *
 *     node pump.js LISTEN_PORT UPSTREAM_PORT FILE [commit|os]
 *
 * Its rhythm is the journal's: a commit as soon as there is 1 MiB and the disk is free, or
 * after 20 ms. `os` leaves out the fdatasync.
 */
import { closeSync, fdatasync, openSync, writev } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';

const COMMIT_MAX_BYTES = 4 * 1024 * 1024;
const COMMIT_START_BYTES = 1024 * 1024;
const LINGER_MS = 20;

function startPump(listen_port: number, upstream_port: number, file: string, syncs: boolean): void {
  const fd = openSync(file, 'w');
  const upstream = connect(upstream_port, '127.0.0.1');
  const paused = new Set<Socket>();
  let filling: Buffer[] = [];
  let filling_bytes = 0;
  let committing = false;
  let linger: NodeJS.Timeout | undefined;

  function commit(): void {
    if (linger !== undefined) clearTimeout(linger);
    linger = undefined;
    if (committing || filling_bytes === 0) return;
    const batch = filling;
    filling = [];
    filling_bytes = 0;
    committing = true;
    for (const socket of paused) socket.resume();
    paused.clear();
    writev(fd, batch, null, (write_error) => {
      if (write_error) throw write_error;
      if (!syncs) return forward(batch);
      fdatasync(fd, (sync_error) => {
        if (sync_error) throw sync_error;
        forward(batch);
      });
    });
  }

  function forward(batch: Buffer[]): void {
    upstream.cork();
    for (const piece of batch) upstream.write(piece);
    upstream.uncork();
    const next = (): void => {
      committing = false;
      if (filling_bytes >= COMMIT_START_BYTES) commit();
      else if (filling_bytes > 0) linger ??= setTimeout(commit, LINGER_MS);
    };
    if (upstream.writableNeedDrain && upstream.writableLength > COMMIT_MAX_BYTES)
      upstream.once('drain', next);
    else next();
  }

  const server = createServer((socket) => {
    socket.on('data', (piece: Buffer) => {
      filling.push(piece);
      filling_bytes += piece.length;
      if (filling_bytes >= COMMIT_MAX_BYTES) {
        socket.pause();
        paused.add(socket);
      }
      if (committing) return;
      if (filling_bytes >= COMMIT_START_BYTES) commit();
      else linger ??= setTimeout(commit, LINGER_MS);
    });
    socket.on('error', () => socket.destroy());
  });
  server.listen(listen_port, '127.0.0.1');
  process.once('SIGTERM', () => {
    closeSync(fd);
    process.exit(0);
  });
}

const [listen_port, upstream_port, file, sync] = process.argv.slice(2);
startPump(Number(listen_port), Number(upstream_port), file ?? '', sync !== 'os');
