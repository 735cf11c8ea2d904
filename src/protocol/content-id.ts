/**
 * Chunk ids that are derived from content: equal payloads share an id, so an id
 * seen before does not prove a re-send.
 *
 * Fluent Bit's out_forward takes the first 16 bytes of the SHA-512 of the events
 * as they are before compression, and writes them as 32 lowercase hex digits (up
 * to 5.0.8 and 4.2.6) or as base64 (later); formats.md 1.5 and the plugin's
 * `append_options`. In Message mode it hashes the entry in its own form,
 * `[[time, metadata], record]`. With `time_as_integer` it hashes bytes that are
 * not on the wire: there only the id's shape is left to judge by.
 */
import { createHash } from 'node:crypto';
import { readTime, TimeReading } from './event-time.ts';
import { type Frame, MODE } from './frame.ts';

const ID_BYTES = 16;
const LEVELS_MAX = 1;

/** @param content the events in pieces, inflated; for Message mode see `messageContent` */
export function isContentDerived(chunk: Buffer, content: readonly Buffer[]): boolean {
  if (chunk.length !== 24 && chunk.length !== 32) return false;
  const hash = createHash('sha512');
  for (const piece of content) hash.update(piece);
  const id = hash.digest().subarray(0, ID_BYTES);
  return chunk.toString('latin1') === id.toString(chunk.length === 32 ? 'hex' : 'base64');
}

/**
 * Could this id be a digest? True for 32 hex digits, and for base64 of 16 bytes
 * that do not begin as Docker's ids do: seconds as i64 LE, whose upper half is 0.
 */
export function hasDigestShape(chunk: Buffer): boolean {
  const text = chunk.toString('latin1');
  if (/^[0-9a-f]{32}$/.test(text)) return true;
  if (!/^[A-Za-z0-9+/]{22}==$/.test(text)) return false;
  return Buffer.from(text, 'base64').readUInt32LE(4) !== 0;
}

/** A Message-mode event in the form that Fluent Bit hashes. */
export function messageContent(buf: Buffer, frame: Frame): Buffer[] {
  if (frame.mode !== MODE.message) return [buf.subarray(frame.body_start, frame.body_end)];
  const { body_start, body_end, metadata_start, metadata_end } = frame;
  const record = readTime(buf, body_start, body_end, LEVELS_MAX, new TimeReading());
  const metadata =
    metadata_start < 0 ? Buffer.of(0x80) : buf.subarray(metadata_start, metadata_end);
  const time = buf.subarray(body_start, record);
  return [Buffer.of(0x92, 0x92), time, metadata, buf.subarray(record, body_end)];
}
