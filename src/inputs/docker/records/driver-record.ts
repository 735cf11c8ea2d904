/**
 * Journal entries as Docker's fluentd driver would have sent them (formats.md 3.2).
 *
 *     | 92 | time | map { container_id, container_name, source, log, ...extra, ...partial } |
 *
 *     time      d7 00 seconds u32 nanoseconds u32    with sub-second precision
 *               d2 seconds i32                       without (ce u32 from 2038 on)
 *     partial   partial_message, partial_id, partial_ordinal, partial_last
 *
 * All values are str. Docker merges extra fields over the first four, and the partial
 * fields over all, into a map: no key occurs twice.
 */
import type { RecordBuilder } from '../../../journal/types.ts';
import { mapHeader, str } from '../../../protocol/msgpack-write.ts';
import { type LogLine, PIECE } from '../../logfile/types.ts';
import type { Identity } from '../types.ts';
import { strHeaderBytes, writeStrHeader, writeUint32 } from './str-write.ts';
import { TextCopier } from './text-copier.ts';

const ENTRY_LEAD = 0x92;
const EVENT_TIME_BYTES = 10;
const SECONDS_BYTES = 5;
const INT32_MAX = 0x7fffffff;

const PARTIAL_KEYS = ['partial_message', 'partial_id', 'partial_ordinal', 'partial_last'] as const;
const PARTIAL_ORDINAL = str('partial_ordinal');
const IS_LAST = Buffer.concat([str('partial_last'), str('true')]);
const IS_NOT_LAST = Buffer.concat([str('partial_last'), str('false')]);
const NO_ID: Buffer = Buffer.alloc(0);

/** What is the same in every entry of one source, whole lines or pieces. */
interface Frame {
  /** The lead, room for the time, the map's header, and all that comes before the value of `log`. */
  readonly head: Buffer;
  /** All that comes behind it; of a piece, up to the value of `partial_id`. */
  readonly tail: Buffer;
  /** False: an extra field has the name `log`, and took its place. */
  readonly has_log: boolean;
}

/** Writes the lines of one container in one run; what they have in common is encoded once. */
export class DriverRecord {
  readonly #copier: TextCopier;
  readonly #sub_second: boolean;
  /** By source. */
  readonly #whole: readonly [Frame, Frame];
  readonly #piece: readonly [Frame, Frame];

  constructor(identity: Identity, copier = new TextCopier()) {
    this.#copier = copier;
    this.#sub_second = identity.sub_second;
    this.#whole = [frameOf(identity, 'stdout', false), frameOf(identity, 'stderr', false)];
    this.#piece = [frameOf(identity, 'stdout', true), frameOf(identity, 'stderr', true)];
  }

  /**
   * Writes the line's entry into the record, and notes it there. A piece must carry its partial id
   * and ordinal: `PartialTracker` makes them where a format stores none.
   */
  write(line: LogLine, builder: RecordBuilder): void {
    const is_piece = line.piece !== PIECE.whole;
    const { head, tail, has_log } = (is_piece ? this.#piece : this.#whole)[line.source];
    const log_bytes = line.log_end - line.log_start;
    const value_bytes = has_log ? strHeaderBytes(log_bytes) + log_bytes : 0;
    const partial_bytes = is_piece ? partialBytes(line) : 0;
    let at = builder.reserve(head.length + value_bytes + tail.length + partial_bytes);
    const out = builder.buffer;
    out.set(head, at);
    this.#writeTime(out, at + 1, line);
    at += head.length;
    if (has_log) {
      at = writeStrHeader(out, at, log_bytes);
      this.#copier.copy(line.buf, line.log_start, line.log_end, out, at);
      at += log_bytes;
    }
    if (tail.length > 0) out.set(tail, at);
    if (is_piece) writePartial(out, at + tail.length, line);
    builder.note(1, line.time_s, line.time_s);
  }

  #writeTime(out: Buffer, at: number, line: LogLine): void {
    if (this.#sub_second) {
      out[at] = 0xd7;
      out[at + 1] = 0;
      writeUint32(out, writeUint32(out, at + 2, line.time_s), line.time_ns);
    } else {
      out[at] = line.time_s <= INT32_MAX ? 0xd2 : 0xce;
      writeUint32(out, at + 1, line.time_s);
    }
  }
}

function frameOf(identity: Identity, source: string, is_piece: boolean): Frame {
  const extra = new Map(Object.entries(identity.extra));
  if (is_piece) for (const key of PARTIAL_KEYS) extra.delete(key);
  const take = (key: string, value: string): Buffer => {
    const taken = extra.get(key) ?? value;
    extra.delete(key);
    return Buffer.concat([str(key), str(taken)]);
  };
  const has_log = !extra.has('log');
  const time_bytes = identity.sub_second ? EVENT_TIME_BYTES : SECONDS_BYTES;
  const before = [
    take('container_id', identity.container_id),
    take('container_name', identity.container_name),
    take('source', source),
    has_log ? str('log') : take('log', ''),
  ];
  const behind: Buffer[] = Array.from(extra, ([key, value]) =>
    Buffer.concat([str(key), str(value)]),
  );
  const pairs = before.length + behind.length + (is_piece ? PARTIAL_KEYS.length : 0);
  if (is_piece) behind.push(str('partial_message'), str('true'), str('partial_id'));
  const lead = Buffer.alloc(1 + time_bytes);
  lead[0] = ENTRY_LEAD;
  const head = Buffer.concat([lead, mapHeader(pairs), ...before]);
  return { head, tail: Buffer.concat(behind), has_log };
}

/** What `writePartial` will write. */
function partialBytes(line: LogLine): number {
  const id_bytes = (line.partial_id ?? NO_ID).length;
  const ordinal_bytes = String(line.partial_ordinal).length;
  const last = line.piece === PIECE.last ? IS_LAST : IS_NOT_LAST;
  const values =
    strHeaderBytes(id_bytes) + id_bytes + strHeaderBytes(ordinal_bytes) + ordinal_bytes;
  return values + PARTIAL_ORDINAL.length + last.length;
}

/** The value of `partial_id`, and the pairs behind it. */
function writePartial(out: Buffer, start: number, line: LogLine): void {
  const id = line.partial_id ?? NO_ID;
  let at = writeStrHeader(out, start, id.length);
  out.set(id, at);
  at += id.length;
  out.set(PARTIAL_ORDINAL, at);
  at += PARTIAL_ORDINAL.length;
  const ordinal = String(line.partial_ordinal);
  at = writeStrHeader(out, at, ordinal.length);
  at += out.write(ordinal, at, 'latin1');
  out.set(line.piece === PIECE.last ? IS_LAST : IS_NOT_LAST, at);
}
