import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type FakeContainer,
  FakeEngine,
  type FakeEntry,
  type SinceRule,
} from '../../../support/fake-engine.ts';
import { until } from '../../../support/wait.ts';
import { LogSourceRig } from './log-source-rig.ts';

const T0_S = 1_795_414_000;
const RULES: readonly SinceRule[] = ['every entry', 'up to the first match'];

const out = (line: string, time_s = T0_S, time_ns = 0): FakeEntry => ({
  stream: 'stdout',
  time_s,
  time_ns,
  line,
});
const err = (line: string, time_s = T0_S, time_ns = 0): FakeEntry => ({
  ...out(line, time_s, time_ns),
  stream: 'stderr',
});
const textsOf = (entries: readonly FakeEntry[]): string[] =>
  entries.map(({ stream, line }) => `${stream} ${line}`);

describe.each(RULES)('a log read through an Engine that compares %s with since', (rule) => {
  let engine: FakeEngine;
  let container: FakeContainer;
  let rig: LogSourceRig;

  beforeEach(async () => {
    engine = await FakeEngine.start();
    engine.since_rule = rule;
    container = engine.add('a', 'web');
    rig = rigFor();
  });

  afterEach(async () => {
    await rig.stop();
    await engine.dispose();
  });

  function rigFor(options: { tty?: boolean; from?: 'newest' } = {}): LogSourceRig {
    const { id } = container;
    const { socket_path } = engine;
    return new LogSourceRig({
      socket_path,
      container_id: id,
      isRunning: () => container.running,
      ...options,
    });
  }

  const committed = (count: number) =>
    until(
      () => `${rig.committed.length} of ${count} lines; ${rig.log.said('warn').join('; ')}`,
      () => rig.committed.length >= count,
    );
  /** Everything there is was taken once, in order; what is written last shows that nothing is on its way. */
  async function expectAll(expected: readonly string[] = textsOf(container.log)): Promise<void> {
    engine.write(container, out('the end\n', T0_S + 100_000));
    await until(
      () => `the last line comes; ${rig.log.said('warn').join('; ')}`,
      () => rig.committed.at(-1) === 'stdout the end\n',
    );
    expect(rig.committed).toEqual([...expected, 'stdout the end\n']);
  }

  it('is followed', async () => {
    engine.write(container, out('one\n'), err('two\n'));
    rig.start();
    await committed(2);
    engine.write(container, out('three\n', T0_S + 1));
    await committed(3);
    await expectAll();
  });

  it('goes on after a break where it was, among lines of the same time', async () => {
    rig.start();
    engine.write(container, out('same\n'), err('same\n'), out('same\n'), out('same\n'));
    await committed(4);
    engine.breakStreams();
    engine.write(container, out('same\n'), err('same\n'));
    await committed(6);
    await expectAll();
  });

  it('is read on when the Engine forgets who follows it', async () => {
    rig.start();
    engine.write(container, out('one\n'));
    await committed(1);
    engine.follow_is_deaf = true;
    engine.write(container, out('two\n', T0_S + 1));
    await expectAll();
  });

  it('goes on after a crash that forgot what was not committed', async () => {
    engine.write(container, out('one\n'), out('two\n', T0_S, 5));
    rig.start();
    await committed(2);
    engine.write(container, err('three\n', T0_S, 3));
    await rig.crash();
    await expectAll();
  });

  it('misses no line that is older than the last one taken, from the other source', async () => {
    rig.start();
    engine.write(container, out('late\n', T0_S + 30));
    await committed(1);
    engine.breakStreams();
    engine.write(container, err('older\n', T0_S + 1), out('after\n', T0_S + 30));
    await expectAll();
  });

  it('misses no end of a line that was begun long before the others', async () => {
    rig.start();
    engine.write(container, out('begun ', T0_S), err('between\n', T0_S + 500));
    await committed(2);
    engine.breakStreams();
    engine.write(container, out('ended\n', T0_S));
    await expectAll();
  });

  it('takes what is left when the last line taken was rotated away', async () => {
    rig.start();
    engine.write(container, out('gone\n'));
    await committed(1);
    await rig.stop();
    container.log.splice(0, 1, out('new\n', T0_S + 1), out('newer\n', T0_S + 2));
    await rig.crash();
    await expectAll(['stdout gone\n', 'stdout new\n', 'stdout newer\n']);
    expect(rig.log.said('warn').join()).toContain('gone from a log');
  });

  it('is read to its end when its container ends, and on when it runs again', async () => {
    rig.start();
    engine.write(container, out('one\n'));
    await committed(1);
    container.log.push(out('last\n', T0_S + 1));
    engine.end(container);
    await committed(2);
    container.running = true;
    engine.write(container, out('again\n', T0_S + 2));
    rig.wake();
    await expectAll();
  });

  it('asks for nothing while its container does not run', async () => {
    engine.write(container, out('one\n'));
    container.running = false;
    rig.start();
    await committed(1);
    const before = engine.requests.length;
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
    expect(engine.requests.length).toBe(before);
    container.running = true;
    rig.wake();
    await expectAll();
  });

  it('begins with what is written from now on, if told so', async () => {
    engine.write(container, out('old\n', 1_000_000));
    rig = rigFor({ from: 'newest' });
    rig.start();
    const now_s = Math.floor(Date.now() / 1000) + 1;
    engine.write(container, out('new\n', now_s));
    await committed(1);
    expect(rig.committed).toEqual(['stdout new\n']);
  });

  it('of a TTY has its unterminated end taken once', async () => {
    container.tty = true;
    rig = rigFor({ tty: true });
    rig.start();
    engine.write(container, out('one\r\n'), out('/ # ', T0_S + 1));
    engine.end(container);
    await committed(2);
    await rig.crash();
    rig.wake();
    await until('it is asked again', () => engine.requests.length >= 6);
    expect(rig.committed).toEqual(['stdout one\r\n', 'stdout / # ']);
  });

  it.each([
    [404, 'removed'],
    [409, 'removed'],
    [501, 'unreadable'],
  ])('with status %i is %s', async (status, end) => {
    container.logs_status = status;
    rig.start();
    await until('it ends', () => rig.end);
    expect(rig.end).toBe(end);
  });

  it('with status 500 is tried again', async () => {
    container.logs_status = 500;
    rig.start();
    await until('it was tried twice', () => logCalls(engine) >= 2);
    container.logs_status = 200;
    await expectAll();
  });
});

function logCalls(engine: FakeEngine): number {
  return engine.requests.filter((path) => path.includes('/logs?')).length;
}
