import { join } from 'node:path';
import { Journal } from '../../src/journal/journal.ts';
import type { Micro } from './measure.ts';

const EVENTS = 20_000;
const EVENT_BYTES = 230;
const READ_BYTES = 1024 * 1024;

/** As the Forward input does it: one open record a tag, copied into event by event. */
function append(journal: Journal, tags: readonly Buffer[], event: Buffer): void {
  for (let i = 0; i < EVENTS; i += 1) {
    const tag = tags[i % tags.length] ?? event;
    const builder = journal.builder(tag, 0, tag.length, 0, 0);
    const at = builder.reserve(event.length);
    builder.buffer.set(event, at);
    builder.note(1, 1, 1);
  }
}

function durable(journal: Journal): Promise<void> {
  return new Promise((resolve, reject) => {
    journal.onCommit((error) => (error === undefined ? resolve() : reject(error)));
    journal.hurry();
  });
}

function appending(name: string, tags_count: number): Micro {
  return {
    name: `journal, ${name}: an event of ${EVENT_BYTES} B, written, without fsync`,
    async begin(directory) {
      const journal = await Journal.open({ directory: join(directory, 'journal'), sync: 'os' });
      const tags = Array.from({ length: tags_count }, (_, index) => Buffer.from(`app.${index}`));
      const event = Buffer.alloc(EVENT_BYTES, 'x');
      const work = async (): Promise<void> => {
        append(journal, tags, event);
        await durable(journal);
      };
      return { ops_count: EVENTS, work, end: () => journal.close() };
    },
  };
}

const reading: Micro = {
  name: `journal, read from disk: an event of ${EVENT_BYTES} B`,
  async begin(directory) {
    const options = {
      directory: join(directory, 'journal'),
      sync: 'os',
      tail_max_bytes: 0,
    } as const;
    const journal = await Journal.open(options);
    // What no cursor holds is not kept.
    await journal.cursor('bench', { start: 'oldest' });
    append(journal, [Buffer.from('app.0')], Buffer.alloc(EVENT_BYTES, 'x'));
    await durable(journal);
    const { signal } = new AbortController();
    const work = async (): Promise<void> => {
      const reader = journal.reader(1);
      try {
        while (reader.next_seq <= journal.durable_seq) await reader.read(READ_BYTES, signal);
      } finally {
        reader.close();
      }
    };
    return { ops_count: EVENTS, work, end: () => journal.close() };
  },
};

export const JOURNAL: readonly Micro[] = [
  appending('chunk builder and append', 1),
  appending('chunk builder and append, 1,000 tags', 1000),
  reading,
];
