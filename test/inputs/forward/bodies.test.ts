import { gzipSync } from 'node:zlib';
import zstd from '@foxglove/wasm-zstd';
import { beforeAll, describe, expect, test } from 'vitest';
import { CODEC } from '../../../src/protocol/codec.ts';
import { entry, numbered, pack } from '../../support/entries.ts';
import { hex, SAMPLES, TAG } from '../../support/forward-messages.ts';
import { packed, packedGzip, sendAndAck, stored } from '../../support/packed-chunks.ts';
import { useForwardServer } from '../../support/use-forward-server.ts';
import { until } from '../../support/wait.ts';

const start = useForwardServer();

beforeAll(() => zstd.isLoaded);

describe('events in Message mode', () => {
  test('of one tag become one record, with times and counts, however they are cut', async () => {
    const server = await start({ automatic: false });
    const client = await server.connect();
    const lines = [5, 3, 9].map((second) =>
      Buffer.concat([
        hex(`94${TAG}`),
        entry({ log: `line ${second}` }, second).subarray(1),
        hex('80'),
      ]),
    );
    const bytes = Buffer.concat(lines);
    client.socket.setNoDelay(true);
    client.send(bytes.subarray(0, 20));
    await until('the first piece', () => server.server.stats.bytes_in === 20);
    client.send(bytes.subarray(20));
    await until('the events', () => server.server.stats.events_in === 3);
    server.journal.commit();
    const expected = [5, 3, 9].map((second) => entry({ log: `line ${second}` }, second));
    expect(stored(server).equals(Buffer.concat(expected))).toBe(true);
    expect(server.journal.records).toMatchObject([
      { tag: 'app', count: 3, time_min_s: 3, time_max_s: 9, codec: 0, attrs: 0 },
    ]);
  });

  test('of many tags and lengths in one chunk each reach their record', async () => {
    const server = await start({ automatic: false });
    const client = await server.connect();
    const expected = new Map<string, Buffer[]>();
    const messages: Buffer[] = [];
    for (let i = 0; i < 500; i++) {
      // Runs of one to four events, tags that differ in any place, an empty one too.
      const tag = ['', 'app', 'apq', 'xpp', 'application'][Math.floor(i / (1 + (i % 4))) % 5] ?? '';
      const event = entry({ log: 'x'.repeat((i * 37) % 300), i }, 1000 + i);
      messages.push(
        Buffer.concat([hex('94'), pack(tag), event.subarray(1), hex(i % 2 ? '80' : 'c0')]),
      );
      expected.set(tag, [...(expected.get(tag) ?? []), event]);
    }
    client.send(Buffer.concat(messages));
    await until('the events', () => server.server.stats.events_in === 500);
    server.journal.commit();
    for (const [tag, events] of expected) {
      const record = server.journal.records.find((found) => found.tag === tag);
      expect(record?.count).toBe(events.length);
      expect(record?.body.equals(Buffer.concat(events))).toBe(true);
    }
  });

  test('without a time get that of their arrival; metadata moves into the entry', async () => {
    const server = await start({ automatic: false });
    const client = await server.connect();
    client.send(Buffer.concat([hex(`94${TAG}0081a16b0180`), SAMPLES.message_metadata]));
    await until('the events', () => server.server.stats.events_in === 2);
    server.journal.commit();
    const [arrived, with_metadata] = server.journal.records;
    expect(arrived?.body.toString('hex')).toMatch(/^92d700[0-9a-f]{16}81a16b01$/);
    expect(with_metadata).toMatchObject({ attrs: 1, count: 1 });
    expect(with_metadata?.body.toString('hex')).toMatch(/^9292d70055ece6f8075bcd1581a16b01/);
  });
});

describe('a compressed payload', () => {
  const plain = numbered(0, 50);

  test.each([
    ['gzip', CODEC.gzip, () => gzipSync(plain)],
    ['zstd', CODEC.zstd, () => zstd.compress(plain)],
  ] as const)('of %s is verified, counted and kept as it came', async (name, codec, compress) => {
    const server = await start();
    const payload = compress();
    await sendAndAck(server, packed(payload, ['compressed', name]));
    expect(server.journal.records).toMatchObject([
      { codec, count: 50, time_min_s: 1_700_000_000, time_max_s: 1_700_000_000 },
    ]);
    expect(stored(server).equals(payload)).toBe(true);
  });

  test('with invalid events is stored as the valid ones, uncompressed; the others are counted', async () => {
    const server = await start();
    const mixed = Buffer.concat([entry({ n: 1 }), pack('no entry'), entry({ n: 2 }, null)]);
    await sendAndAck(server, packedGzip(mixed));
    expect(server.journal.records).toMatchObject([{ codec: CODEC.none, count: 2 }]);
    expect(
      stored(server)
        .subarray(0, entry({ n: 1 }).length)
        .equals(entry({ n: 1 })),
    ).toBe(true);
    expect(server.ledger.total('invalid_event')).toBe(1);
  });

  test('whose last entry is cut off is stored without it, and it is counted', async () => {
    const server = await start();
    await sendAndAck(server, packedGzip(plain.subarray(0, plain.length - 3)));
    expect(server.journal.records).toMatchObject([{ codec: CODEC.none, count: 49 }]);
    expect(server.ledger.total('invalid_event')).toBe(1);
  });

  test.each([
    ['gzip', packedGzip],
    ['zstd', (plain_bytes: Buffer) => packed(zstd.compress(plain_bytes))],
  ])(
    'of %s that inflates to more than an output takes is stored as entries, cut into records',
    async (_codec, compress) => {
      const limits = { chunk_max_bytes: 100_000, record_max_bytes: 100_000 };
      const server = await start({ limits });
      const many = numbered(0, 10_000);
      await sendAndAck(server, compress(many));
      expect(stored(server).equals(many)).toBe(true);
      expect(server.journal.events).toBe(10_000);
      expect(server.journal.records.length).toBeGreaterThan(2);
      expect(new Set(server.journal.records.map(({ commit }) => commit)).size).toBe(1);
      for (const { body } of server.journal.records)
        expect(body.length).toBeLessThanOrEqual(100_000);
    },
  );

  test('that is empty is acked', async () => {
    const server = await start();
    await sendAndAck(server, packedGzip(Buffer.alloc(0)));
    expect(server.journal.records).toEqual([]);
  });
});

describe('other signals', () => {
  test('are stored as they came, and never walked', async () => {
    const server = await start();
    await sendAndAck(server, packed(Buffer.from('cmetrics'), ['fluent_signal', 1]));
    expect(server.journal.records).toMatchObject([{ attrs: 0x100, count: 1 }]);
    expect(stored(server).toString()).toBe('cmetrics');
  });

  test('compressed are not inflated', async () => {
    const server = await start();
    const payload = gzipSync('traces');
    await sendAndAck(server, packed(payload, ['fluent_signal', 2], ['compressed', 'gzip']));
    expect(server.journal.records).toMatchObject([{ attrs: 0x200, codec: CODEC.gzip }]);
    expect(stored(server).equals(payload)).toBe(true);
  });

  test('that are large are one record, and too large close the connection', async () => {
    const limits = { frame_inline_max_bytes: 8192, chunk_max_bytes: 50_000 };
    const server = await start({ limits });
    const metrics = Buffer.alloc(40_000, 'm');
    await sendAndAck(server, packed(metrics, ['fluent_signal', 1]));
    expect(server.journal.records).toMatchObject([{ attrs: 0x100, codec: 0 }]);
    expect(stored(server).equals(metrics)).toBe(true);
    const client = await server.connect();
    client.send(packed(Buffer.alloc(60_000, 'm'), ['fluent_signal', 1]));
    await client.untilClosed();
    expect(server.log.said('warn').join()).toMatch(/60000 > 50000 bytes/);
  });
});

test('group markers and metadata are told to the journal', async () => {
  const server = await start({ automatic: false });
  const client = await server.connect();
  client.send(SAMPLES.group_markers);
  await until('the events', () => server.server.stats.events_in === 3);
  server.journal.commit();
  expect(server.journal.records).toMatchObject([{ attrs: 3, count: 3 }]);
});
