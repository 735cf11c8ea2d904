import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Journal } from '../../../src/journal/journal.ts';
import { ForwardOutput } from '../../../src/outputs/forward/forward-output.ts';
import { systemClock } from '../../../src/sys/clock.ts';
import { nodeFs } from '../../../src/sys/fs.ts';
import { DropLedger } from '../../../src/sys/ledger.ts';
import { silentLog } from '../../../src/sys/log.ts';
import { numbered } from '../../support/entries.ts';
import { ForwardSink } from '../../support/forward-sink.ts';
import { addEvents, committed } from '../../support/journal-events.ts';
import { journalSource } from '../../support/journal-source.ts';
import { type TempDir, tempDir } from '../../support/temp-dir.ts';
import { until } from '../../support/wait.ts';
import { optionsFor, range, serverOf } from './output-under-test.ts';

let dir: TempDir;
let sink: ForwardSink;

beforeEach(async () => {
  dir = await tempDir('forward-journal');
  sink = await ForwardSink.listen();
});
afterEach(async () => {
  await sink.stop();
  await dir.remove();
});

const openJournal = (): Promise<Journal> =>
  Journal.open({
    directory: dir.path,
    segment_max_bytes: 64 * 1024,
    tail_max_bytes: 256 * 1024,
    commit_max_bytes: 32 * 1024,
  });

async function startOutput(journal: Journal): Promise<ForwardOutput> {
  const source = await journalSource(journal, 'main');
  const world = { clock: systemClock, log: silentLog, fs: nodeFs, ledger: new DropLedger() };
  const output = new ForwardOutput(
    optionsFor([serverOf(sink)], { window_max_bytes: 64 * 1024, chunk_max_bytes: 64 * 1024 }),
    source,
    world,
  );
  await output.start();
  return output;
}

/** Resolves once the events are durable. */
async function append(journal: Journal, from: number, events: number, tags: number): Promise<void> {
  for (let n = from; n < from + events; n++) {
    addEvents(journal, `t${n % tags}`, numbered(n, 1, 'p'.repeat(100)));
  }
  await committed(journal);
}

const behind = (journal: Journal): number | undefined => journal.cursors()[0]?.events_behind;

describe('a forward output on a real journal', () => {
  it('follows it live, from memory and from disk, and frees its segments', async () => {
    const journal = await openJournal();
    await append(journal, 0, 4000, 5);
    const output = await startOutput(journal);
    for (let i = 0; i < 10; i++) await append(journal, 4000 + i * 100, 100, 5);
    await until('all arrived', () => behind(journal) === 0);
    for (let tag = 0; tag < 5; tag++)
      expect(sink.values('n', `t${tag}`)).toEqual(range(0, 5000).filter((n) => n % 5 === tag));
    expect(sink.violations).toEqual([]);
    expect(output.stats()).toMatchObject({ events_out: 5000, cursor_events: 5000 });
    await until('old segments are gone', () => journal.totals().segments <= 2);
    await output.stop(1000);
    await journal.close();
  });

  it('sends what was in flight again under the same ids, over restarts of the whole', async () => {
    let next = 0;
    for (let run = 0; run < 4; run++) {
      const journal = await openJournal();
      const output = await startOutput(journal);
      const before = sink.chunks.length;
      sink.react = () => (sink.chunks.length % 3 === 0 ? 'hold' : 'ack');
      await append(journal, next, 700, 7);
      next += 700;
      await until('some were sent', () => sink.chunks.length >= before + 7);
      await output.stop(10);
      await journal.close();
    }
    sink.react = () => 'ack';
    const journal = await openJournal();
    const output = await startOutput(journal);
    await until('all arrived', () => behind(journal) === 0);
    await output.stop(1000);
    await journal.close();
    expect(sink.violations).toEqual([]);
    expect(sink.chunks.length).toBeGreaterThan(sink.taken.length);
    // The sink drops what it holds: every event exactly once, in order.
    for (let tag = 0; tag < 7; tag++)
      expect(sink.values('n', `t${tag}`)).toEqual(range(0, next).filter((n) => n % 7 === tag));
  });
});
