import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MergedContainer } from '../../../../src/inputs/docker/merge/merged-container.ts';
import {
  type StreamedIdentity,
  StreamFilter,
} from '../../../../src/inputs/docker/merge/stream-filter.ts';
import { CHUNK_SPACE, ChunkDedup } from '../../../../src/inputs/forward/dedup.ts';
import { LIMITS } from '../../../../src/limits.ts';
import { CODEC } from '../../../../src/protocol/codec.ts';
import { decodeEvents } from '../../../../src/protocol/event.ts';
import { type Frame, MODE } from '../../../../src/protocol/frame.ts';
import { driverMessage } from '../../../support/docker/driver-message.ts';
import { line, lines, logs, MERGED_ID, MergeRig } from '../../../support/docker/merge-rig.ts';
import type { Entry } from '../../../support/docker-entries.ts';
import { SAMPLES } from '../../../support/forward-messages.ts';
import { ackOf, chunkId, startServer, type TestServer } from '../../../support/forward-server.ts';
import type { RawClient } from '../../../support/raw-client.ts';
import { until } from '../../../support/wait.ts';

const ACK_BYTES = 30;
const OTHER_ID = 'ee'.repeat(32);

let rig: MergeRig;
let server: TestServer;
/** What was looked for. */
let sought: StreamedIdentity[];
let find: (identity: StreamedIdentity) => Promise<MergedContainer | undefined>;

beforeEach(async () => {
  const dedup = new ChunkDedup();
  rig = new MergeRig([[CHUNK_SPACE, dedup]]);
  sought = [];
  find = ({ container_id }) => Promise.resolve(container_id === MERGED_ID ? rig.merged : undefined);
  server = await startServer({
    dedup,
    deps: {
      journal: rig.journal,
      filters: () =>
        new StreamFilter({
          find(identity) {
            sought.push(identity);
            return find(identity);
          },
        }),
    },
  });
});

afterEach(async () => {
  await server.close();
  await rig.close();
});

function message(entry: Entry, container_id = MERGED_ID, chunk?: Buffer): Buffer {
  const option = chunk === undefined ? {} : { chunk };
  return driverMessage(entry, { container_id, sub_second: true, tag: 'web', ...option });
}

const messages = (first: number, last: number): Buffer =>
  Buffer.concat(lines(first, last).map((one) => message(one)));

/** What a reader says of a message of the driver's, its tag of three letters. */
function frameOf(buf: Buffer): Frame {
  const tag_start = 2;
  const tag_end = tag_start + 'web'.length;
  return {
    ...{ mode: MODE.message, codec: CODEC.none, attrs: 0, count: 1, irregular: false, invalid: 0 },
    ...{ tag_start, tag_end, body_start: tag_end, body_end: buf.length - 1 },
    ...{ chunk_start: -1, chunk_end: -1, metadata_start: -1, metadata_end: -1 },
    ...{ time_min_s: 0, time_max_s: 0 },
  };
}

/** Lets time pass until the server has taken so many messages. */
function taken(count: number): Promise<unknown> {
  const { stats } = server.server;
  return until(
    () => `${stats.messages_in} of ${count} messages`,
    async () => {
      await rig.pass(100);
      return stats.messages_in >= count;
    },
    { interval_ms: 1 },
  );
}

async function held(): Promise<RawClient> {
  rig.cache.append(...lines(1, 2));
  await rig.open();
  const client = await server.connect();
  client.send(messages(4, 5));
  await until('the first line', () => sought.length === 1);
  return client;
}

describe("a connection that is no container's", () => {
  it.each([
    ['sends chunks of events', SAMPLES.forward],
    ['sends an event of another kind', SAMPLES.message_int_time],
  ])('which %s is asked no more', async (_what, first) => {
    await rig.open();
    const client = await server.connect();
    client.send(Buffer.concat([first, messages(1, 3)]));
    await taken(4);
    expect(sought).toEqual([]);
    expect(rig.committed()).toEqual(expect.arrayContaining(logs(1, 3)));
    expect(rig.merged.figures.lines).toBe(0);
  });

  it("is one of a container that is nobody's, and passes as it is", async () => {
    await rig.open();
    const client = await server.connect();
    client.send(Buffer.concat([message(line(1), OTHER_ID), messages(1, 3)]));
    await taken(4);
    expect(sought).toHaveLength(1);
    expect(rig.committed()).toEqual(['line 1', ...logs(1, 3)]);
    expect(rig.merged.figures.lines).toBe(0);
  });
});

describe('the stream of a container', () => {
  it('tells what its lines carry', async () => {
    await rig.open();
    const client = await server.connect();
    client.send(messages(1, 1));
    await taken(1);
    expect(sought).toMatchObject([{ container_id: MERGED_ID, sub_second: true }]);
    expect(sought[0]?.tag.toString()).toBe('web');
  });

  it('has the lines dropped that the journal has from the cache', async () => {
    rig.cache.append(...lines(1, 3));
    await rig.open();
    const client = await server.connect();
    client.send(messages(2, 5));
    await taken(4);
    expect(rig.committed()).toEqual(logs(1, 5));
    expect(rig.merged.figures.dropped_doubled).toBe(2);
  });

  it('is not doubled by the cache that shows it later, after a kill at once after the commit', async () => {
    await rig.open();
    const client = await server.connect();
    client.send(messages(1, 5));
    await taken(5);
    rig.journal.commit();
    rig.cache.append(...lines(1, 6));
    await rig.restart();
    await rig.pass(1000);
    expect(rig.committed()).toEqual(logs(1, 6));
  });

  it('has a dropped line acked, after the next commit', async () => {
    rig.cache.append(line(1));
    await rig.open();
    rig.journal.commit();
    const chunk = chunkId('A');
    const client = await server.connect();
    client.send(message(line(1), MERGED_ID, chunk));
    await until('a wish to commit', async () => {
      await rig.pass(10);
      return rig.journal.hurries > 0;
    });
    expect(client.received).toHaveLength(0);
    expect(rig.committed()).toEqual(['line 1']);
    expect(await client.receive(ACK_BYTES)).toBe(ackOf(chunk));
  });

  it('has its first line stored behind what the cache held', async () => {
    await held();
    expect(server.server.stats.messages_in).toBe(0);
    rig.cache.append(line(3));
    await taken(2);
    expect(rig.committed()).toEqual(logs(1, 5));
  });

  it('loses nothing when its connection ends while its first line is held', async () => {
    const client = await held();
    client.socket.end(messages(6, 6));
    await taken(3);
    await client.untilClosed();
    rig.cache.append(...lines(3, 7));
    await rig.pass(2000);
    expect(rig.committed().toSorted()).toEqual(logs(1, 7));
    expect(rig.merged.figures).toMatchObject({ recovered: 4, dropped_doubled: 0 });
  });

  it('loses nothing when its connection is cut off while its first line is held', async () => {
    const client = await held();
    client.destroy();
    await server.server.abort();
    rig.cache.append(...lines(3, 7));
    await rig.pass(4000);
    expect(rig.committed().toSorted()).toEqual(logs(1, 7));
  });

  it('leaves no turn behind by connections that were cut off while they waited', async () => {
    const client = await held();
    const waiting = await server.connect();
    waiting.send(messages(7, 7));
    await until('the second', () => sought.length === 2);
    client.destroy();
    waiting.destroy();
    await until('no connection', async () => {
      await rig.pass(100);
      return server.server.stats.connections_open === 0;
    });
    const third = await server.connect();
    const before = server.server.stats.messages_in;
    third.send(messages(8, 8));
    const begun_ms = rig.clock.monotonic_ms();
    await taken(before + 1);
    expect(rig.clock.monotonic_ms() - begun_ms).toBeLessThan(LIMITS.merge_turn_max_ms);
    expect(rig.committed()).toContain('line 8');
  });

  it('takes no turn for a connection that has ended before its turn came', async () => {
    await rig.open();
    const first = rig.connect();
    await first.send(line(1));
    const filter = new StreamFilter({ find: () => Promise.resolve(rig.merged) });
    const buf = message(line(2));
    const verdict = filter.judge(buf, frameOf(buf));
    filter.close();
    first.close();
    const decide = await verdict;
    expect(typeof decide === 'function' && decide()).toBe(true);
    expect(await rig.timeOf(rig.connect().send(line(3)))).toBeLessThan(LIMITS.merge_turn_max_ms);
  });

  it('may carry what is not its own: it is stored as it came', async () => {
    rig.cache.append(...lines(1, 2));
    await rig.open();
    const client = await server.connect();
    client.send(
      Buffer.concat([
        messages(1, 1),
        message(line(2), OTHER_ID),
        SAMPLES.message_int_time,
        messages(2, 3),
      ]),
    );
    await taken(5);
    expect(sought).toHaveLength(1);
    expect(rig.committed().toSorted()).toEqual(['hi', 'line 1', 'line 2', 'line 2', 'line 3']);
    const records = rig.journal.records.flatMap(({ body }) => [...decodeEvents([body])]);
    const of_line_2 = records.filter(({ record }) => record['log'] === 'line 2');
    expect(of_line_2.map(({ record }) => record['container_id'])).toEqual([MERGED_ID, OTHER_ID]);
  });

  it('is closed when its container cannot be found out, and its line sent again is stored', async () => {
    await rig.open();
    const found = find;
    find = () => Promise.reject(new Error('EMFILE'));
    const chunk = chunkId('A');
    const client = await server.connect();
    client.send(message(line(1), MERGED_ID, chunk));
    await client.untilClosed();
    find = found;
    const again = await server.connect();
    again.send(message(line(1), MERGED_ID, chunk));
    await taken(1);
    expect(rig.committed()).toEqual(['line 1']);
    expect(await again.receive(ACK_BYTES)).toBe(ackOf(chunk));
  });
});
