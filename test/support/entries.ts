import { ExtData, encode } from '@msgpack/msgpack';

/** An EventTime, as fixext8. */
export function eventTime(seconds: number, nanoseconds = 0): ExtData {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32BE(seconds, 0);
  bytes.writeUInt32BE(nanoseconds, 4);
  return new ExtData(0, bytes);
}

/** Anything as MessagePack, 64-bit integers from bigint. */
export const pack = (value: unknown): Buffer => Buffer.from(encode(value, { useBigInt64: true }));

/** The entry `[time, record]`. */
export const entry = (record: unknown, time: unknown = eventTime(1_700_000_000)): Buffer =>
  pack([time, record]);

/** Entries `{n: from}`, `{n: from + 1}` ... end to end. */
export function numbered(from: number, count: number, padding = ''): Buffer {
  const entries = Array.from({ length: count }, (_, i) => entry({ n: from + i, padding }));
  return Buffer.concat(entries);
}
