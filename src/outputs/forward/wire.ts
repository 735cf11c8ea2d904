import { CODEC, signalOf } from '../../protocol/codec.ts';
import type { Chunk } from './chunk.ts';

/** Bodies up to here are copied beside their heads: that costs less than a write of their own, */
const COPIED_MAX_BYTES = 16 * 1024;
/** and so are bodies in pieces that are smaller on average. */
const PIECE_MIN_BYTES = 4096;
const SLAB_BYTES = 64 * 1024;
/** Slabs that are kept for the next batches. */
const SLABS_MAX_COUNT = 64;

/** Array, tag and payload headers, the tag's bytes left out. */
const HEAD_MAX_BYTES = 1 + 5 + 5;
/** Option map: chunk, size, compressed and fluent_signal, each with the longest value. */
const OPTIONS_MAX_BYTES = 1 + (6 + 2 + 24) + (5 + 5) + (11 + 5) + (14 + 2);

/** Keys and fixed values of the option map as msgpack str. `chunk` comes first, where Fluent Bit looks for it. */
const STR = {
  chunk: Buffer.from('\xa5chunk\xb8', 'latin1'), // with the head of an id of 24 characters
  size: Buffer.from('\xa4size\xce', 'latin1'), // with the head of a u32
  gzip: Buffer.from('\xaacompressed\xa4gzip', 'latin1'),
  zstd: Buffer.from('\xaacompressed\xa4zstd', 'latin1'),
  signal: Buffer.from('\xadfluent_signal', 'latin1'),
} as const;

/** Memory for messages, used again once the kernel has them: garbage at this rate would make the process grow. */
export class SlabPool {
  readonly #free: Buffer[] = [];

  /** At least `min_bytes`; more than a slab is not from the pool. */
  take(min_bytes: number): Buffer {
    if (min_bytes > SLAB_BYTES) return Buffer.allocUnsafeSlow(min_bytes);
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(SLAB_BYTES);
  }

  give(slabs: readonly Buffer[]): void {
    for (const slab of slabs) {
      if (slab.length === SLAB_BYTES && this.#free.length < SLABS_MAX_COUNT) this.#free.push(slab);
    }
  }
}

/**
 * PackedForward messages of several chunks as few buffers: heads, options and small bodies
 * are written next to each other, large bodies stay where they are.
 *
 *     │ 93 │ tag str │ payload bin: header │ body │ option map │ 93 │ ...
 */
export class MessageBatch {
  readonly ids: string[] = [];
  readonly #chunks: Chunk[] = [];
  readonly #acks: boolean;
  readonly #buffers: Buffer[] = [];
  #bytes = 0;
  readonly #pool: SlabPool;
  readonly #slabs: Buffer[] = [];
  #slab: Buffer = Buffer.alloc(0);
  /** What of the slab is not in `#buffers` yet. */
  #start = 0;
  #at = 0;

  /** Without `acks` the messages do not ask for any. */
  constructor(acks: boolean, pool: SlabPool) {
    this.#acks = acks;
    this.#pool = pool;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(chunk: Chunk): void {
    const { wire, id, attrs } = chunk;
    if (wire === undefined) throw new Error(`chunk ${id} was not prepared`);
    const is_copied =
      wire.bytes <= COPIED_MAX_BYTES || wire.bytes < wire.body.length * PIECE_MIN_BYTES;
    const head_max_bytes = HEAD_MAX_BYTES + wire.tag.length + OPTIONS_MAX_BYTES;
    this.#reserve(head_max_bytes + (is_copied ? wire.bytes : 0));
    const before = this.#at;
    this.#head(wire.tag, wire.bytes);
    if (is_copied) {
      for (const piece of wire.body) this.#at += piece.copy(this.#slab, this.#at);
    } else {
      this.#cut();
      this.#buffers.push(...wire.body);
      this.#bytes += wire.bytes;
    }
    this.#options(id, wire.events, wire.codec, signalOf(attrs));
    this.#bytes += this.#at - before;
    this.ids.push(id);
    this.#chunks.push(chunk);
    chunk.taken = false;
  }

  /** Everything that was added, in order. Nothing more may be added. */
  finish(): Buffer[] {
    this.#cut();
    return this.#buffers;
  }

  /** The kernel has what `finish()` gave. */
  taken(): void {
    for (const chunk of this.#chunks) chunk.taken = true;
    this.#pool.give(this.#slabs);
  }

  #head(tag: Buffer, body_bytes: number): void {
    const slab = this.#slab;
    let at = slab.writeUInt8(0x93, this.#at);
    if (tag.length < 32) {
      at = slab.writeUInt8(0xa0 | tag.length, at);
    } else {
      at = slab.writeUInt8(0xda, at);
      at = slab.writeUInt16BE(tag.length, at);
    }
    at += tag.copy(slab, at);
    at = slab.writeUInt8(0xc6, at);
    this.#at = slab.writeUInt32BE(body_bytes, at);
  }

  #options(id: string, events: number, codec: number, signal: number): void {
    const slab = this.#slab;
    const map_at = this.#at++;
    let pairs = 0;
    if (this.#acks) {
      this.#copy(STR.chunk);
      this.#at += slab.write(id, this.#at, 'latin1');
      pairs++;
    }
    if (events > 0) {
      this.#copy(STR.size);
      this.#at = slab.writeUInt32BE(events, this.#at);
      pairs++;
    }
    if (codec !== CODEC.none) {
      this.#copy(codec === CODEC.gzip ? STR.gzip : STR.zstd);
      pairs++;
    }
    if (signal !== 0) {
      this.#copy(STR.signal);
      this.#at = slab.writeUInt16BE(0xcc00 | signal, this.#at);
      pairs++;
    }
    slab.writeUInt8(0x80 | pairs, map_at);
  }

  #copy(bytes: Buffer): void {
    this.#at += bytes.copy(this.#slab, this.#at);
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#slab.length) return;
    this.#cut();
    this.#slab = this.#pool.take(bytes);
    this.#slabs.push(this.#slab);
    this.#start = 0;
    this.#at = 0;
  }

  #cut(): void {
    if (this.#at > this.#start) this.#buffers.push(this.#slab.subarray(this.#start, this.#at));
    this.#start = this.#at;
  }
}
