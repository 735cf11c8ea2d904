import type { Journal } from '../../src/journal/journal.ts';
import type { OutputSource } from '../../src/outputs/output.ts';

/** What a real journal gives to the output of this name, whose cursor is made if there is none: all of it. */
export async function journalSource(journal: Journal, name: string): Promise<OutputSource> {
  const cursor = await journal.cursor(name, { start: 'oldest' });
  return {
    reader: journal.reader(cursor.seq, name),
    cursor,
    journal_id: journal.id,
    epoch: journal.epoch,
    matches: () => true,
  };
}
