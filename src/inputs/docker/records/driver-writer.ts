import type { JournalWriter, RecordBuilder } from '../../../journal/types.ts';
import { CODEC } from '../../../protocol/codec.ts';
import type { LogLine } from '../../logfile/types.ts';
import type { Identity } from '../types.ts';
import { DriverRecord } from './driver-record.ts';
import type { TextCopier } from './text-copier.ts';

/** Journals the lines of one container as the fluentd driver would have sent them. */
export class DriverWriter {
  readonly #journal: JournalWriter;
  readonly #copier: TextCopier;
  #identity: Identity;
  #record: DriverRecord;
  #tag: Buffer;
  /** Of the last line: the next one's too, as long as its commit is filling. */
  #builder: RecordBuilder | undefined;

  constructor(journal: JournalWriter, identity: Identity, copier: TextCopier) {
    this.#journal = journal;
    this.#copier = copier;
    this.#identity = identity;
    this.#record = new DriverRecord(identity, copier);
    this.#tag = Buffer.from(identity.tag);
  }

  /** What lines carry from now on; cheap for the one that they carry already. */
  carry(identity: Identity): void {
    if (identity === this.#identity) return;
    this.#identity = identity;
    this.#record = new DriverRecord(identity, this.#copier);
    this.#tag = Buffer.from(identity.tag);
    this.#builder = undefined;
  }

  write(line: LogLine): void {
    this.#record.write(line, this.#openRecord());
  }

  /** Lines that come later are of another stretch; until then others may use the journal. */
  rest(): void {
    this.#builder = undefined;
    this.#copier.release();
  }

  #openRecord(): RecordBuilder {
    const open = this.#builder;
    if (open !== undefined && open.commit === this.#journal.filling) return open;
    const tag = this.#tag;
    this.#builder = this.#journal.builder(tag, 0, tag.length, CODEC.none, 0);
    return this.#builder;
  }
}
