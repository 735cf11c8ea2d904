import { decode } from '@msgpack/msgpack';

/** One PackedForward message, as far as counting it needs. */
export interface CountedChunk {
  readonly events_count: number;
  readonly body_bytes: number;
  /** To be acked. */
  readonly id: Uint8Array | string | undefined;
}

/** Where the bytes of a message go on. */
type State = 'head' | 'body' | 'option';

/** More than a head, or an option map, of any sender that is measured takes. */
const PART_MAX_BYTES = 64 * 1024;
const NIL = 0xc0;

/**
 * Counts the events of PackedForward messages by what their senders say (`size`), without
 * looking at a body, so that the sink costs next to nothing beside what is measured.
 * Shares no code with the relay.
 *
 *     head ──► body (passed over) ──► option ──► head
 */
export class ChunkCounter {
  #state: State = 'head';
  /** Of a head or an option that is not whole yet. */
  #gathered: Buffer = Buffer.alloc(0);
  #body_left = 0;
  #body_bytes = 0;

  /** Takes the next bytes of a connection. @throws RangeError for anything but PackedForward with `size` */
  feed(piece: Buffer, onChunk: (chunk: CountedChunk) => void): void {
    let buf = this.#gathered.length === 0 ? piece : Buffer.concat([this.#gathered, piece]);
    this.#gathered = Buffer.alloc(0);
    while (buf.length > 0) {
      const taken = this.#take(buf, onChunk);
      if (taken === 0) {
        if (buf.length > PART_MAX_BYTES) throw new RangeError(`no end of the ${this.#state}`);
        // A copy: the slice would hold the whole read.
        this.#gathered = Buffer.from(buf);
        return;
      }
      buf = buf.subarray(taken);
    }
  }

  /** 0: what begins here is not whole. */
  #take(buf: Buffer, onChunk: (chunk: CountedChunk) => void): number {
    if (this.#state === 'body') {
      const taken = Math.min(this.#body_left, buf.length);
      this.#body_left -= taken;
      if (this.#body_left === 0) this.#state = 'option';
      return taken;
    }
    return this.#state === 'head' ? this.#takeHead(buf) : this.#takeOption(buf, onChunk);
  }

  #takeHead(buf: Buffer): number {
    if (buf[0] === NIL) return 1;
    if (buf[0] !== 0x93) throw new RangeError(`expected [tag, entries, option], found ${buf[0]}`);
    const tag = bytesAt(buf, 1);
    const body = tag === undefined ? undefined : bytesAt(buf, tag.end);
    if (body === undefined) return 0;
    this.#body_bytes = body.end - body.start;
    this.#body_left = this.#body_bytes;
    this.#state = this.#body_left === 0 ? 'option' : 'body';
    return body.start;
  }

  #takeOption(buf: Buffer, onChunk: (chunk: CountedChunk) => void): number {
    const end = optionEnd(buf);
    if (end === undefined) return 0;
    const { size, chunk } = decode(buf.subarray(0, end)) as { size?: number; chunk?: string };
    if (size === undefined) throw new RangeError('expected the option size');
    this.#state = 'head';
    onChunk({ events_count: size, body_bytes: this.#body_bytes, id: chunk });
    return end;
  }
}

/** A str or bin: where its bytes are; they may go on behind `buf`. Undefined: its header does. */
function bytesAt(buf: Buffer, at: number): { start: number; end: number } | undefined {
  const lead = buf[at];
  if (lead === undefined) return undefined;
  if ((lead & 0xe0) === 0xa0) return { start: at + 1, end: at + 1 + (lead & 0x1f) };
  const width = WIDTHS.get(lead);
  if (width === undefined) throw new RangeError(`expected a str or bin, found ${lead}`);
  const start = at + 1 + width;
  if (start > buf.length) return undefined;
  return { start, end: start + buf.readUIntBE(at + 1, width) };
}

/** How many bytes the length has, by the lead byte of a str or bin. */
const WIDTHS: ReadonlyMap<number, number> = new Map([
  [0xc4, 1],
  [0xc5, 2],
  [0xc6, 4],
  [0xd9, 1],
  [0xda, 2],
  [0xdb, 4],
]);

/** Behind a map of short keys with texts and whole numbers for values; undefined: it goes on. */
function optionEnd(buf: Buffer): number | undefined {
  const lead = buf[0] ?? 0;
  if ((lead & 0xf0) !== 0x80) throw new RangeError(`expected an option map, found ${lead}`);
  let at: number | undefined = 1;
  for (let item = 0; item < (lead & 0x0f) * 2 && at !== undefined; item += 1) {
    at = valueEnd(buf, at);
  }
  return at === undefined || at > buf.length ? undefined : at;
}

function valueEnd(buf: Buffer, at: number): number | undefined {
  const lead = buf[at];
  if (lead === undefined) return undefined;
  if (lead <= 0x7f || lead >= 0xe0) return at + 1;
  const number_bytes = NUMBER_BYTES.get(lead);
  return number_bytes === undefined ? bytesAt(buf, at)?.end : at + 1 + number_bytes;
}

const NUMBER_BYTES: ReadonlyMap<number, number> = new Map([
  [0xcc, 1],
  [0xcd, 2],
  [0xce, 4],
  [0xcf, 8],
  [0xd0, 1],
  [0xd1, 2],
  [0xd2, 4],
  [0xd3, 8],
]);
