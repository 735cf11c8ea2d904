/**
 * A process that appends to a journal until it is killed, and says what it was
 * promised: `acked ID` once all events up to ID are durable, `cursor SEQ` once a
 * cursor is saved there. Run as `node --import tsx journal-crasher.ts DIRECTORY`.
 */
import { Journal } from '../../src/journal/journal.ts';
import type { StateSpace } from '../../src/journal/types.ts';
import { appendEvents } from './journal-events.ts';
import { writeAll } from './write-all.ts';

export const LAST_ID_SPACE = 1;

/** Remembers the newest event id that is in the journal. */
export class LastId implements StateSpace {
  id = 0;
  snapshot(): Buffer {
    return Buffer.from(String(this.id));
  }
  restore(snapshot: Buffer | undefined): void {
    this.id = Number(snapshot?.toString() ?? 0);
  }
  apply(entry: Buffer): void {
    const id = Number(entry.toString());
    if (id !== this.id + 1) throw new Error(`event ${id} after ${this.id}`);
    this.id = id;
  }
}

/** A synchronous write to a pipe: what was said survives the kill. */
const say = (line: string): void => {
  writeAll(1, `${line}\n`);
};

async function run(directory: string): Promise<void> {
  const last = new LastId();
  const journal = await Journal.open({
    directory,
    spaces: new Map([[LAST_ID_SPACE, last]]),
    segment_max_bytes: 40_000,
  });
  const cursor = await journal.cursor('out', { start: 'oldest' });
  say(`open ${last.id}`);
  let id = last.id;
  for (let round = 0; ; round++) {
    for (let count = 0; count < 1 + (round % 7); count++) {
      id++;
      appendEvents(journal, `tag${id % 5}`, [id], { filler_bytes: (id * 31) % 3000 });
      journal.note(LAST_ID_SPACE, Buffer.from(String(id)));
    }
    const promised = id;
    journal.onCommit((error) => {
      if (error === undefined) say(`acked ${promised}`);
    });
    journal.hurry();
    if (round % 4 === 0) await new Promise(setImmediate);
    if (round % 10 === 0) {
      const seq = Math.max(cursor.seq, journal.durable_seq - 20);
      await cursor.save(seq, Buffer.alloc(round % 5000, 1));
      say(`cursor ${seq}`);
    }
    if (!journal.writable) {
      await new Promise<void>((resume) => {
        journal.onceWritable(resume);
      });
    }
  }
}

// Imported by the test for its state space, run by it as a process.
const directory = process.argv[2];
if (directory !== undefined && process.argv[1]?.includes('journal-crasher') === true) {
  await run(directory);
}
