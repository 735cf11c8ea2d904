import type { JournalWriter } from '../../../journal/types.ts';
import { CODEC } from '../../../protocol/codec.ts';
import type { LogLine } from '../../logfile/types.ts';
import type { Identity } from '../types.ts';
import { DriverRecord } from './driver-record.ts';

/** Journals the lines of one container as the fluentd driver would have sent them. */
export class DriverWriter {
  readonly #journal: JournalWriter;
  #identity: Identity;
  #record: DriverRecord;
  #tag: Buffer;

  constructor(journal: JournalWriter, identity: Identity) {
    this.#journal = journal;
    this.#identity = identity;
    this.#record = new DriverRecord(identity);
    this.#tag = Buffer.from(identity.tag);
  }

  /** What lines carry from now on; cheap for the one that they carry already. */
  carry(identity: Identity): void {
    if (identity === this.#identity) return;
    this.#identity = identity;
    this.#record = new DriverRecord(identity);
    this.#tag = Buffer.from(identity.tag);
  }

  write(line: LogLine): void {
    const tag = this.#tag;
    this.#record.write(line, this.#journal.builder(tag, 0, tag.length, CODEC.none, 0));
  }
}
