import { type Frame, MODE } from '../../../protocol/frame.ts';
import type { Source } from '../../logfile/types.ts';
import { StreamedLine, streamKey } from '../records/streamed-line.ts';
import type { MergedContainer } from './merged-container.ts';

/** What a container's stream tells of it with its first line. */
export interface StreamedIdentity {
  readonly container_id: string;
  readonly tag: Buffer;
  /** `time record`, as msgpack. */
  readonly body: Buffer;
  /** Its time has nanoseconds. */
  readonly sub_second: boolean;
}

/** Where the containers are that have a cache to be merged with. */
export interface MergedContainers {
  /** Undefined: the container's stream is all there is of it. */
  find(identity: StreamedIdentity): Promise<MergedContainer | undefined>;
}

/** As `MessageFilter` of the Forward input, which knows nothing of containers. */
type Verdict = 'store' | 'drop' | 'pass' | Promise<Decision>;
type Decision = () => boolean;

/** A source whose place in the cache is found on this connection. */
type Anchored = [boolean, boolean];

/**
 * Compares the lines of one connection with Docker's cache. The connection belongs to
 * the container of its first line; one that brings something else is let pass.
 *
 *     first line ─► whose? ─► wait for its turn ─► search its place ─► judge one by one
 *                     └─ nobody's: pass
 */
export class StreamFilter {
  readonly #containers: MergedContainers;
  readonly #streamed = new StreamedLine();
  readonly #anchored: Anchored = [false, false];
  #container: MergedContainer | undefined;
  #endTurn: (() => void) | undefined;
  #container_id: Buffer | undefined;
  #is_passing = false;
  #closed = false;

  constructor(containers: MergedContainers) {
    this.#containers = containers;
  }

  judge(buf: Buffer, frame: Frame): Verdict {
    if (this.#is_passing) return 'pass';
    const streamed = this.#streamed;
    if (frame.mode !== MODE.message || !streamed.read(buf, frame.body_start, frame.body_end)) {
      return this.#container_id === undefined ? this.#pass() : 'store';
    }
    if (this.#container === undefined) return this.#begin(buf, frame);
    if (!this.#isOwn(buf)) return 'store';
    const { source } = streamed;
    const key = streamKey(streamed);
    if (this.#anchored[source]) {
      const stores = this.#container.judge(source, key);
      if (stores !== undefined) return stores ? 'store' : 'drop';
    }
    return this.#search(this.#container, source, key, frame.chunk_start < 0);
  }

  stored(): void {
    this.#container?.note();
  }

  close(): void {
    this.#closed = true;
    this.#endTurn?.();
    this.#endTurn = undefined;
  }

  #pass(): 'pass' {
    this.#is_passing = true;
    return 'pass';
  }

  /** The buffers are used again before the container is found: what is needed of them is copied. */
  #begin(buf: Buffer, frame: Frame): Promise<Decision> {
    const { source, container_id_start, container_id_end } = this.#streamed;
    this.#container_id = Buffer.from(buf.subarray(container_id_start, container_id_end));
    const identity: StreamedIdentity = {
      container_id: this.#container_id.toString('latin1'),
      tag: Buffer.from(buf.subarray(frame.tag_start, frame.tag_end)),
      body: Buffer.from(buf.subarray(frame.body_start, frame.body_end)),
      sub_second: isEventTime(buf[frame.body_start]),
    };
    const key = streamKey(this.#streamed);
    return this.#bind(identity, source, key, frame.chunk_start < 0);
  }

  async #bind(
    identity: StreamedIdentity,
    source: Source,
    key: number,
    waits: boolean,
  ): Promise<Decision> {
    const container = await this.#containers.find(identity);
    if (container === undefined) {
      this.#pass();
      return () => true;
    }
    const endTurn = await container.connect();
    if (this.#closed) endTurn();
    else this.#endTurn = endTurn;
    this.#container = container;
    return this.#search(container, source, key, waits);
  }

  async #search(
    container: MergedContainer,
    source: Source,
    key: number,
    waits: boolean,
  ): Promise<Decision> {
    const decide = await container.search(source, key, waits);
    this.#anchored[source] = true;
    return decide;
  }

  #isOwn(buf: Buffer): boolean {
    const { container_id_start, container_id_end } = this.#streamed;
    const own = this.#container_id;
    return own !== undefined && own.compare(buf, container_id_start, container_id_end) === 0;
  }
}

/** fixext8, or ext8: seconds and nanoseconds (formats.md 1.3). */
const isEventTime = (lead: number | undefined): boolean => lead === 0xd7 || lead === 0xc7;
