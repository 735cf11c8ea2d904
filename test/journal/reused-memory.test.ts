import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Journal } from '../../src/journal/journal.ts';
import type { JournalOptions } from '../../src/journal/options.ts';
import type { JournalReader, JournalRecord } from '../../src/journal/types.ts';
import { type FileSystem, nodeFs } from '../../src/sys/fs.ts';
import { addEvents, committed } from '../support/journal-events.ts';
import { ReusedMemory } from '../support/reused-memory.ts';
import { type TempDir, tempDir } from '../support/temp-dir.ts';

let dir: TempDir;
let memory: ReusedMemory;
let journal: Journal;

beforeEach(async () => {
  dir = await tempDir('reused-memory');
  memory = new ReusedMemory();
});
afterEach(async () => {
  await journal.close();
  await dir.remove();
});

const KiB = 1024;

async function open(options: Partial<JournalOptions> = {}): Promise<void> {
  journal = await Journal.open({
    directory: dir.path,
    sync: 'os',
    tail_max_bytes: 1024 * KiB,
    recycled: memory.recycled,
    ...options,
  });
}

interface Shape {
  readonly tags: number;
  readonly events: number;
  readonly event_bytes: number;
}

/** What commits are made of decides where their bytes lie: in the slabs they came in, or copied. */
const SHAPES: Readonly<Record<string, Shape>> = {
  'one busy tag': { tags: 1, events: 1000, event_bytes: 200 },
  'many tags with a little each': { tags: 300, events: 900, event_bytes: 150 },
  'events larger than a slab': { tags: 2, events: 2, event_bytes: 300 * KiB },
  'a large event between small ones': { tags: 40, events: 41, event_bytes: 6 * KiB },
};

/** Bytes that only this event of this commit has, so that memory of another one shows. */
function eventOf(commit: number, index: number, bytes: number): Buffer {
  const event = Buffer.alloc(bytes, `${commit}.${index};`);
  event.writeUInt32LE(bytes, 0);
  return event;
}

async function commit(number: number, { tags, events, event_bytes }: Shape): Promise<void> {
  for (let index = 0; index < events; index++) {
    addEvents(journal, `t${index % tags}`, eventOf(number, index, event_bytes));
  }
  await committed(journal);
}

const signal = (): AbortSignal => AbortSignal.timeout(60_000);

/** Compares what a reader was given with what was appended, as late as the reader likes. */
class Checker {
  readonly reader: JournalReader;
  readonly #shape: Shape;
  readonly #next_by_tag = new Map<string, number>();
  held: JournalRecord[] = [];
  checked_events = 0;

  constructor(shape: Shape) {
    this.reader = journal.reader(1);
    this.#shape = shape;
  }

  async read(max_bytes: number): Promise<void> {
    this.held.push(...(await this.reader.read(max_bytes, signal())));
  }

  /** Looks at the oldest records and gives them back. */
  check(records: number): void {
    for (const record of this.held.splice(0, records)) this.#check(record);
    this.reader.release(this.held[0]?.seq ?? this.reader.next_seq);
  }

  #check(record: JournalRecord): void {
    const { tags, events, event_bytes } = this.#shape;
    const tag = record.tag.toString();
    const body = Buffer.concat(record.body);
    const per_commit = Math.ceil((events - Number(tag.slice(1))) / tags);
    let nth = this.#next_by_tag.get(tag) ?? 0;
    for (let at = 0; at < body.length; at += event_bytes, nth++) {
      const index = (nth % per_commit) * tags + Number(tag.slice(1));
      const expected = eventOf(Math.floor(nth / per_commit), index, event_bytes);
      const found = body.subarray(at, at + event_bytes);
      if (!found.equals(expected)) throw new Error(`event ${nth} of ${tag} has other bytes`);
      this.checked_events++;
    }
    this.#next_by_tag.set(tag, nth);
  }
}

describe('a journal that uses memory again', () => {
  for (const [name, shape] of Object.entries(SHAPES)) {
    it(`gives two readers of different speed every byte: ${name}`, async () => {
      await open();
      const fast = new Checker(shape);
      const slow = new Checker(shape);
      const commits = 60;
      for (let number = 0; number < commits; number++) {
        await commit(number, shape);
        await fast.read(256 * KiB);
        fast.check(number % 3);
        // The slow one holds what it read while commits go by, falls out of memory and comes back.
        if (number % 8 < 3) await slow.read(128 * KiB);
        if (number % 11 === 10) slow.check(slow.held.length >> 1);
      }
      for (const checker of [fast, slow]) {
        while (checker.reader.has_more) await checker.read(1024 * KiB);
        checker.check(checker.held.length);
        expect(checker.checked_events).toBe(commits * shape.events);
      }
      expect(memory.times).toBeGreaterThan(0);
    });

    it(`takes no new memory when its readers keep up: ${name}`, async () => {
      await open();
      const readers = [new Checker(shape), new Checker(shape)];
      const follow = async (from: number, commits: number): Promise<void> => {
        for (let number = from; number < from + commits; number++) {
          await commit(number, shape);
          for (const checker of readers) {
            while (checker.reader.has_more) await checker.read(1024 * KiB);
            checker.check(checker.held.length);
          }
        }
      };
      await follow(0, 40);
      const { different, times } = memory;
      expect(times).toBeGreaterThan(different);
      await follow(40, 40);
      expect(memory.times).toBeGreaterThanOrEqual(times + 40);
      expect(memory.different).toBe(different);
    });
  }

  it('never touches what was kept, or given to a reader that is closed or releases nothing', async () => {
    const shape = { tags: 1, events: 1000, event_bytes: 200 };
    await open();
    const [keeps, closes, silent] = [new Checker(shape), new Checker(shape), journal.reader(1)];
    await commit(0, shape);
    const read = await silent.read(1024 * KiB, signal());
    for (const checker of [keeps, closes]) await checker.read(1024 * KiB);
    keeps.reader.keep();
    keeps.reader.release(keeps.reader.next_seq);
    closes.reader.release(1);
    closes.reader.close();
    for (let number = 1; number < 40; number++) await commit(number, shape);
    keeps.check(1);
    closes.check(1);
    expect(
      Buffer.concat(read[0]?.body ?? []).equals(
        Buffer.concat(Array.from({ length: 1000 }, (_, index) => eventOf(0, index, 200))),
      ),
    ).toBe(true);
    expect(memory.times).toBeGreaterThan(0);
  });

  it('gives nothing to a reader that is closed while it comes back into memory', async () => {
    const shape = { tags: 1, events: 1000, event_bytes: 200 };
    let closing: () => void = () => {};
    const fs: FileSystem = Object.create(nodeFs, {
      open: {
        value: async (...args: Parameters<FileSystem['open']>) => {
          const file = await nodeFs.open(...args);
          if (args[1] !== 'read') return file;
          return Object.create(file, {
            read: { value: file.read.bind(file) },
            stat: { value: file.stat.bind(file) },
            close: {
              value: () => {
                closing();
                return file.close();
              },
            },
          });
        },
      },
    }) as FileSystem;
    await open({ fs, read_chunk_bytes: 4096 });
    for (let number = 0; number < 20; number++) await commit(number, shape);
    const reader = journal.reader(1);
    const seqs: number[] = [];
    const before: number[] = [];
    closing = () => {
      reader.close();
      before.push(...seqs);
      closing = () => {};
    };
    const readOn = async (): Promise<void> => {
      for (;;) for (const { seq } of await reader.read(1, signal())) seqs.push(seq);
    };
    await expect(readOn()).rejects.toMatchObject({ code: 'LB_JOURNAL_CLOSED' });
    expect(before.length).toBeGreaterThan(0);
    expect(seqs).toEqual(before);
  });
});
