import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MessageFilter, Verdict } from '../../../src/inputs/forward/message-filter.ts';
import { decodeEvents } from '../../../src/protocol/event.ts';
import type { Frame } from '../../../src/protocol/frame.ts';
import { mapHeader, str } from '../../../src/protocol/msgpack-write.ts';
import { driverMessage } from '../../support/docker/driver-message.ts';
import { line } from '../../support/docker/merge-rig.ts';
import { SAMPLES } from '../../support/forward-messages.ts';
import { ackOf, chunkId, startServer, type TestServer } from '../../support/forward-server.ts';
import { until } from '../../support/wait.ts';

const ACK_BYTES = 30;

/** Does as it is told, and keeps what it was asked. */
class ScriptedFilter implements MessageFilter {
  readonly judged: string[] = [];
  /** Events that the commit held each time it was told of it. */
  readonly stored_events: number[] = [];
  closed = 0;
  readonly #verdict: (log: string) => Verdict;

  constructor(verdict: (log: string) => Verdict) {
    this.#verdict = verdict;
  }

  judge(buf: Buffer, frame: Frame): Verdict {
    const body = Buffer.from(buf.subarray(frame.body_start, frame.body_end));
    const [event] = decodeEvents([Buffer.of(0x92), body]);
    const log = String(event?.record['log']);
    this.judged.push(log);
    return this.#verdict(log);
  }

  stored(): void {
    this.stored_events.push(running.journal.pending_events);
  }

  close(): void {
    this.closed++;
  }
}

/** A verdict that takes its time. */
class HeldVerdict {
  decide: (is_new: boolean) => void = () => {};
  readonly promise = new Promise<() => boolean>((resolve) => {
    this.decide = (is_new) => resolve(() => is_new);
  });
}

let running: TestServer;
let filters: ScriptedFilter[];
let verdict: (log: string) => Verdict;

beforeEach(async () => {
  filters = [];
  verdict = () => 'store';
  running = await startServer({
    automatic: false,
    deps: {
      filters: () => {
        const filter = new ScriptedFilter((log) => verdict(log));
        filters.push(filter);
        return filter;
      },
    },
  });
});

afterEach(() => running.close());

const message = (number: number, chunk?: Buffer): Buffer =>
  driverMessage(line(number), {
    container_id: 'ab'.repeat(32),
    ...(chunk === undefined ? {} : { chunk }),
  });

const messages = (...numbers: number[]): Buffer =>
  Buffer.concat(numbers.map((number) => message(number)));

/** The logs of everything that came, made durable. */
function journaled(): string[] {
  running.journal.commit();
  return running.journal.records.flatMap(({ body }) =>
    [...decodeEvents([body])].map(({ record }) => String(record['log'])),
  );
}

function taken(count: number): Promise<unknown> {
  const { stats } = running.server;
  return until(
    () => `${stats.messages_in} of ${count} messages`,
    () => stats.messages_in >= count,
  );
}

describe('a filter of messages', () => {
  it('is asked for each message, in order, and what it drops is not stored', async () => {
    verdict = (log) => (log === 'line 2' ? 'drop' : 'store');
    const client = await running.connect();
    client.send(messages(1, 2, 3));
    await taken(3);
    expect(filters[0]?.judged).toEqual(['line 1', 'line 2', 'line 3']);
    expect(journaled()).toEqual(['line 1', 'line 3']);
  });

  it('is each connection its own', async () => {
    for (const number of [1, 2]) {
      const client = await running.connect();
      client.send(messages(number));
      await taken(number);
    }
    expect(filters.map(({ judged }) => judged)).toEqual([['line 1'], ['line 2']]);
  });

  it('is closed and asked no more once it lets a connection pass', async () => {
    verdict = () => 'pass';
    const client = await running.connect();
    client.send(messages(1, 2, 3));
    await taken(3);
    expect(filters[0]?.judged).toEqual(['line 1']);
    expect(journaled()).toEqual(['line 1', 'line 2', 'line 3']);
    await client.finish();
    expect(filters[0]?.closed).toBe(1);
  });

  it('is told while what it judged is in the commit that is filling', async () => {
    const client = await running.connect();
    client.send(messages(1, 2));
    await taken(2);
    expect(filters[0]?.stored_events.at(-1)).toBe(2);
  });

  it('is not asked about a compressed chunk', async () => {
    const client = await running.connect();
    const gzip = SAMPLES.compressed_by_magic.subarray(0, 82);
    client.send(Buffer.concat([gzip, mapHeader(1), str('chunk'), str(chunkId('A'))]));
    await taken(1);
    expect(filters[0]?.judged).toEqual([]);
  });

  it('is not asked about a chunk that is known by its id', async () => {
    const chunk = chunkId('A');
    for (const connection of [0, 1]) {
      const client = await running.connect();
      client.send(message(1, chunk));
      await until('an ack', () => {
        running.journal.commit();
        return client.received.length >= ACK_BYTES;
      });
      expect(filters[connection]?.judged).toEqual(connection === 0 ? ['line 1'] : []);
      client.destroy();
    }
    expect(journaled()).toEqual(['line 1']);
  });

  it('is closed when its connection ends', async () => {
    const client = await running.connect();
    client.send(messages(1));
    await taken(1);
    expect(filters[0]?.closed).toBe(0);
    await client.finish();
    await until('its end', () => filters[0]?.closed === 1);
  });
});

describe('a message that is dropped', () => {
  it('is acked all the same, after a commit', async () => {
    verdict = () => 'drop';
    const chunk = chunkId('A');
    const client = await running.connect();
    client.send(message(1, chunk));
    await until('a wish to commit', () => running.journal.hurries > 0);
    expect(client.received).toHaveLength(0);
    running.journal.commit();
    expect(await client.receive(ACK_BYTES)).toBe(ackOf(chunk));
    expect(running.journal.records).toEqual([]);
  });
});

describe('a message whose verdict takes time', () => {
  it('is stored before everything behind it, which waits', async () => {
    const held = new HeldVerdict();
    verdict = (log) => (log === 'line 1' ? held.promise : 'store');
    const client = await running.connect();
    client.send(messages(1, 2, 3));
    await until('the first', () => filters[0]?.judged.length === 1);
    client.send(messages(4));
    expect(running.server.stats.messages_in).toBe(0);
    held.decide(true);
    await taken(4);
    expect(journaled()).toEqual(['line 1', 'line 2', 'line 3', 'line 4']);
  });

  it('is decided by what is true then, and told of in its own commit', async () => {
    const held = new HeldVerdict();
    verdict = () => held.promise;
    const client = await running.connect();
    client.send(messages(1));
    await until('the first', () => filters[0]?.judged.length === 1);
    running.journal.commit();
    held.decide(true);
    await taken(1);
    expect(filters[0]?.stored_events.at(-1)).toBe(1);
  });

  it('is stored, and told of, though its connection has ended meanwhile', async () => {
    const held = new HeldVerdict();
    verdict = () => held.promise;
    const client = await running.connect();
    client.send(messages(1));
    await until('the first', () => filters[0]?.judged.length === 1);
    await running.server.abort();
    expect(filters[0]?.closed).toBe(1);
    held.decide(true);
    await taken(1);
    await until('word of it', () => filters[0]?.stored_events.at(-1) === 1);
    expect(journaled()).toEqual(['line 1']);
  });

  it('is followed by what came before the orderly end of its connection', async () => {
    const held = new HeldVerdict();
    verdict = (log) => (log === 'line 1' ? held.promise : 'store');
    const client = await running.connect();
    client.send(messages(1, 2));
    await until('the first', () => filters[0]?.judged.length === 1);
    client.socket.end(messages(3));
    held.decide(false);
    await client.untilClosed();
    expect(journaled()).toEqual(['line 2', 'line 3']);
  });

  it('is not taken for stored when the verdict fails: the connection is closed, a re-send is stored', async () => {
    verdict = () => Promise.reject(new Error('the cache cannot be read'));
    const chunk = chunkId('A');
    const client = await running.connect();
    client.send(message(1, chunk));
    await client.untilClosed();
    expect(client.received).toHaveLength(0);
    expect(running.dedup.pending_count).toBe(0);
    expect(running.log.said('warn').join()).toContain('the cache cannot be read');
    verdict = () => 'store';
    const again = await running.connect();
    again.send(message(1, chunk));
    await until('a wish to commit', () => running.journal.hurries > 0);
    expect(journaled()).toEqual(['line 1']);
    expect(await again.receive(ACK_BYTES)).toBe(ackOf(chunk));
  });
});
