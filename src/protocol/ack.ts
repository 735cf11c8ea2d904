/**
 * Acks, in both directions (formats.md 1.5).
 *
 *     | 81 | a3 "ack" | str: the chunk id |        JSON: {"ack":"<chunk id>"}
 */
import type { MessageFormat } from './message-reader.ts';
import { equalsAscii, headerBytes, isBytes, isMap, lengthAt, NIL, skipItems } from './msgpack.ts';
import { str } from './msgpack-write.ts';
import { ObjectGatherer } from './object-gatherer.ts';
import { hexByte, syntaxError } from './protocol-error.ts';

const ACK_HEAD = '81a361636b';
const ACK_MAX_BYTES = 64 * 1024;
const ACK_LEVELS_MAX = 16;

/**
 * The ack for a chunk id, byte for byte, in the client's own format. Send it with one write:
 * readers are fragile.
 */
export function encodeAck(chunk: Buffer, format: MessageFormat = 'msgpack'): Buffer {
  if (format === 'json') return Buffer.from(JSON.stringify({ ack: chunk.toString() }));
  return Buffer.concat([Buffer.from(ACK_HEAD, 'hex'), str(chunk)]);
}

/**
 * Reads the acks that an upstream sends, however they are cut or joined. Unknown
 * keys and nil between acks are skipped.
 */
export class AckParser {
  readonly #gatherer: ObjectGatherer;
  readonly #max_bytes: number;

  constructor(max_bytes = ACK_MAX_BYTES) {
    this.#max_bytes = max_bytes;
    this.#gatherer = new ObjectGatherer(ACK_LEVELS_MAX);
    this.#restart();
  }

  /**
   * The chunk ids that `chunk` acks, in order; copies.
   *
   * @throws LB_PROTOCOL_SYNTAX for what is no ack, LB_PROTOCOL_LIMIT for one that is too long:
   *   close the connection
   */
  feed(chunk: Buffer): Buffer[] {
    const acked: Buffer[] = [];
    let at = 0;
    while (at < chunk.length) {
      at = this.#gatherer.take(chunk, at, chunk.length);
      if (!this.#gatherer.whole) break;
      const { buffer, bytes } = this.#gatherer;
      if (buffer[0] !== NIL) acked.push(readAck(buffer, bytes));
      this.#restart();
    }
    return acked;
  }

  #restart(): void {
    this.#gatherer.restart(this.#max_bytes, 'one ack');
  }
}

function readAck(buf: Buffer, end: number): Buffer {
  const lead = buf[0] as number;
  if (!isMap(lead))
    throw syntaxError('an ack, a map', `an object that begins with ${hexByte(lead)}`);
  let at = headerBytes(lead);
  for (let pairs = lengthAt(buf, 0); pairs > 0; pairs -= 1) {
    const value = skipItems(buf, at, end, 1, ACK_LEVELS_MAX);
    const next = skipItems(buf, value, end, 1, ACK_LEVELS_MAX);
    if (isAckKey(buf, at, value)) {
      const value_lead = buf[value] as number;
      if (!isBytes(value_lead)) break;
      return Buffer.from(buf.subarray(value + headerBytes(value_lead), next));
    }
    at = next;
  }
  throw syntaxError('a map with the key ack and a str', 'a map without');
}

function isAckKey(buf: Buffer, key: number, end: number): boolean {
  const lead = buf[key] as number;
  const name = key + headerBytes(lead);
  return isBytes(lead) && end - name === 3 && equalsAscii(buf, name, 'ack');
}
