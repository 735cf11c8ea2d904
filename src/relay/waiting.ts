import type { Journal } from '../journal/journal.ts';

export interface Waiting {
  /** Events between each output's place and the end of the journal. */
  readonly by_output: Readonly<Record<string, number>>;
  readonly any: boolean;
}

/** What the journal still has to give to its outputs. */
export function waitingEvents(journal: Journal): Waiting {
  const places = journal.cursors().map(({ name, events_behind }) => [name, events_behind] as const);
  return { by_output: Object.fromEntries(places), any: places.some(([, events]) => events > 0) };
}
