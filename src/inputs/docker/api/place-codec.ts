import { SOURCE } from '../../logfile/types.ts';
import type { Anchor, ApiPlace } from './log-seam.ts';

/**
 * An `ApiPlace` as it stands in the journal; integers are big-endian:
 *
 *     ┌────────────┬──────────────┬───────────────┬───────────┐
 *     │ version u8 │ since_s  u48 │ since_ns  u32 │ source u8 │
 *     ├────────────┴─┬────────────┼────────────┬──┴───────────┤
 *     │ time_s  u48  │ time_ns u32│ check  u32 │ ordinal  u32 │
 *     ├──────────────┴─┬──────────┴────────────┴──────────────┘
 *     │ tail_check u32 │
 *     └────────────────┘
 *
 * source: 0 stdout, 1 stderr, 255 nothing was taken yet (its time, check and ordinal are 0 then).
 */
export const API_PLACE_BYTES = 34;
const VERSION = 1;
const NOTHING_TAKEN = 255;

export function encodePlace({ since, last, tail_check }: ApiPlace): Buffer {
  const buf = Buffer.alloc(API_PLACE_BYTES);
  buf.writeUInt8(VERSION, 0);
  buf.writeUIntBE(since.time_s, 1, 6);
  buf.writeUInt32BE(since.time_ns, 7);
  buf.writeUInt8(last?.source ?? NOTHING_TAKEN, 11);
  buf.writeUIntBE(last?.time_s ?? 0, 12, 6);
  buf.writeUInt32BE(last?.time_ns ?? 0, 18);
  buf.writeUInt32BE(last?.check ?? 0, 22);
  buf.writeUInt32BE(last?.ordinal ?? 0, 26);
  buf.writeUInt32BE(tail_check, 30);
  return buf;
}

/** Undefined: not a place of this version. */
export function decodePlace(buf: Buffer): ApiPlace | undefined {
  if (buf.length !== API_PLACE_BYTES || buf.readUInt8(0) !== VERSION) return undefined;
  const since = { time_s: buf.readUIntBE(1, 6), time_ns: buf.readUInt32BE(7) };
  const tail_check = buf.readUInt32BE(30);
  const source = buf.readUInt8(11);
  if (source === NOTHING_TAKEN) return { since, last: undefined, tail_check };
  if (source !== SOURCE.stdout && source !== SOURCE.stderr) return undefined;
  const last: Anchor = {
    source,
    time_s: buf.readUIntBE(12, 6),
    time_ns: buf.readUInt32BE(18),
    check: buf.readUInt32BE(22),
    ordinal: buf.readUInt32BE(26),
  };
  return { since, last, tail_check };
}
