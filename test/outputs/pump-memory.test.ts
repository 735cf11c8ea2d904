import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Journal } from '../../src/journal/journal.ts';
import type { Pump } from '../../src/outputs/pump.ts';
import { NO_ADDITIONS } from '../../src/outputs/render.ts';
import { stdoutOutput } from '../../src/outputs/stdout.ts';
import { systemClock } from '../../src/sys/clock.ts';
import { silentLog } from '../../src/sys/log.ts';
import { entry } from '../support/entries.ts';
import { addEvents, committed } from '../support/journal-events.ts';
import { journalSource } from '../support/journal-source.ts';
import { ReusedMemory } from '../support/reused-memory.ts';
import { type TempDir, tempDir } from '../support/temp-dir.ts';
import { until } from '../support/wait.ts';

let dir: TempDir;
let memory: ReusedMemory;
let journal: Journal;
let pump: Pump;

beforeEach(async () => {
  dir = await tempDir('pump-memory');
  memory = new ReusedMemory();
  journal = await Journal.open({
    directory: dir.path,
    sync: 'os',
    tail_max_bytes: 256 * 1024,
    recycled: memory.recycled,
  });
});
afterEach(async () => {
  await pump.stop(1000);
  await journal.close();
  await dir.remove();
});

const EVENTS = 100;

const textOf = (n: number): string => `${n},`.repeat(2000).slice(0, 2000);

async function commit(number: number): Promise<void> {
  for (let n = number * EVENTS; n < (number + 1) * EVENTS; n++) {
    addEvents(journal, 'app', entry({ n, text: textOf(n) }));
  }
  await committed(journal);
}

interface Line {
  readonly record: { readonly n: number; readonly text: string };
}

/** A stream that takes its time. */
class SlowStream extends Writable {
  readonly lines: string[] = [];
  #writes = 0;

  override _write(text: Buffer, _: string, done: () => void): void {
    this.lines.push(...text.toString().trimEnd().split('\n'));
    systemClock.after(this.#writes++ % 5, done);
  }
}

describe('an output that reads a stretch at a time from a journal that uses memory again', () => {
  it('renders every event as it was, while the journal goes on', async () => {
    const stream = new SlowStream();
    pump = stdoutOutput(
      { ...NO_ADDITIONS, name: 'out', format: 'ndjson' },
      await journalSource(journal, 'out'),
      stream,
      { clock: systemClock, log: silentLog },
    );
    await pump.start();
    const behind = (): number => journal.cursors()[0]?.events_behind ?? Number.NaN;
    for (let number = 0; number < 60; number++) {
      await commit(number);
      if (number % 4 === 3) await until('the output follows', () => behind() === 0);
    }
    await until('all is written', () => behind() === 0);
    const found = stream.lines.map((line) => (JSON.parse(line) as Line).record);
    expect(found.map(({ n }) => n)).toEqual(Array.from({ length: 60 * EVENTS }, (_, n) => n));
    for (const { n, text } of found) expect(text === textOf(n), `event ${n}`).toBe(true);
    expect(memory.times).toBeGreaterThan(30);
    expect(memory.different).toBeLessThan(50);
  });
});
