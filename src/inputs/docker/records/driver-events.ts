import type { JournalWriter } from '../../../journal/types.ts';
import type { LogLine } from '../../logfile/types.ts';
import type { Identity } from '../types.ts';
import { DriverWriter } from './driver-writer.ts';
import { type JoinRule, PartialTracker } from './partials.ts';
import { TextCopier } from './text-copier.ts';

/** No line is of it. */
const NO_SECOND = -1;

/** Whose lines they are; the same object as long as nothing changes. */
export interface LineIdentity {
  /** Of the log as it is now. */
  readonly identity: () => Identity;
  /**
   * Of a line of that time, asked in the order of the log; undefined: all are as it is now. The
   * lines of one second that are read in one go are of one identity.
   */
  readonly identityAt?: (time_s: number) => Identity;
}

/** The lines of one log on their way into the journal, as the fluentd driver would have sent them. */
export class DriverEvents {
  readonly partials: PartialTracker;
  readonly #whose: LineIdentity;
  readonly #writer: DriverWriter;
  /** Of the last line, whose identity the writer carries. */
  #second_s = NO_SECOND;

  constructor(journal: JournalWriter, whose: LineIdentity, rule: JoinRule) {
    this.#whose = whose;
    const identity = whose.identity();
    this.#writer = new DriverWriter(journal, identity, new TextCopier());
    this.partials = new PartialTracker(identity.container_id, rule);
  }

  /** Looks whether the identity is another one by now. */
  refresh(): void {
    this.#writer.carry(this.#whose.identity());
    this.#second_s = NO_SECOND;
  }

  /** @param offset where the entry begins in its log; tells lines of the same time apart */
  write(line: LogLine, offset: number): void {
    if (line.time_s !== this.#second_s) this.#carryAt(line.time_s);
    this.partials.complete(line, offset);
    this.#writer.write(line);
  }

  /** After all lines that were read in one go: what holds for them may not hold for the next. */
  rest(): void {
    this.#second_s = NO_SECOND;
    this.#writer.rest();
  }

  #carryAt(time_s: number): void {
    const { identityAt } = this.#whose;
    if (identityAt !== undefined) this.#writer.carry(identityAt(time_s));
    this.#second_s = time_s;
  }
}
