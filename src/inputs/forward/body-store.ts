import type { JournalWriter, LargeRecord } from '../../journal/types.ts';
import { signalOf } from '../../protocol/codec.ts';
import { eventTimeOf } from '../../protocol/event-time.ts';
import { normalizeEntries } from '../../protocol/normalize.ts';
import { limitError } from '../../protocol/protocol-error.ts';
import type { Clock } from '../../sys/clock.ts';
import type { DropLedger } from '../../sys/ledger.ts';
import type { ChunkClaim, ClientChunks } from './client-chunks.ts';
import { type Examined, examine, walkInflated } from './compressed-body.ts';
import { CHUNK_SPACE } from './dedup.ts';
import { EntryGather } from './entry-gather.ts';
import type { LargeMessage } from './large-message.ts';
import type { ForwardLimits } from './options.ts';
import type { Spool, SpoolPool } from './spool.ts';
import type { ForwardStats } from './stats.ts';
import { Turns } from './turns.ts';

/** Payloads that are inflated at the same time: two cores' worth, so that memory stays bounded. */
const INFLATIONS_MAX = 2;

/** A whole message that was gathered, and whom its ack is for. */
export interface GatheredMessage {
  readonly message: LargeMessage;
  readonly attrs: number;
  /** Events; of a payload that is not entries, what the sender claims. */
  readonly count: number;
  readonly invalid: number;
  readonly claim: ChunkClaim | undefined;
}

/** The connection that a message came on. */
export interface MessageOrigin {
  readonly peer: string;
  readonly chunks: ClientChunks;
  readonly signal: AbortSignal;
}

export interface BodyStoreDeps {
  readonly journal: JournalWriter;
  readonly ledger: DropLedger;
  readonly clock: Clock;
  readonly stats: ForwardStats;
  readonly pool: SpoolPool;
  readonly limits: ForwardLimits;
}

/**
 * Stores gathered messages:
 *
 *     entries      as records of at most `record_max_bytes`: one in the commit that is
 *                  filling, or several in a commit of their own, whole or cut
 *     compressed   inflated and walked first. Kept as it came if that shows nothing to
 *                  change and nothing that is too large for an output; else as entries
 *     opaque       another signal: one record, as it came
 *
 * So every compressed record of signal 0 holds valid entries, as many as its count
 * says, which inflate to at most `chunk_max_bytes`.
 */
export class BodyStore {
  readonly #deps: BodyStoreDeps;
  readonly #inflations = new Turns(INFLATIONS_MAX);

  constructor(deps: BodyStoreDeps) {
    this.#deps = deps;
  }

  /** Resolves when the next message may follow; the ack may be given later. Rejects when it was not stored. */
  async store(gathered: GatheredMessage, origin: MessageOrigin): Promise<void> {
    const { claim, message } = gathered;
    try {
      if (message.entries !== undefined)
        await this.#storeEntries(message.entries, gathered, origin);
      else if (message.payload !== undefined) {
        await this.#storePayload(message.payload, gathered, origin);
      }
    } catch (error) {
      if (claim !== undefined) origin.chunks.abandon(claim, asError(error));
      throw error;
    } finally {
      message.discard();
    }
  }

  async #storePayload(
    payload: Spool,
    gathered: GatheredMessage,
    origin: MessageOrigin,
  ): Promise<void> {
    const { attrs, message } = gathered;
    const { codec } = message.frame;
    if (signalOf(attrs) !== 0) {
      this.#checkOpaque(payload.bytes);
      await this.#storeAsItCame(payload, gathered, gathered.count, 0, 0, attrs, origin);
      return;
    }
    const { limits, pool } = this.#deps;
    const found = await this.#inflations.run(() => examine(payload, codec, limits, origin.signal));
    if (this.#isKept(found, payload)) {
      const { count, time_min_s, time_max_s } = found;
      const all_attrs = attrs | found.attrs;
      await this.#storeAsItCame(
        payload,
        gathered,
        count,
        time_min_s,
        time_max_s,
        all_attrs,
        origin,
      );
      return;
    }
    const entries = new EntryGather(message.frame.tag, pool, limits.record_max_bytes);
    try {
      await this.#inflations.run(() => this.#gather(payload, message, entries, origin.signal));
      const { count, invalid } = found;
      await this.#storeEntries(entries, { ...gathered, count, invalid }, origin);
    } finally {
      entries.discard();
    }
  }

  #checkOpaque(bytes: number): void {
    const max = this.#deps.limits.chunk_max_bytes;
    if (bytes <= max) return;
    throw limitError(
      'a payload of another signal is too large',
      `${bytes} > ${max} bytes`,
      'chunk_max_bytes',
    );
  }

  #isKept(found: Examined, payload: Spool): boolean {
    const { chunk_max_bytes, record_max_bytes } = this.#deps.limits;
    const small = found.inflated_bytes <= chunk_max_bytes && payload.bytes <= record_max_bytes;
    return small && !found.irregular && found.count > 0;
  }

  async #gather(
    payload: Spool,
    message: LargeMessage,
    entries: EntryGather,
    signal: AbortSignal,
  ): Promise<void> {
    const { limits, clock } = this.#deps;
    const arrival = eventTimeOf(clock.now_ms());
    await walkInflated(payload, message.frame.codec, limits, signal, (buf, start, end, run) => {
      const { count, time_min_s, time_max_s, attrs } = run;
      if (run.irregular) {
        const kept = normalizeEntries(buf, start, end, arrival, limits);
        entries.add(kept, 0, kept.length, count, time_min_s, time_max_s, attrs);
      } else {
        entries.add(buf, start, end, count, time_min_s, time_max_s, attrs);
      }
    });
    await entries.spool.drained();
  }

  async #storeAsItCame(
    payload: Spool,
    gathered: GatheredMessage,
    count: number,
    time_min_s: number,
    time_max_s: number,
    attrs: number,
    origin: MessageOrigin,
  ): Promise<void> {
    const body: Buffer[] = [];
    for await (const piece of payload.read()) body.push(piece);
    const { tag, codec } = gathered.message.frame;
    this.#append({ tag, codec, attrs, body, count, time_min_s, time_max_s });
    this.#accept(gathered, count, origin);
  }

  async #storeEntries(
    entries: EntryGather,
    gathered: GatheredMessage,
    origin: MessageOrigin,
  ): Promise<void> {
    const { journal } = this.#deps;
    const { claim } = gathered;
    await entries.spool.drained();
    const single = entries.single();
    if (single !== undefined || entries.spool.bytes === 0) {
      if (single !== undefined) this.#append(single);
      this.#accept(gathered, entries.events, origin);
      return;
    }
    const state = claim === undefined ? [] : [{ space: CHUNK_SPACE, entry: claim.entry }];
    await journal.appendLarge(entries.records(), state);
    if (claim !== undefined) origin.chunks.acceptDurable(claim);
    this.#count(gathered, entries.events, origin);
  }

  #append(record: LargeRecord): void {
    const { tag, codec, attrs, body, count, time_min_s, time_max_s } = record;
    this.#deps.journal.appendBody(tag, codec, attrs, body, count, time_min_s, time_max_s);
  }

  #accept(gathered: GatheredMessage, events: number, origin: MessageOrigin): void {
    if (gathered.claim !== undefined) origin.chunks.accept(gathered.claim);
    this.#count(gathered, events, origin);
  }

  #count(gathered: GatheredMessage, events: number, origin: MessageOrigin): void {
    const { stats, ledger } = this.#deps;
    stats.messages_in++;
    stats.events_in += events;
    if (gathered.message.spool?.in_file === true) stats.spooled_messages++;
    if (gathered.invalid > 0) ledger.count('invalid_event', origin.peer, gathered.invalid);
  }
}

const asError = (error: unknown): Error =>
  error instanceof Error ? error : new Error(String(error));
