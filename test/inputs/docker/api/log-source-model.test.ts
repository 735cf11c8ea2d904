import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type FakeContainer,
  FakeEngine,
  type FakeEntry,
  type SinceRule,
} from '../../../support/fake-engine.ts';
import { until } from '../../../support/wait.ts';
import { LogSourceRig } from './log-source-rig.ts';

/**
 * The model: what was committed is the container's log, line by line, whatever happened on
 * the way. Times are coarse and lines few, so that nearly all entries are equal to others;
 * sources are apart by up to a minute, which both kinds of Engine must survive, and the clock
 * steps back by hours, which only the newer kind shows everything after.
 */
const T0_S = 1_795_414_000;

type Step =
  | { readonly do: 'write'; readonly entries: readonly Written[] }
  /** The answer breaks off after so many more bytes. */
  | { readonly do: 'cut'; readonly bytes: number }
  | { readonly do: 'break' }
  | { readonly do: 'crash' }
  | { readonly do: 'end' }
  | { readonly do: 'begin' }
  | { readonly do: 'step the clock'; readonly by_s: number };

interface Written {
  readonly stream: 'stdout' | 'stderr';
  readonly line: string;
  readonly after_ns: number;
}

const written: fc.Arbitrary<Written> = fc.record({
  stream: fc.constantFrom('stdout', 'stderr'),
  line: fc.constantFrom('a\n', 'b\n', 'a', '\n', ''),
  after_ns: fc.constantFrom(0, 0, 1, 999_999_999),
});

const steps = (clock_steps: boolean): fc.Arbitrary<Step[]> => {
  const write = fc.record({
    do: fc.constant('write' as const),
    entries: fc.array(written, { minLength: 1, maxLength: 6 }),
  });
  const cut = fc.record({ do: fc.constant('cut' as const), bytes: fc.nat(200) });
  const plain = fc.constantFrom('break', 'crash', 'end', 'begin').map((what) => ({ do: what }));
  const clock = fc.record({
    do: fc.constant('step the clock' as const),
    by_s: fc.constantFrom(-7200, -3, 3600),
  });
  const others = clock_steps ? [cut, plain, clock] : [cut, plain];
  return fc.array(fc.oneof(write, write, ...others) as fc.Arbitrary<Step>, {
    minLength: 1,
    maxLength: 14,
  });
};

/** Docker's two writers: each has a time of its own that goes forward, except with the clock. */
class Writers {
  readonly #clocks_ns = { stdout: 0n, stderr: 20_000_000_000n };
  #steps_count = 0;

  entry({ stream, line, after_ns }: Written): FakeEntry {
    this.#clocks_ns[stream] += BigInt(after_ns);
    const at_ns = BigInt(T0_S) * 1_000_000_000n + this.#clocks_ns[stream];
    const time_ns = Number(at_ns % 1_000_000_000n);
    return { stream, line, time_s: Number(at_ns / 1_000_000_000n), time_ns };
  }

  /** Never to a nanosecond that was there before. */
  step(by_s: number): void {
    this.#steps_count++;
    const by_ns = BigInt(by_s) * 1_000_000_000n + BigInt(this.#steps_count * 1000);
    this.#clocks_ns.stdout += by_ns;
    this.#clocks_ns.stderr += by_ns;
  }
}

async function act(
  step: Step,
  engine: FakeEngine,
  container: FakeContainer,
  rig: LogSourceRig,
  writers: Writers,
): Promise<void> {
  switch (step.do) {
    case 'write':
      engine.write(container, ...step.entries.map((each) => writers.entry(each)));
      break;
    case 'cut':
      engine.cut_after_bytes = step.bytes;
      break;
    case 'break':
      engine.breakStreams();
      break;
    case 'crash':
      await rig.crash();
      break;
    case 'end':
      engine.end(container);
      break;
    case 'begin':
      container.running = true;
      rig.wake();
      break;
    case 'step the clock':
      writers.step(step.by_s);
  }
  await new Promise(setImmediate);
}

async function judge(rule: SinceRule, script: readonly Step[]): Promise<void> {
  const engine = await FakeEngine.start();
  engine.since_rule = rule;
  const container = engine.add('a', 'web');
  const isRunning = (): boolean => container.running;
  const { socket_path } = engine;
  const rig = new LogSourceRig({ socket_path, container_id: container.id, isRunning });
  try {
    const writers = new Writers();
    rig.start();
    for (const step of script) await act(step, engine, container, rig, writers);
    container.running = true;
    rig.wake();
    engine.write(container, writers.entry({ stream: 'stdout', line: 'the end\n', after_ns: 1 }));
    await until(
      () => `the last line comes; ${rig.log.said('warn').join('; ')}`,
      () => rig.committed.at(-1) === 'stdout the end\n',
      { interval_ms: 2 },
    );
    expect(rig.failure).toBeUndefined();
    expect(rig.committed).toEqual(container.log.map(({ stream, line }) => `${stream} ${line}`));
  } finally {
    await rig.stop();
    await engine.dispose();
  }
}

describe('whatever breaks, every line comes once and in order', () => {
  it('from an Engine that compares every entry with since', async () => {
    await fc.assert(
      fc.asyncProperty(steps(false), (script) => judge('every entry', script)),
      { numRuns: 100 },
    );
  }, 120_000);

  it('from an Engine that compares up to the first match, also when the clock steps', async () => {
    await fc.assert(
      fc.asyncProperty(steps(true), (script) => judge('up to the first match', script)),
      { numRuns: 100 },
    );
  }, 120_000);
});
