import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Below the kernel's range for outgoing connections (32768 and up on Linux). */
const PORT_MIN = 20_000;
const PORT_MAX = 32_000;
const ATTEMPTS_MAX = 100;

/** Suites that run side by side choose from ranges of their own: a port is free until its server starts. */
const WORKERS_MAX = 8;
const WORKER_PORTS = Math.floor((PORT_MAX - PORT_MIN) / WORKERS_MAX);
const WORKER_PORT_MIN =
  PORT_MIN + (Number(process.env['VITEST_POOL_ID'] ?? 0) % WORKERS_MAX) * WORKER_PORTS;

/** Ports that this worker gave out: most of their servers have not started yet. */
const given = new Set<number>();

/**
 * A TCP port on 127.0.0.1 that is free now, for servers that must come back on the same
 * port. It lies below the ephemeral range: a client that keeps dialling a dead ephemeral
 * port on loopback can end up connected to itself, and then the server can't bind.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const port = WORKER_PORT_MIN + randomInt(WORKER_PORTS);
    if (given.has(port) || !(await canBind(port))) continue;
    given.add(port);
    return port;
  }
  throw new Error(`no free port between ${PORT_MIN} and ${PORT_MAX}`);
}

function canBind(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => {
      server.close(() => resolve(true));
    });
  });
}
