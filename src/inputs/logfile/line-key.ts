/**
 * The key by which a line of Docker's cache and the same line on the stream find each
 * other (DESIGN 7): 53 bits, so that it is one JavaScript number, over
 *
 *     time as the driver sends it | partial id | ordinal | log bytes
 *
 * The source is no part of it: sources are kept apart. Keys are stored, so a line's key
 * never changes; test/inputs/logfile/line-key.test.ts pins some.
 *
 * It guards against chance, not against someone who makes collisions: a container could
 * only confuse its own lines.
 */
import type { LogLine } from './types.ts';

/** Odd, with about half their bits set; the first two are those of MurmurHash3. */
const MULTIPLY_A = 0x85ebca6b;
const MULTIPLY_B = 0xc2b2ae35;
const FINISH_A = 0x2c1b3c6d;
const FINISH_B = 0x297a2d39;
const START_A = 0x9e3779b9;
const START_B = 0x7f4a7c15;

const HIGH_BITS = 0x1fffff;

/** @param sub_second whether the driver sends nanoseconds (`fluentd-sub-second-precision`) */
export function lineKey(line: LogLine, sub_second: boolean): number {
  const { partial_id, buf, log_start, log_end, time_s, partial_ordinal } = line;
  const time_ns = sub_second ? line.time_ns : 0;
  if (partial_id === undefined) return hashBytes(buf, log_start, log_end, time_s, time_ns, 0, 0);
  const id = partialIdKey(partial_id, 0, partial_id.length);
  return hashBytes(buf, log_start, log_end, time_s, time_ns, id, partial_ordinal);
}

/** What stands for a partial id in `hashBytes`; 0 stands for none. */
export function partialIdKey(buf: Buffer, start: number, end: number): number {
  return hashBytes(buf, start, end, 0, 0, 0, 0);
}

/**
 * A hash of 53 bits over the bytes and four numbers. Two lanes of 32 bits take each word in ways
 * of their own; each step is a bijection of the lane, so inputs that differ in one word only
 * never collide.
 */
export function hashBytes(
  buf: Buffer,
  start: number,
  end: number,
  time_s: number,
  time_ns: number,
  partial_id: number,
  ordinal: number,
): number {
  // `| 0` takes a number modulo 2^32, whatever its sign: times come as int32 and as uint32.
  let a = START_A ^ (end - start);
  let b = START_B ^ (end - start);
  a = stepA(stepA(a, time_s | 0), time_ns | 0);
  b = stepB(stepB(b, time_s | 0), time_ns | 0);
  if (ordinal !== 0 || partial_id !== 0) {
    const id_high = Math.floor(partial_id / 2 ** 32);
    a = stepA(stepA(stepA(a, partial_id | 0), id_high), ordinal | 0);
    b = stepB(stepB(stepB(b, partial_id | 0), id_high), ordinal | 0);
  }
  let at = start;
  for (const words_end = end - 3; at < words_end; at += 4) {
    const word =
      (buf[at] as number) |
      ((buf[at + 1] as number) << 8) |
      ((buf[at + 2] as number) << 16) |
      ((buf[at + 3] as number) << 24);
    a = stepA(a, word);
    b = stepB(b, word);
  }
  let rest = 0;
  for (let shift = 0; at < end; at += 1, shift += 8) rest |= (buf[at] as number) << shift;
  a = stepA(a, rest);
  b = stepB(b, rest);
  return join(a, b);
}

function stepA(lane: number, word: number): number {
  const mixed = Math.imul(lane ^ word, MULTIPLY_A);
  return mixed ^ (mixed >>> 15);
}

function stepB(lane: number, word: number): number {
  return Math.imul(((lane << 13) | (lane >>> 19)) + word, MULTIPLY_B);
}

/** Lets every bit of both lanes reach every bit of the key. */
function join(lane_a: number, lane_b: number): number {
  let a = Math.imul(lane_a ^ (lane_b >>> 16), FINISH_A);
  let b = Math.imul(lane_b ^ (a >>> 15), FINISH_B);
  a = Math.imul(a ^ (b >>> 15), MULTIPLY_B);
  b = Math.imul(b ^ (a >>> 16), MULTIPLY_A);
  a ^= b >>> 15;
  b ^= a >>> 13;
  return (b & HIGH_BITS) * 2 ** 32 + (a >>> 0);
}
