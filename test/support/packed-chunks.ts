import { gzipSync } from 'node:zlib';
import { expect } from 'vitest';
import { pack } from './entries.ts';
import { hex, TAG } from './forward-messages.ts';
import { ackOf, chunkId, type TestServer } from './forward-server.ts';

/** Of every chunk of `packed`. */
export const PACKED_ID = chunkId('B');
const ACK = ackOf(PACKED_ID);

/** PackedForward with a chunk id, and more options as [key, value]. */
export function packed(payload: Buffer, ...options: [string, unknown][]): Buffer {
  const head = hex(`93${TAG}c600000000`);
  head.writeUInt32BE(payload.length, head.length - 4);
  return Buffer.concat([
    head,
    payload,
    pack(Object.fromEntries([['chunk', PACKED_ID.toString()], ...options])),
  ]);
}

export const packedGzip = (payload: Buffer): Buffer =>
  packed(gzipSync(payload), ['compressed', 'gzip']);

/** Everything that is durable, in order. */
export const stored = (server: TestServer): Buffer =>
  Buffer.concat(server.journal.records.map((r) => r.body));

export async function sendAndAck(server: TestServer, message: Buffer): Promise<void> {
  const client = await server.connect();
  client.send(message);
  expect(await client.receive(ACK.length / 2)).toBe(ACK);
}
