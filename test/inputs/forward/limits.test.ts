import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { ForwardLimits } from '../../../src/inputs/forward/options.ts';
import { numbered } from '../../support/entries.ts';
import { ENTRY_1, hex, SAMPLES, TAG } from '../../support/forward-messages.ts';
import { RawClient } from '../../support/raw-client.ts';
import { useForwardServer } from '../../support/use-forward-server.ts';
import { until } from '../../support/wait.ts';

const start = useForwardServer();

const packed = (payload: Buffer, option = '80'): Buffer => {
  const head = Buffer.from(`93${TAG}c600000000`, 'hex');
  head.writeUInt32BE(payload.length, head.length - 4);
  return Buffer.concat([head, payload, hex(option)]);
};
const GZIP = '81aa636f6d70726573736564a4677a6970';

const breaches: [string, Partial<ForwardLimits>, Buffer, RegExp][] = [
  ['bytes that are no array', {}, Buffer.from('GET / HTTP/1.1\r\n\r\n'), /expected .*array/],
  ['a byte that MessagePack never uses', {}, hex(`93${TAG}${ENTRY_1.slice(2, 22)}c1`), /0xc1/],
  ['a tag that is too long', { tag_max_bytes: 2 }, SAMPLES.docker_line, /tag.*> 2 bytes/],
  ['a chunk id that is too long', { chunk_id_max_bytes: 8 }, SAMPLES.message_chunk, /24 > 8 bytes/],
  [
    'an event that is too large',
    { event_max_bytes: 64 },
    SAMPLES.docker_line,
    /event is too large: \d+ > 64 bytes/,
  ],
  [
    'a message that is too large',
    { message_max_bytes: 64 },
    packed(numbered(0, 10)),
    /too large.*> 64 bytes/,
  ],
  [
    'nesting that is too deep',
    { nesting_max_levels: 4 },
    hex(`93${TAG}ce55ece6f881a16b91919190`),
    /nest/,
  ],
  [
    'a gzip bomb',
    { inflated_max_bytes: 100_000 },
    packed(gzipSync(numbered(0, 10_000)), GZIP),
    /inflates to too much: \d+ > 100000 bytes/,
  ],
  ['damaged gzip', {}, packed(gzipSync(numbered(0, 10)).fill(0x55, 30, 40), GZIP), /gzip/],
  [
    'gzip that is cut off',
    {},
    packed(gzipSync(numbered(0, 100)).subarray(0, -20), GZIP),
    /gzip payload/,
  ],
  [
    'garbage behind gzip',
    {},
    packed(Buffer.concat([gzipSync(numbered(0, 10)), Buffer.from('and more')]), GZIP),
    /gzip payload/,
  ],
];

describe('a client that breaks a limit', () => {
  for (const [what, limits, bytes, reason] of breaches) {
    test(`by ${what} is closed with the reason, and its neighbour is not`, async () => {
      const { connect, server, journal, log } = await start({ limits, automatic: false });
      const neighbour = await connect();
      const client = await connect();
      client.send(bytes);
      await client.untilClosed();
      expect(server.stats.connections_broken).toBe(1);
      const [warning] = log.said('warn');
      expect(warning).toMatch(reason);
      expect(warning).toMatch(/"peer":"127\.0\.0\.1:\d+ to tcp:\/\/127\.0\.0\.1:\d+"/);
      neighbour.send('93a161ce0000000180');
      await until("the neighbour's event", () => journal.pending_events === 1);
      expect(neighbour.closed).toBe(false);
    });
  }

  test('keeps what came whole before the bad bytes', async () => {
    const { connect, journal, server } = await start({ automatic: false });
    const client = await connect();
    client.send(Buffer.concat([SAMPLES.docker_line, SAMPLES.docker_line, hex('c1c1')]));
    await client.untilClosed();
    expect(server.stats.events_in).toBe(2);
    expect(journal.pending_events).toBe(2);
  });
});

describe('connections', () => {
  test('beyond the cap are closed at once and counted; a place that is free is given again', async () => {
    const { connect, server } = await start({ limits: { connections_max: 2 } });
    const first = await connect();
    await connect();
    await until('two connections', () => server.stats.connections_open === 2);
    const third = await connect();
    await third.untilClosed();
    expect(server.stats.connections_refused).toBe(1);
    first.destroy();
    await until('a free place', () => server.stats.connections_open === 1);
    const fourth = await connect();
    fourth.send(SAMPLES.docker_line);
    await until('its event', () => server.stats.events_in === 1);
  });

  test('without a byte are counted and logged at debug level only', async () => {
    const { connect, server, log } = await start();
    const client = await connect();
    await client.finish();
    await until('the count', () => server.stats.connections_empty === 1);
    expect(log.lines.every((line) => line.level === 'debug')).toBe(true);
  });

  test('that end in the middle of a message are counted', async () => {
    const { connect, server } = await start();
    const client = await connect();
    client.send(SAMPLES.docker_line.subarray(0, 20));
    await client.finish();
    expect(server.stats.messages_cut_off).toBe(1);
  });

  test('may send nil heartbeats between messages', async () => {
    const { connect, server } = await start();
    const client = await connect();
    client.send(Buffer.concat([hex('c0'), SAMPLES.docker_line, hex('c0c0'), SAMPLES.docker_line]));
    await until('the events', () => server.stats.events_in === 2);
    expect(server.stats.heartbeats).toBe(3);
  });

  test('that together hold too much unfinished close the one that holds the most', async () => {
    const { connect, server, log } = await start({
      limits: { unfinished_max_bytes: 300_000, frame_inline_max_bytes: 8192 },
    });
    const modest = await connect();
    const greedy = await connect();
    const begin = (bytes: number): Buffer =>
      Buffer.concat([hex(`93${TAG}ce00000001 81a16bdb00800000`), Buffer.alloc(bytes, 0x61)]);
    modest.send(begin(20_000));
    await until('the modest one', () => server.stats.bytes_in > 20_000);
    greedy.send(begin(600_000));
    await greedy.untilClosed();
    expect(log.said('warn').join()).toMatch(/unfinished messages/);
    expect(modest.closed).toBe(false);
  });
});

describe('a listener on IPv6', () => {
  test('takes events like any other', async () => {
    const { server, port } = await start({
      listeners: [{ address: { kind: 'tcp', host: '::1', port: 0 } }],
    });
    expect(server.urls).toEqual([`tcp://[::1]:${port}`]);
    const client = await RawClient.connect({ host: '::1', port });
    client.send(SAMPLES.docker_line);
    await until('the event', () => server.stats.events_in === 1);
    client.destroy();
  });
});
