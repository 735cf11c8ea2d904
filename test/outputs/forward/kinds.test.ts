import { gzipSync } from 'node:zlib';
import zstd from '@foxglove/wasm-zstd';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ATTR, CODEC } from '../../../src/protocol/codec.ts';
import { entry, eventTime, numbered, pack } from '../../support/entries.ts';
import { until } from '../../support/wait.ts';
import { Rig, range } from './output-under-test.ts';

let rig: Rig;

beforeAll(async () => {
  await zstd.isLoaded;
});
beforeEach(() => {
  rig = new Rig();
});
afterEach(() => rig.dispose());

const withMetadata = (n: number, metadata: object): Buffer =>
  pack([[eventTime(1_700_000_000), metadata], { n }]);
const groupStart = pack([[eventTime(0xffffffff), {}], { group: 1 }]);
const groupEnd = pack([[eventTime(0xfffffffe), {}], {}]);
const ATTRS = ATTR.metadata | ATTR.group_markers;

describe('kind fluentd', () => {
  it('gets classic entries: metadata and group markers are left out, and counted', async () => {
    const sink = await rig.sink();
    const body = Buffer.concat([
      groupStart,
      withMetadata(1, { a: 1 }),
      withMetadata(2, {}),
      groupEnd,
      entry({ n: 3 }),
    ]);
    rig.journal.append({ body, count: 5, attrs: ATTRS });
    const output = await rig.output([sink]);
    await output.drained();
    expect(sink.taken[0]?.entries.map(({ metadata, record }) => [metadata, record['n']])).toEqual([
      [undefined, 1],
      [undefined, 2],
      [undefined, 3],
    ]);
    expect(sink.chunks[0]?.size).toBe(3);
    expect(output.output.stats().details).toMatchObject({
      metadata_dropped: 1,
      markers_dropped: 2,
    });
  });

  it('gets metadata under a key if one is given', async () => {
    const sink = await rig.sink();
    rig.journal.append({ body: withMetadata(1, { a: 1 }), attrs: ATTR.metadata });
    const output = await rig.output([sink], { metadata_key: 'meta' });
    await output.drained();
    expect(sink.taken[0]?.entries[0]?.record).toMatchObject({ n: 1, meta: { a: 1 } });
  });

  it('finds metadata inside gzip, and leaves gzip without it as it is', async () => {
    const sink = await rig.sink();
    const plain = gzipSync(numbered(1, 3));
    rig.journal.append({
      tag: 'with',
      codec: CODEC.gzip,
      body: gzipSync(withMetadata(0, { a: 1 })),
      count: 0,
    });
    rig.journal.append({ tag: 'without', codec: CODEC.gzip, body: plain, count: 0 });
    const output = await rig.output([sink]);
    await output.drained();
    const [with_metadata, without] = sink.taken;
    expect(with_metadata?.entries[0]?.metadata).toBeUndefined();
    expect(with_metadata?.compressed).toBeUndefined();
    expect(without?.payload.equals(plain)).toBe(true);
    expect(without).toMatchObject({ compressed: 'gzip', size: 3 });
  });

  it('gets zstd inflated', async () => {
    const sink = await rig.sink();
    const body = Buffer.from(zstd.compress(numbered(0, 100)));
    rig.journal.append({ codec: CODEC.zstd, body, count: 0 });
    const output = await rig.output([sink]);
    await output.drained();
    expect(sink.chunks[0]?.compressed).toBeUndefined();
    expect(sink.values('n')).toEqual(range(0, 100));
  });

  it('gets no other signals than logs; they are counted', async () => {
    const sink = await rig.sink();
    rig.journal.append(
      { body: Buffer.from('metrics'), count: 0, attrs: 1 << ATTR.signal_shift },
      { body: numbered(0, 1) },
    );
    const output = await rig.output([sink]);
    await output.drained();
    expect(sink.chunks).toHaveLength(1);
    expect(output.ledger.toJSON()).toEqual({ signal_unsupported: { main: 1 } });
  });
});

describe('kinds that know everything', () => {
  it.each(['logboom', 'fluent-bit'] as const)(
    '%s gets metadata, markers, codecs and signals as they are',
    async (kind) => {
      const sink = await rig.sink();
      const squeezed = Buffer.from(zstd.compress(numbered(10, 5)));
      rig.journal.append(
        {
          body: Buffer.concat([groupStart, withMetadata(1, { a: 1 }), groupEnd]),
          count: 3,
          attrs: ATTRS,
        },
        { tag: 'z', codec: CODEC.zstd, body: squeezed, count: 0 },
        { tag: 'm', body: Buffer.from('metrics'), count: 0, attrs: 1 << ATTR.signal_shift },
      );
      const output = await rig.output([sink], { kind });
      await output.drained();
      const [logs, compressed, metrics] = sink.taken;
      expect(logs?.entries).toHaveLength(3);
      expect(logs?.entries[1]?.metadata).toEqual({ a: 1 });
      expect(compressed).toMatchObject({ compressed: 'zstd', payload: squeezed });
      expect(metrics).toMatchObject({ signal: 1, payload: Buffer.from('metrics') });
    },
  );

  it('fluent-bit gets one chunk at a time on a connection', async () => {
    const sink = await rig.sink();
    sink.react = () => 'hold';
    rig.journal.append({ tag: 'a', body: numbered(0, 1) }, { tag: 'b', body: numbered(1, 1) });
    const output = await rig.output([sink], { kind: 'fluent-bit' });
    await until('the first', () => sink.chunks.length === 1);
    sink.react = () => 'ack';
    expect(sink.chunks).toHaveLength(1);
    sink.ack(sink.ids[0] ?? '');
    await output.drained();
    expect(sink.chunks).toHaveLength(2);
  });

  it('fluent-bit does not get gzip that inflates to more than it takes', async () => {
    const sink = await rig.sink();
    const events = numbered(0, 8000, 'x'.repeat(1000));
    expect(events.length).toBeGreaterThan(6_144_000);
    rig.journal.append({ codec: CODEC.gzip, body: gzipSync(events), count: 0 });
    const output = await rig.output([sink], {
      kind: 'fluent-bit',
      chunk_max_bytes: 4 * 1024 * 1024,
      window_max_bytes: 4 * 1024 * 1024,
    });
    await output.drained();
    expect(Math.max(...sink.chunks.map(({ payload }) => payload.length))).toBeLessThanOrEqual(
      4 * 1024 * 1024,
    );
    expect(sink.values('n')).toEqual(range(0, 8000));
  });
});

describe('compression', () => {
  it.each(['gzip', 'zstd'] as const)('%s on request', async (compress) => {
    const sink = await rig.sink();
    for (let i = 0; i < 50; i++) rig.journal.append({ body: numbered(i * 10, 10), count: 10 });
    const output = await rig.output([sink], { compress, kind: 'logboom' });
    await output.drained();
    expect(sink.chunks[0]?.compressed).toBe(compress);
    expect(sink.values('n')).toEqual(range(0, 500));
    expect(output.output.stats().bytes_out).toBeLessThan(3000);
  });

  it('off inflates what came compressed', async () => {
    const sink = await rig.sink();
    rig.journal.append({ codec: CODEC.gzip, body: gzipSync(numbered(0, 10)), count: 10 });
    const output = await rig.output([sink], { compress: 'off', kind: 'logboom' });
    await output.drained();
    expect(sink.chunks[0]?.compressed).toBeUndefined();
    expect(sink.values('n')).toEqual(range(0, 10));
  });
});

describe('static fields and the tag prefix', () => {
  it('are added to every record; its own field of the same name stays', async () => {
    const sink = await rig.sink();
    rig.journal.append({
      body: Buffer.concat([entry({ n: 1 }), entry({ n: 2, host: 'own' })]),
      count: 2,
    });
    rig.journal.append({ codec: CODEC.gzip, body: gzipSync(entry({ n: 3 })), count: 0 });
    const output = await rig.output([sink], {
      add: { host: 'web1', rack: 4, prod: true },
      tag_prefix: 'dc1.',
    });
    await output.drained();
    const records = sink.taken.flatMap(({ entries }) => entries.map(({ record }) => record));
    const text = (value: unknown): unknown =>
      value instanceof Uint8Array ? Buffer.from(value).toString() : value;
    expect(records.map(({ n, host, rack, prod }) => [n, text(host), rack, prod])).toEqual([
      [1, 'web1', 4, true],
      [2, 'own', 4, true],
      [3, 'web1', 4, true],
    ]);
    expect(new Set(sink.taken.map(({ tag }) => tag))).toEqual(new Set(['dc1.app']));
  });

  it('do not make chunks larger than chunk_max_bytes', async () => {
    const sink = await rig.sink();
    for (let i = 0; i < 20; i++) rig.journal.append({ body: numbered(i * 10, 10), count: 10 });
    const output = await rig.output([sink], {
      add: { note: 'x'.repeat(200) },
      chunk_max_bytes: 5000,
    });
    await output.drained();
    expect(Math.max(...sink.chunks.map(({ payload }) => payload.length))).toBeLessThanOrEqual(5000);
    expect(sink.values('n')).toEqual(range(0, 200));
  });
});

describe('sizes', () => {
  it('a record larger than a chunk is cut between events; a single larger event is sent alone', async () => {
    const sink = await rig.sink();
    rig.journal.append({
      body: Buffer.concat([
        numbered(0, 50),
        entry({ n: 50, x: 'y'.repeat(3000) }),
        numbered(51, 50),
      ]),
      count: 101,
    });
    const output = await rig.output([sink], { chunk_max_bytes: 1000 });
    await output.drained();
    expect(sink.values('n')).toEqual(range(0, 101));
    const large = sink.chunks.filter(({ payload }) => payload.length > 1000);
    expect(large.map(({ entries }) => entries.length)).toEqual([1]);
    expect(new Set(sink.ids).size).toBe(sink.chunks.length);
  });

  it('un-acked bytes stay within the windows that may be in flight', async () => {
    const sink = await rig.sink();
    sink.react = () => 'hold';
    for (let i = 0; i < 400; i++)
      rig.journal.append({ tag: `t${i % 40}`, body: numbered(i, 1, 'z'.repeat(1000)) });
    const output = await rig.output([sink], {
      window_max_bytes: 20_000,
      chunk_max_bytes: 20_000,
      windows_in_flight_max: 2,
    });
    await until(
      'the windows are full',
      () => sink.chunks.reduce((sum, { payload }) => sum + payload.length, 0) >= 40_000,
    );
    const held_bytes = sink.chunks.reduce((sum, { payload }) => sum + payload.length, 0);
    expect(held_bytes).toBeLessThan(65_000);
    sink.react = () => 'ack';
    for (const id of sink.ids) sink.ack(id ?? '');
    await output.drained();
    expect(sink.events).toBe(400);
  });
});

describe('ack: off', () => {
  it('moves the cursor once the kernel took the bytes, and asks for no ack', async () => {
    const sink = await rig.sink();
    rig.journal.append({ body: numbered(0, 100), count: 100 });
    const output = await rig.output([sink], { ack: false });
    await output.drained();
    await until('the events', () => sink.events === 100);
    expect(sink.ids).toEqual([undefined]);
  });

  it('waits while the upstream is down', async () => {
    const sink = await rig.sink();
    await sink.stop();
    rig.journal.append({ body: numbered(0, 100), count: 100 });
    const output = await rig.output([sink], { ack: false });
    await until('it is noticed', () => output.output.stats().state === 'retrying');
    expect(rig.journal.saved.seq).toBe(1);
    await sink.start();
    await output.drained();
    await until('the events', () => sink.events === 100);
  });
});
