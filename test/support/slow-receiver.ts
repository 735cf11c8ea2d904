import { createServer, type Server, type Socket } from 'node:net';
import { decodeMulti, encode } from '@msgpack/msgpack';
import type { ForwardOutputOptions } from '../../src/outputs/forward/options.ts';
import { until } from './wait.ts';

/** A Forward server that reads nothing until it is asked, and acks what it is told to, arrived or not. */
export class SlowReceiver {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #parts: Buffer[] = [];

  private constructor() {
    this.#server = createServer({ pauseOnConnect: true }, (socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => {}).on('data', (part: Buffer) => this.#parts.push(part));
    });
  }

  static async listen(): Promise<SlowReceiver> {
    const receiver = new SlowReceiver();
    await new Promise<void>((resolve) => receiver.#server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  get server(): ForwardOutputOptions['servers'][number] {
    const address = this.#server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const url = `tcp://127.0.0.1:${port}`;
    return { url, address: { kind: 'tcp', host: '127.0.0.1', port }, weight: 1, standby: false };
  }

  ack(id: string): void {
    for (const socket of this.#sockets) socket.write(encode({ ack: id }));
  }

  /** Reads on until so many messages are there, and returns their bodies. */
  async messages(count: number): Promise<Buffer[]> {
    for (const socket of this.#sockets) socket.resume();
    return until(`${count} messages`, () => {
      const bodies = bodiesIn(Buffer.concat(this.#parts));
      return bodies.length >= count && bodies;
    });
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Of the messages that are whole. */
function bodiesIn(bytes: Buffer): Buffer[] {
  const bodies: Buffer[] = [];
  try {
    for (const message of decodeMulti(bytes)) {
      bodies.push(Buffer.from((message as [string, Uint8Array])[1]));
    }
  } catch {
    // The rest is still to come.
  }
  return bodies;
}
