import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeJoined } from '../../../src/outputs/joining/join-state.ts';
import { systemClock } from '../../../src/sys/clock.ts';
import { dockerFragments, fragment, shortLine } from '../../support/fragments.ts';
import { until } from '../../support/wait.ts';
import { Rig } from './output-under-test.ts';

const PATIENT = { max_bytes: 1024 * 1024, timeout_ms: 600_000 };
const HASTY = { max_bytes: 1024 * 1024, timeout_ms: 50 };

/** The records of the test journal were committed just now. */
const NOW = { clock: { ...systemClock, now_ms: () => 1_700_000_000_000 } };

let rig: Rig;

beforeEach(() => {
  rig = new Rig();
});

afterEach(() => rig.dispose());

/** One record per entry. */
function append(...entries: readonly Buffer[]): void {
  for (const body of entries) rig.journal.append({ body });
}

describe('a forward output that joins', () => {
  it.each([
    ['40,000', 40_000],
    ['16,384', 16_384],
  ])('sends a line of %s bytes as one event', async (_size, bytes) => {
    const sink = await rig.sink();
    const output = await rig.output([sink], { join_partial: PATIENT }, NOW);
    const text = 'x'.repeat(bytes);
    append(shortLine('before'), ...dockerFragments({ id: 'a' }, text), shortLine('after'));
    await output.drained();
    expect(sink.values('log')).toEqual(['before', text, 'after']);
    expect(sink.values('partial_message')).toEqual([undefined, undefined, undefined]);
    expect(output.output.stats()).toMatchObject({
      events_out: 3,
      cursor_seq: rig.journal.records.length + 1,
      details: { lines_joined: 1, lines_held: 0 },
    });
  });

  it('joins lines of stdout and stderr and of many containers that come mixed', async () => {
    const sink = await rig.sink();
    const output = await rig.output([sink], { join_partial: PATIENT }, NOW);
    const lines = Array.from({ length: 20 }, (_, i) =>
      dockerFragments(
        { id: `${i}`, container: `c${i % 5}`, source: i % 2 ? 'stdout' : 'stderr' },
        `${i}`.padEnd(30_000, '.'),
      ),
    );
    for (const ordinal of [0, 1]) append(...lines.map((fragments) => fragments[ordinal] as Buffer));
    await output.drained();
    expect(
      sink.values('log').map((log) => [String(log).length, Number.parseInt(String(log), 10)]),
    ).toEqual(lines.map((_, i) => [30_000, i]));
  });

  it('sends on what stands behind a fragment, and keeps the cursor before it', async () => {
    const sink = await rig.sink();
    const { journal } = rig;
    const output = await rig.output([sink], { join_partial: PATIENT }, NOW);
    append(shortLine('1'), fragment({ id: 'a' }, 1, 'a', false), shortLine('2'));
    await until(
      'the others are done',
      () => journal.saved.seq === 2 && output.output.stats().events_out === 2,
    );
    expect(sink.values('log')).toEqual(['1', '2']);
    append(fragment({ id: 'a' }, 2, 'b', true));
    await output.drained();
    expect(sink.values('log')).toEqual(['1', '2', 'ab']);
  });

  it('sends a tail that never ends when its time is over, though nothing follows', async () => {
    const sink = await rig.sink();
    const output = await rig.output([sink], { join_partial: HASTY }, NOW);
    append(fragment({ id: 'a' }, 1, 'no newline', false));
    await output.drained();
    expect(sink.values('log')).toEqual(['no newline']);
    expect(sink.values('partial_last')).toEqual(['false']);
    expect(output.output.stats().details).toMatchObject({ lines_timed_out: 1, lines_held: 0 });
    append(shortLine('the next run'));
    await output.drained();
    expect(sink.values('log')).toEqual(['no newline', 'the next run']);
  });

  it('takes a backlog for what it is: no fragment times out while the next can be read', async () => {
    const sink = await rig.sink();
    append(...dockerFragments({ id: 'a' }, 'x'.repeat(100_000)));
    const output = await rig.output([sink], { join_partial: HASTY, window_max_bytes: 20_000 });
    await output.drained();
    expect(sink.values('log')).toEqual(['x'.repeat(100_000)]);
  });

  it('leaves fragments as they are unless it is asked to join them', async () => {
    const sink = await rig.sink();
    const output = await rig.output([sink]);
    append(...dockerFragments({ id: 'a' }, 'x'.repeat(40_000)));
    await output.drained();
    expect(sink.values('partial_ordinal')).toEqual(['1', '2', '3']);
    expect(decodeJoined(rig.journal.saved.window)).toBeUndefined();
  });
});

describe('after a crash', () => {
  it('a line is joined of fragments from before and after it, and others are not sent again', async () => {
    const sink = await rig.sink();
    const { journal } = rig;
    const output = await rig.output([sink], { join_partial: PATIENT }, NOW);
    append(
      shortLine('1'),
      fragment({ id: 'a' }, 1, 'a', false),
      shortLine('2'),
      fragment({ id: 'a' }, 2, 'b', false),
    );
    await until('the others are done', () => output.output.stats().events_out === 2);
    await until(
      'and it is saved',
      () => (decodeJoined(journal.saved.window)?.state.boundary ?? 0) > 2 * 4096,
    );
    await output.crash();
    append(fragment({ id: 'a' }, 3, 'c', true));
    await output.again();
    await output.drained();
    expect(sink.values('log')).toEqual(['1', '2', 'abc']);
    expect(sink.chunks).toHaveLength(sink.taken.length);
  });

  it('joined lines in flight are sent again as the same chunks, byte for byte', async () => {
    const sink = await rig.sink();
    sink.react = () => 'hold';
    const output = await rig.output(
      [sink],
      { join_partial: PATIENT, chunk_max_bytes: 60_000 },
      NOW,
    );
    const lines = Array.from({ length: 8 }, (_, i) =>
      dockerFragments(
        { id: `${i}`, source: i % 2 ? 'stdout' : 'stderr' },
        `${i}`.padEnd(40_000, '.'),
      ),
    );
    for (let i = 0; i < lines.length; i += 2) {
      const [a = [], b = []] = lines.slice(i, i + 2);
      append(
        ...a.slice(0, 2),
        ...b.slice(0, 1),
        shortLine(`between ${i}`),
        ...a.slice(2),
        ...b.slice(1),
      );
    }
    append(fragment({ id: 'open' }, 1, 'begun', false));
    await until('all were sent', () => sink.events === 12);
    const ids = [...sink.ids];
    await output.crash();
    sink.react = () => 'ack';
    append(fragment({ id: 'open' }, 2, ' and ended', true));
    // Whatever the configuration says by then.
    await output.again({ join_partial: { max_bytes: 70_000, timeout_ms: 1_000_000 } });
    await output.drained();
    expect(sink.violations).toEqual([]);
    expect(sink.ids.slice(0, ids.length)).toEqual(ids);
    expect(new Set(sink.ids)).toEqual(new Set(sink.taken.map(({ id }) => id)));
    expect(sink.values('log').map(String).toSorted()).toEqual(
      [
        ...lines.map((_, i) => `${i}`.padEnd(40_000, '.')),
        ...[0, 2, 4, 6].map((i) => `between ${i}`),
        'begun and ended',
      ].toSorted(),
    );
  });

  it('a line that had timed out is sent again as it was, though its rest has come', async () => {
    const sink = await rig.sink();
    sink.react = () => 'hold';
    const output = await rig.output([sink], { join_partial: HASTY }, NOW);
    append(fragment({ id: 'a' }, 1, 'a', false));
    await until('it timed out', () => sink.chunks.length === 1);
    await output.crash();
    append(fragment({ id: 'a' }, 2, 'b', true));
    sink.react = () => 'ack';
    await output.again();
    await output.drained();
    expect(sink.values('log')).toEqual(['a', 'b']);
    expect(sink.chunks).toHaveLength(3);
    expect(sink.violations).toEqual([]);
  });

  it('at any save, what was not acked comes again and nothing else is lost or doubled', async () => {
    for (let crash_at = 1; crash_at <= 12; crash_at++) {
      const fresh = new Rig();
      try {
        const sink = await fresh.sink();
        const { journal } = fresh;
        let saves = 0;
        const output = await fresh.output(
          [sink],
          { join_partial: PATIENT, chunk_max_bytes: 40_000, window_max_bytes: 40_000 },
          NOW,
        );
        journal.beforeSave = () => {
          if (++saves >= crash_at) throw new Error('the process is dead');
        };
        const expected: string[] = [];
        for (let i = 0; i < 10; i++) {
          const text = `${i}`.padEnd(20_000, '.');
          const [first, last] = dockerFragments({ id: `${i}` }, text) as [Buffer, Buffer];
          for (const body of [first, shortLine(`s${i}`), last]) journal.append({ body });
          expected.push(`s${i}`, text);
        }
        await until('it is dead, or done', () => saves >= crash_at || journal.drained, {
          interval_ms: 1,
        });
        await output.crash();
        await output.again();
        await output.drained();
        expect(sink.violations).toEqual([]);
        expect(sink.values('log')).toEqual(expected);
      } finally {
        await fresh.dispose();
      }
    }
  });
});

describe('when the option changes', () => {
  it('to on, what was recorded is sent as it was planned, and joining begins behind it', async () => {
    const sink = await rig.sink();
    sink.react = () => 'hold';
    const output = await rig.output([sink], {}, NOW);
    append(fragment({ id: 'a' }, 1, 'a', false), fragment({ id: 'a' }, 2, 'b', true));
    await until('sent', () => sink.events === 2);
    const ids = [...sink.ids];
    await output.crash();
    sink.react = () => 'ack';
    append(fragment({ id: 'b' }, 1, 'c', false), fragment({ id: 'b' }, 2, 'd', true));
    await output.again({ join_partial: PATIENT });
    await output.drained();
    expect(sink.values('log')).toEqual(['a', 'b', 'cd']);
    expect(sink.taken.slice(0, ids.length).map(({ id }) => id)).toEqual(ids);
    expect(sink.violations).toEqual([]);
  });

  it('to off, what is held goes out, and later fragments stay as they are', async () => {
    const sink = await rig.sink();
    const output = await rig.output([sink], { join_partial: PATIENT }, NOW);
    append(
      fragment({ id: 'a' }, 1, 'a', false),
      fragment({ id: 'a' }, 2, 'b', false),
      shortLine('1'),
    );
    await until('sent', () => sink.events === 1);
    await output.output.stop(1000);
    await output.again({ join_partial: undefined });
    await output.drained();
    append(fragment({ id: 'a' }, 3, 'c', true));
    await output.drained();
    expect(sink.values('log')).toEqual(['1', 'ab', 'c']);
  });
});

describe('when the journal moves the cursor', () => {
  it('past a fragment, its line goes out whole, and the cursor is free', async () => {
    const sink = await rig.sink();
    const { journal } = rig;
    const output = await rig.output([sink], { join_partial: PATIENT }, NOW);
    append(fragment({ id: 'a' }, 1, 'a', false), shortLine('1'));
    await until('sent', () => sink.events === 1);
    journal.moveCursor(3);
    append(shortLine('2'));
    await until('sent', () => sink.events === 2);
    await until('the cursor follows', () => journal.saved.seq === 4);
    append(fragment({ id: 'a' }, 2, 'b', true));
    await output.drained();
    expect(sink.values('log')).toEqual(['1', '2', 'ab']);
  });

  it('and a crash follows, the rest of the line goes out', async () => {
    const sink = await rig.sink();
    const { journal } = rig;
    const output = await rig.output([sink], { join_partial: PATIENT }, NOW);
    append(fragment({ id: 'a' }, 1, 'a', false), shortLine('1'));
    await until('sent', () => sink.events === 1);
    journal.moveCursor(3);
    await output.crash();
    append(fragment({ id: 'a' }, 2, 'b', true));
    await output.again();
    await output.drained();
    expect(sink.values('log')).toEqual(['1', 'b']);
  });
});

it('the clock of the journal, not of the wall, ends lines while there is something to read', async () => {
  const sink = await rig.sink();
  const clock = { ...systemClock, now_ms: () => 4e12 };
  const output = await rig.output([sink], { join_partial: PATIENT }, { clock });
  append(fragment({ id: 'a' }, 1, 'a', false));
  append(shortLine('1'));
  append(fragment({ id: 'a' }, 2, 'b', true));
  await output.drained();
  expect(sink.values('log')).toEqual(['1', 'ab']);
});
