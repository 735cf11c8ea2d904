import { parseServerAddress } from '../../config/address.ts';
import { LogboomError } from '../../errors.ts';
import type { JournalRecord } from '../../journal/types.ts';
import { LIMITS } from '../../limits.ts';
import { type ForwardKind, KINDS } from '../../outputs/forward/options.ts';
import { contentOf } from '../../outputs/record-lines.ts';
import { ATTR, signalOf } from '../../protocol/codec.ts';
import { EntryParts, entryLevels, readEntry } from '../../protocol/entries.ts';
import { EntryWalker } from '../../protocol/entry-walker.ts';
import { rewriteEntries } from '../../protocol/rewrite-entries.ts';
import { systemClock } from '../../sys/clock.ts';
import { CatClient } from '../cat-client.ts';
import { type CatFlags, catOptions } from '../cat-options.ts';
import type { Host } from '../host.ts';
import type { DamageNotes } from './damage-notes.ts';
import { type EventFilter, mayHold, takesTime } from './event-filter.ts';
import type { FoundJournal } from './look.ts';
import { countText } from './text.ts';
import { walkLog } from './walk.ts';

export interface SendFlags
  extends Pick<CatFlags, 'ca' | 'verify' | 'sharedKeyFile' | 'username' | 'passwordFile'> {
  readonly to: string;
  readonly kind: ForwardKind;
}

export interface Sent {
  /** Events that no upstream can be told: other signals, and what cannot be read. */
  readonly not_sent: number;
  /** For a person. */
  readonly text: string;
}

const ABSENT_HINT =
  'Nobody listens there. Start the server that is to take the events, or name another with --to.';

const CHUNK_MAX_BYTES = 128 * 1024;

/**
 * Sends the events that `filter` means to a Forward server, in order, in chunks of one tag,
 * and resolves when all are acked.
 *
 * @throws LB_USAGE; LB_UPSTREAM, LB_TLS, LB_HANDSHAKE: the message says how many were acked
 */
export async function sendEvents(
  host: Host,
  journal: FoundJournal,
  filter: EventFilter,
  flags: SendFlags,
  notes: DamageNotes,
  signal: AbortSignal,
): Promise<Sent> {
  const client = await connect(host, flags, signal);
  try {
    const sender = new RecordSender(client, filter, flags.kind);
    for await (const item of walkLog(host, journal, { from_seq: filter.from_seq }, signal)) {
      if (item.type === 'corruption') notes.add(item.corruption);
      if (item.type !== 'record' || !mayHold(filter, item.record)) continue;
      await sender.send(item.record);
      if (sender.sent >= filter.limit) break;
    }
    await client.finish();
    return sender.summary(flags.to);
  } finally {
    client.destroy();
  }
}

function connect(host: Host, flags: SendFlags, signal: AbortSignal): Promise<CatClient> {
  const address = parseServerAddress(flags.to);
  if (!address.ok) {
    const { reason = 'it is not the URL of a server', suggestion } = address;
    throw new LogboomError('LB_USAGE', `--to ${flags.to}: ${reason}`, {
      hint: suggestion === undefined ? 'Use tcp://HOST:PORT.' : `Did you mean ${suggestion}?`,
    });
  }
  const { tls, handshake } = catOptions(host, '', { ...flags, key: '', json: false, ack: true });
  const options = {
    address: address.value,
    url: flags.to,
    absent_hint: ABSENT_HINT,
    tls: tls ?? { verify: true, min_version: 'TLSv1.2' as const },
    handshake,
    ack: true,
    ack_timeout_ms: LIMITS.ack_timeout_ms,
  };
  // room() and finish() tell of a connection that breaks.
  return CatClient.open(options, systemClock, signal, () => {});
}

/** Cuts records into chunks of events that are meant. */
class RecordSender {
  readonly #client: CatClient;
  readonly #filter: EventFilter;
  readonly #takes_metadata: boolean;
  readonly #parts = new EntryParts();
  #entries: Buffer[] = [];
  #bytes = 0;
  #metadata_dropped = 0;
  #opaque = 0;
  sent = 0;

  constructor(client: CatClient, filter: EventFilter, kind: ForwardKind) {
    this.#client = client;
    this.#filter = filter;
    this.#takes_metadata = KINDS[kind].takes_metadata;
  }

  async send(record: JournalRecord): Promise<void> {
    if (signalOf(record.attrs) !== 0) {
      this.#opaque += record.count;
      return;
    }
    let walked = 0;
    const walker = new EntryWalker(LIMITS, (buf, start, end) => {
      walked += this.#gather(record, buf, start, end);
    });
    try {
      for await (const piece of contentOf(record)) {
        for (let at = 0; at < piece.length; at += CHUNK_MAX_BYTES) {
          walker.feed(piece.subarray(at, at + CHUNK_MAX_BYTES));
          if (this.#bytes >= CHUNK_MAX_BYTES) await this.#flush(record);
        }
      }
    } catch (error) {
      // A payload that cannot be inflated or read; a broken connection is for the caller.
      if (error instanceof LogboomError && error.code === 'LB_UPSTREAM') throw error;
      this.#opaque += Math.max(0, record.count - walked);
    }
    await this.#flush(record);
  }

  summary(to: string): Sent {
    const words = [`${countText(this.sent, 'event')} sent to ${to}, all acked`];
    if (this.#metadata_dropped > 0) {
      words.push(`the metadata of ${this.#metadata_dropped} left out (--kind)`);
    }
    if (this.#opaque > 0) {
      words.push(`${countText(this.#opaque, 'event')} not sent: no log events, or not readable`);
    }
    return { not_sent: this.#opaque, text: words.join('; ') };
  }

  /** Keeps copies of the entries that are meant. Returns how many it saw. */
  #gather(record: JournalRecord, buf: Buffer, start: number, end: number): number {
    const levels = entryLevels(LIMITS);
    let seen = 0;
    let next: number;
    for (let at = start; at < end; at = next) {
      next = readEntry(buf, at, end, levels, this.#parts);
      seen += 1;
      if (this.sent + this.#entries.length >= this.#filter.limit) continue;
      if (!this.#parts.valid) this.#opaque += 1;
      else if (takesTime(this.#filter, this.#parts.time, record.committed_ms)) {
        this.#keep(Buffer.from(buf.subarray(at, next)), record.attrs);
      }
    }
    return seen;
  }

  /** fluentd knows no metadata and no group markers. */
  #keep(entry: Buffer, attrs: number): void {
    let kept = entry;
    if (!this.#takes_metadata && (attrs & (ATTR.metadata | ATTR.group_markers)) !== 0) {
      const rewritten = rewriteEntries([entry], { metadata: 'drop', markers: 'drop' });
      this.#metadata_dropped += rewritten.metadata_dropped;
      kept = rewritten.body;
    }
    if (kept.length === 0) return;
    this.#entries.push(kept);
    this.#bytes += kept.length;
  }

  async #flush({ tag }: JournalRecord): Promise<void> {
    if (this.#entries.length === 0) return;
    const entries = this.#entries;
    this.#entries = [];
    this.#bytes = 0;
    await this.#client.room();
    this.#client.send(tag, entries);
    this.sent += entries.length;
  }
}
