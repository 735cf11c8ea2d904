import type { JournalRecord } from '../../journal/types.ts';
import type { EventFormat, Opaque } from '../../outputs/render.ts';
import type { EntryParts } from '../../protocol/entries.ts';
import { type EventFilter, takesTime } from './event-filter.ts';

/** Renders the events that a filter means, and nothing for the others. */
export class SelectedFormat implements EventFormat {
  readonly #filter: EventFilter;
  readonly #format: EventFormat;
  #committed_ms = 0;
  /** Events rendered so far. */
  count = 0;

  constructor(filter: EventFilter, format: EventFormat) {
    this.#filter = filter;
    this.#format = format;
  }

  /** As many as the filter allows. */
  get isDone(): boolean {
    return this.count >= this.#filter.limit;
  }

  /** The events that come next are of this record. */
  begin({ committed_ms }: JournalRecord): void {
    this.#committed_ms = committed_ms;
  }

  event(tag: Buffer, buf: Buffer, parts: EntryParts): string {
    if (this.isDone || !takesTime(this.#filter, parts.time, this.#committed_ms)) return '';
    this.count += 1;
    return this.#format.event(tag, buf, parts);
  }

  /** What is no event has no time of its own, and is shown with its record. */
  opaque(tag: Buffer, opaque: Opaque): string {
    if (this.isDone) return '';
    this.count += 1;
    return this.#format.opaque(tag, opaque);
  }
}
