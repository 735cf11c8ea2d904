import type { JournalWriter } from '../../../journal/types.ts';
import { CODEC } from '../../../protocol/codec.ts';
import type { LogLine } from '../../logfile/types.ts';
import type { Identity } from '../types.ts';
import { DriverRecord } from './driver-record.ts';
import { type JoinRule, PartialTracker } from './partials.ts';

/** The lines of one log on their way into the journal, as the fluentd driver would have sent them. */
export class DriverEvents {
  readonly partials: PartialTracker;
  readonly #journal: JournalWriter;
  readonly #identityNow: () => Identity;
  #identity: Identity;
  #record: DriverRecord;
  #tag: Buffer;

  /** @param identityNow as lines go out from now on; the same object as long as nothing changes */
  constructor(journal: JournalWriter, identityNow: () => Identity, rule: JoinRule) {
    this.#journal = journal;
    this.#identityNow = identityNow;
    this.#identity = identityNow();
    this.#record = new DriverRecord(this.#identity);
    this.#tag = Buffer.from(this.#identity.tag);
    this.partials = new PartialTracker(this.#identity.container_id, rule);
  }

  /** Looks whether the identity is another one by now. */
  refresh(): void {
    const identity = this.#identityNow();
    if (identity === this.#identity) return;
    this.#identity = identity;
    this.#record = new DriverRecord(identity);
    this.#tag = Buffer.from(identity.tag);
  }

  /** @param offset where the entry begins in its log; tells lines of the same time apart */
  write(line: LogLine, offset: number): void {
    const tag = this.#tag;
    this.partials.complete(line, offset);
    this.#record.write(line, this.#journal.builder(tag, 0, tag.length, CODEC.none, 0));
  }
}
