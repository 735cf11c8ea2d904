import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeWindow } from '../../../src/outputs/forward/window-format.ts';
import { type Clock, systemClock } from '../../../src/sys/clock.ts';
import { numbered } from '../../support/entries.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { until } from '../../support/wait.ts';
import { type OutputUnderTest, Rig, range } from './output-under-test.ts';

/** The patience of seconds is over after a moment. */
const IMPATIENT_CLOCK: Clock = {
  ...systemClock,
  after: (delay_ms, run) => systemClock.after(delay_ms === 10_000 ? 50 : delay_ms, run),
};

let rig: Rig;

beforeEach(() => {
  rig = new Rig();
});

afterEach(() => rig.dispose());

describe('a forward output', () => {
  it('sends every event once, in order for each tag, and moves the cursor to the end', async () => {
    const sink = await rig.sink();
    const { journal } = rig;
    const output = await rig.output([sink]);
    for (let i = 0; i < 200; i++)
      journal.append({ tag: `app.${i % 7}`, body: numbered(i * 10, 10), count: 10 });
    await output.drained();
    for (let tag = 0; tag < 7; tag++) {
      const expected = range(0, 200)
        .filter((i) => i % 7 === tag)
        .flatMap((i) => range(i * 10, 10));
      expect(sink.values('n', `app.${tag}`)).toEqual(expected);
    }
    expect(sink.violations).toEqual([]);
    expect(output.output.stats()).toMatchObject({
      state: 'running',
      events_out: 2000,
      chunks_in_flight: 0,
      retries: 0,
      last_error: undefined,
      cursor_seq: 201,
      cursor_events: 2000,
    });
  });

  it('groups what waits by tag: a thousand records of one tag are few chunks', async () => {
    const sink = await rig.sink();
    const { journal } = rig;
    for (let i = 0; i < 1000; i++) journal.append({ body: numbered(i, 1) });
    const output = await rig.output([sink]);
    await output.drained();
    expect(sink.chunks.length).toBeLessThan(5);
    expect(sink.values('n')).toEqual(range(0, 1000));
    expect(sink.chunks[0]?.size).toBe(sink.chunks[0]?.entries.length);
  });

  it('sends an event at once when nothing else is under way', async () => {
    const sink = await rig.sink();
    const { journal } = rig;
    const output = await rig.output([sink]);
    for (let i = 0; i < 5; i++) {
      journal.append({ body: numbered(i, 1) });
      await until(`event ${i}`, () => sink.events === i + 1, { interval_ms: 1 });
      await until('the ack', () => output.output.stats().events_out === i + 1, { interval_ms: 1 });
    }
    expect(sink.chunks).toHaveLength(5);
  });

  it('passes over records of other tags', async () => {
    const sink = await rig.sink();
    const { journal } = rig;
    const output = await rig.output([sink], {}, {}, (tag) => tag.toString() === 'mine');
    for (let i = 0; i < 10; i++)
      journal.append({ tag: i % 2 ? 'mine' : 'other', body: numbered(i, 1) });
    await output.drained();
    expect(sink.values('n')).toEqual([1, 3, 5, 7, 9]);
  });

  it('records every chunk before it is sent', async () => {
    const sink = await rig.sink();
    const { journal } = rig;
    const recorded = new Set<string>();
    const unrecorded: (string | undefined)[] = [];
    journal.beforeSave = (_seq, window) => {
      for (const { id } of decodeWindow(window)?.chunks ?? []) recorded.add(id);
    };
    sink.react = (chunk) => {
      if (!recorded.has(chunk.id ?? '')) unrecorded.push(chunk.id);
      return 'ack';
    };
    const output = await rig.output([sink], { chunk_max_bytes: 2000 });
    for (let i = 0; i < 100; i++)
      journal.append({ tag: `t${i % 3}`, body: numbered(i, 5, 'x'.repeat(50)), count: 5 });
    await output.drained();
    expect(sink.chunks.length).toBeGreaterThan(20);
    expect(unrecorded).toEqual([]);
  });

  it('sends nothing while the plan cannot be saved, and goes on when it can', async () => {
    const sink = await rig.sink();
    const { journal } = rig;
    let failures = 0;
    journal.beforeSave = () => {
      if (failures++ < 4) throw new Error('disk error');
      expect(sink.chunks).toEqual([]);
      journal.beforeSave = () => {};
    };
    const output = await rig.output([sink]);
    journal.append({ body: numbered(0, 3), count: 3 });
    await output.drained();
    expect(failures).toBe(5);
    expect(sink.values('n')).toEqual([0, 1, 2]);
    expect(output.log.said('error').join()).toMatch(/cannot be saved.*disk error/);
  });
});

describe('an upstream that fails', () => {
  it('gets the same chunks again, same ids and bytes, before all later ones', async () => {
    const sink = await rig.sink();
    const { journal } = rig;
    let cuts = 0;
    sink.react = (chunk) =>
      chunk.entries.some(({ record }) => record['n'] === 30) && cuts++ < 2
        ? 'take_and_close'
        : 'ack';
    const output = await rig.output([sink]);
    for (let i = 0; i < 60; i++) {
      journal.append({ body: numbered(i, 1) });
      if (i % 10 === 9)
        await until('sent', () => sink.values('n').includes(i - 9), { interval_ms: 1 });
    }
    await output.drained();
    expect(sink.values('n')).toEqual(range(0, 60));
    expect(sink.violations).toEqual([]);
    expect(new Set(sink.ids).size).toBe(sink.taken.length);
    expect(sink.chunks.length).toBeGreaterThan(sink.taken.length);
  });

  it('is waited for: nothing is lost or doubled over its restarts', async () => {
    const sink = await rig.sink();
    const { journal } = rig;
    const output = await rig.output([sink]);
    for (let i = 0; i < 5; i++) {
      for (let j = 0; j < 20; j++)
        journal.append({ tag: `t${j % 3}`, body: numbered(i * 20 + j, 1) });
      await sink.stop();
      for (let j = 0; j < 5; j++) journal.append({ tag: 'down', body: numbered(i * 5 + j, 1) });
      await until('it is noticed', () => output.output.stats().state === 'retrying', {
        interval_ms: 1,
      });
      await sink.start();
    }
    await output.drained();
    expect(sink.values('n', 'down')).toEqual(range(0, 25));
    expect(sink.events).toBe(125);
    expect(sink.violations).toEqual([]);
    expect(output.output.stats()).toMatchObject({
      state: 'running',
      last_error: expect.stringContaining('LB_UPSTREAM'),
    });
  });

  it('may ack late and out of order', async () => {
    const sink = await rig.sink();
    const { journal } = rig;
    sink.react = () => 'hold';
    for (let i = 0; i < 20; i++) journal.append({ tag: `t${i}`, body: numbered(i, 1) });
    const output = await rig.output([sink]);
    await until('all are in flight', () => sink.chunks.length === 20);
    const ids = sink.chunks.map(({ id }) => id ?? '');
    for (const id of ids.slice(1).toReversed()) sink.ack(id);
    await until('19 are acked', () => output.output.stats().events_out === 19);
    expect(journal.saved.seq).toBe(1);
    sink.ack(ids[0] ?? '');
    await output.drained();
    expect(sink.chunks).toHaveLength(20);
  });

  it('that never acks is left after the ack timeout, and gets the chunk again', async () => {
    const sink = await rig.sink();
    const { journal } = rig;
    sink.react = () => (sink.connections_count < 2 ? 'hold' : 'ack');
    journal.append({ body: numbered(0, 3), count: 3 });
    const output = await rig.output([sink], { ack_timeout_ms: 100 });
    await output.drained();
    // On a machine that stands still for long even an ack that was sent may be too late.
    expect(sink.chunks.length).toBeGreaterThan(1);
    expect(new Set(sink.ids).size).toBe(1);
    expect(new Set(sink.chunks.map(({ connection }) => connection)).size).toBe(sink.chunks.length);
    expect(output.output.stats().last_error).toMatch(/no ack for 1 chunks within 100 ms/);
  });

  it('is not left when its ack came in time, and this process stood still', async () => {
    const sink = await rig.sink();
    const { journal } = rig;
    const clock = new ManualClock();
    sink.react = () => 'hold';
    journal.append({ body: numbered(0, 3), count: 3 });
    const { output } = await rig.output([sink], { ack_timeout_ms: 60_000 }, { clock });
    await until('it is in flight', () => sink.chunks.length === 1);
    // The ack is in the socket when the timers run.
    sink.ack(sink.ids[0] ?? '');
    clock.standStill(120_000);
    await until('it is settled', () => output.stats().details['chunks_pending'] === 0);
    expect(output.stats().last_error).toBeUndefined();
    expect(sink.chunks).toHaveLength(1);
  });

  it('that acks an id which was never sent is left, counted, and tried again', async () => {
    const sink = await rig.sink();
    const { journal } = rig;
    let lies = 0;
    sink.react = () => {
      if (lies++ > 0) return 'ack';
      sink.ack('made up');
      return 'hold';
    };
    journal.append({ body: numbered(0, 3), count: 3 });
    const output = await rig.output([sink]);
    await output.drained();
    const stats = output.output.stats();
    expect(stats.details['unknown_acks']).toBe(1);
    expect(stats.last_error).toContain('acked "made up", which is not in flight');
    expect(sink.connections_count).toBe(2);
  });

  it.each([
    ['an HTTP server', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['a server that waits for a handshake', Buffer.from('92a448454c4f80', 'hex')],
    ['a server that sends the byte that MessagePack never uses', Buffer.from('c1', 'hex')],
  ])('that is %s is left with a clear error', async (_, greeting) => {
    const sink = await rig.sink();
    sink.greeting = greeting;
    const { journal } = rig;
    const output = await rig.output([sink]);
    journal.append({ body: numbered(0, 1) });
    await until('the error', () => output.output.stats().last_error?.includes('no ack:'));
    sink.greeting = undefined;
    sink.cutConnections();
    await output.drained();
  });
});

describe('while no server takes anything', () => {
  it('one window is read ahead and the rest stays on the disk; then everything arrives', async () => {
    const sink = await rig.sink();
    const { port } = sink;
    const { journal } = rig;
    const output = await rig.output([sink], { chunk_max_bytes: 10_000, window_max_bytes: 10_000 });
    await until('it is connected', () => output.output.stats().state === 'running');
    await sink.stop();
    await until('it is noticed', () => output.output.stats().state === 'retrying');
    for (let i = 0; i < 100; i++) journal.append({ body: numbered(i * 100, 100), count: 100 });
    const tried = () => output.log.said('warn').length + journal.saved.saves;
    await until('something is planned', () => pending(output) > 0);
    const before = tried();
    await until('it has had time to read more', () => tried() > before + 1);
    // 100 events are about 1 KB and a batch a window: less than two windows of the hundred records.
    expect(pending(output)).toBeLessThanOrEqual(2);
    const again = await rig.sink({ port });
    await output.drained();
    expect(again.values('n')).toEqual(range(0, 10_000));
  });
});

const pending = ({ output }: OutputUnderTest): number =>
  Number(output.stats().details['chunks_pending']);

describe('stop and start', () => {
  it('waits for acks within its deadline, and leaves nothing to send', async () => {
    const sink = await rig.sink();
    const { journal } = rig;
    sink.react = () => 'hold';
    journal.append({ body: numbered(0, 3), count: 3 });
    const { output } = await rig.output([sink]);
    await until('it is in flight', () => sink.chunks.length === 1);
    const stopped = output.stop(10_000);
    sink.ack(sink.chunks[0]?.id ?? '');
    await stopped;
    expect(journal.drained).toBe(true);
    expect(output.stats().state).toBe('stopped');
    await until('the connection is closed', () => sink.open_connections === 0);
  });

  it('gives up at the deadline; the next output sends the same chunk under the same id', async () => {
    const sink = await rig.sink();
    const { journal } = rig;
    sink.react = () => 'hold';
    journal.append({ body: numbered(0, 3), count: 3 }, { body: numbered(3, 3), count: 3 });
    const output = await rig.output([sink]);
    await until('it is in flight', () => sink.chunks.length === 1);
    await output.output.stop(20);
    sink.react = () => 'ack';
    await output.again();
    await output.drained();
    expect(sink.ids).toEqual([sink.ids[0], sink.ids[0]]);
    expect(sink.values('n')).toEqual(range(0, 6));
  });

  it('does not wait for an upstream that is down', async () => {
    const sink = await rig.sink();
    const { journal } = rig;
    const { output } = await rig.output([sink]);
    await sink.stop();
    journal.append({ body: numbered(0, 1) });
    await until('it is noticed', () => output.stats().state === 'retrying');
    const begun_ms = performance.now();
    await output.stop(60_000);
    expect(performance.now() - begun_ms).toBeLessThan(30_000);
  });

  it('sends recorded chunks as they were, however long the disk fails at a start', async () => {
    const sink = await rig.sink();
    const { journal } = rig;
    sink.react = () => 'hold';
    journal.read_max_records = 10;
    for (let i = 0; i < 30; i++) journal.append({ tag: `t${i % 3}`, body: numbered(i, 1) });
    const output = await rig.output([sink], {}, { clock: IMPATIENT_CLOCK });
    await until('all are in flight', () => sink.chunks.length === 3);
    await output.crash();
    let failures = 0;
    journal.beforeRead = async (seq) => {
      // In the middle of the window, and for longer than patience lasts.
      if (seq === 11 && failures < 40) throw new Error(`EIO ${failures++}`);
    };
    sink.react = () => 'ack';
    await output.again();
    await output.drained();
    expect(failures).toBe(40);
    expect(new Set(sink.ids.slice(3))).toEqual(new Set(sink.ids.slice(0, 3)));
  });

  it('loses nothing that was read when the rest of a recorded window does not come in time', async () => {
    const sink = await rig.sink();
    const { journal } = rig;
    sink.react = () => 'hold';
    journal.read_max_records = 10;
    for (let i = 0; i < 30; i++) journal.append({ body: numbered(i, 1) });
    const output = await rig.output([sink], {}, { clock: IMPATIENT_CLOCK });
    await until('all are in flight', () => sink.values('n').length === 30);
    await output.crash();
    let stalls = 0;
    journal.beforeRead = async (seq, signal) => {
      if (seq !== 11 || stalls++ > 0) return;
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      signal.throwIfAborted();
    };
    sink.react = () => 'ack';
    await output.again();
    await output.drained();
    expect(stalls).toBeGreaterThan(0);
    expect(new Set(sink.values('n'))).toEqual(new Set(range(0, 30)));
    expect(output.output.stats().events_out).toBe(30);
  });

  it('replays a recorded window after a crash: same chunks, ids and rewrite, whatever is configured then', async () => {
    const sink = await rig.sink();
    const { journal } = rig;
    sink.react = (chunk) => (chunk.tag.endsWith('t1') ? 'ack' : 'hold');
    for (let i = 0; i < 30; i++) journal.append({ tag: `t${i % 3}`, body: numbered(i, 1) });
    const output = await rig.output([sink], { tag_prefix: 'old.', add: { host: 'web1' } });
    await until('all are in flight', () => sink.chunks.length === 3);
    await until(
      't1 is acked, and that is saved',
      () => output.output.stats().events_out === 10 && journal.saved.saves > 1,
    );
    await output.crash();
    journal.append({ tag: 't0', body: numbered(100, 1) });
    const before = sink.chunks.map(({ id, tag }) => `${id} ${tag}`);
    sink.react = () => 'ack';
    await output.again({ tag_prefix: 'new.', add: {}, compress: 'gzip', chunk_max_bytes: 30 });
    await output.drained();
    const after = sink.chunks.slice(3).map(({ id, tag }) => `${id} ${tag}`);
    expect(before).toEqual(expect.arrayContaining(after.slice(0, 2)));
    expect(after).toHaveLength(3);
    expect(after[2]).toContain(' new.t0');
    expect(sink.violations).toEqual([]);
    expect(sink.values('host', 'old.t0')).toEqual(range(0, 10).map(() => 'web1'));
    expect(sink.values('n', 'old.t2')).toEqual(range(0, 10).map((i) => i * 3 + 2));
  });
});
