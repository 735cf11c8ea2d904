import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DurableCursor } from '../../../src/journal/cursor.ts';
import { Journal } from '../../../src/journal/journal.ts';
import type { JournalOptions } from '../../../src/journal/options.ts';
import { ForwardOutput } from '../../../src/outputs/forward/forward-output.ts';
import type { ForwardOutputOptions } from '../../../src/outputs/forward/options.ts';
import { decodeWindow } from '../../../src/outputs/forward/window-format.ts';
import type { OutputSource } from '../../../src/outputs/output.ts';
import { systemClock } from '../../../src/sys/clock.ts';
import { nodeFs } from '../../../src/sys/fs.ts';
import { DropLedger } from '../../../src/sys/ledger.ts';
import { silentLog } from '../../../src/sys/log.ts';
import { makeCertificates } from '../../support/certificates.ts';
import { numbered } from '../../support/entries.ts';
import { ForwardSink, type SinkChunk, type SinkOptions } from '../../support/forward-sink.ts';
import { addEvents, committed } from '../../support/journal-events.ts';
import { journalSource } from '../../support/journal-source.ts';
import { ReusedMemory } from '../../support/reused-memory.ts';
import { SlowReceiver } from '../../support/slow-receiver.ts';
import { type TempDir, tempDir } from '../../support/temp-dir.ts';
import { until } from '../../support/wait.ts';
import { optionsFor, range, type Server, serverOf } from './output-under-test.ts';

const KiB = 1024;
const MiB = 1024 * KiB;

let dir: TempDir;
let memory: ReusedMemory;
let journal: Journal;
let outputs: ForwardOutput[];
let receivers: { stop(): Promise<void> }[];

beforeEach(async () => {
  dir = await tempDir('forward-reused');
  memory = new ReusedMemory();
  outputs = [];
  receivers = [];
});
afterEach(async () => {
  for (const output of outputs) await output.stop(0);
  for (const receiver of receivers) await receiver.stop();
  await journal.close();
  await dir.remove();
});

async function openJournal(options: Partial<JournalOptions> = {}): Promise<void> {
  journal = await Journal.open({
    directory: join(dir.path, 'journal'),
    sync: 'os',
    tail_max_bytes: 512 * KiB,
    recycled: memory.recycled,
    ...options,
  });
}

async function listen(options: SinkOptions = {}): Promise<ForwardSink> {
  const sink = await ForwardSink.listen(options);
  receivers.push(sink);
  return sink;
}

async function startOutput(
  servers: readonly Server[],
  more: Partial<ForwardOutputOptions> = {},
  source?: OutputSource,
): Promise<ForwardOutput> {
  const world = { clock: systemClock, log: silentLog, fs: nodeFs, ledger: new DropLedger() };
  const sizes = { chunk_max_bytes: 128 * KiB, window_max_bytes: 256 * KiB };
  const options = optionsFor(servers, { ...sizes, ...more });
  const output = new ForwardOutput(
    options,
    source ?? (await journalSource(journal, 'main')),
    world,
  );
  outputs.push(output);
  await output.start();
  return output;
}

const TAGS = 3;
const EVENTS = 90;
const EVENT_BYTES = 2 * KiB;

/** One event, in bytes that only it has. */
const eventOf = (n: number, bytes = EVENT_BYTES): Buffer =>
  numbered(n, 1, `${n},`.repeat(bytes).slice(0, bytes));

/** Commits of about 180 KiB in three tags. */
async function commit(number: number): Promise<void> {
  for (const n of range(number * EVENTS, EVENTS)) addEvents(journal, `t${n % TAGS}`, eventOf(n));
  await committed(journal);
}

/** Of the output `main`, for one tag only. */
async function sourceOf(wanted: string): Promise<OutputSource> {
  const source = await journalSource(journal, 'main');
  return { ...source, matches: (tag) => tag.toString() === wanted };
}

const behind = (): number => journal.cursors()[0]?.events_behind ?? Number.NaN;

/** So many commits, each when the output is no more than a few behind: it reads from memory. */
async function commitPaced(commits: number, from = 0): Promise<void> {
  for (let number = from; number < from + commits; number++) {
    await commit(number);
    await until(
      () => `${behind()} events behind: ${JSON.stringify(outputs.at(-1)?.stats())}`,
      () => behind() <= 6 * EVENTS,
      { interval_ms: 1 },
    );
  }
}

/** Rejects a chunk in which a single byte is not that of the events it claims to have. */
function expectOwnBytes({ id, payload, compressed, entries }: SinkChunk): void {
  const content = compressed === 'gzip' ? gunzipSync(payload) : payload;
  const expected = Buffer.concat(entries.map(({ record }) => eventOf(record['n'] as number)));
  expect(content.equals(expected), `chunk ${id} has its own bytes`).toBe(true);
}

/** Some commits more, in which nothing goes wrong: memory comes back again whatever was before. */
async function commitCalmly(from: number, sinks: readonly ForwardSink[]): Promise<void> {
  for (const sink of sinks) sink.react = () => 'ack';
  await commitPaced(10, from);
}

async function expectAll(commits: number, sinks: readonly ForwardSink[]): Promise<void> {
  await until(
    () => `${behind()} events behind: ${JSON.stringify(outputs.at(-1)?.stats())}`,
    () => behind() === 0,
    { interval_ms: 5 },
  );
  for (const sink of sinks) {
    expect(sink.violations).toEqual([]);
    for (const chunk of sink.chunks) expectOwnBytes(chunk);
  }
  const arrived = new Set(sinks.flatMap((sink) => sink.values('n')));
  expect(arrived.size).toBe(commits * EVENTS);
  expect(memory.times).toBeGreaterThan(0);
}

describe('a forward output on a journal that uses memory again', () => {
  it('sends every byte as it was to a sink that acks late and out of order', async () => {
    await openJournal();
    const sink = await listen();
    const held: string[] = [];
    sink.react = ({ id = '' }) => {
      held.push(id);
      if (held.length % 5 === 0) for (const late of held.splice(0).toReversed()) sink.ack(late);
      return 'hold';
    };
    await startOutput([serverOf(sink)]);
    await commitPaced(40);
    sink.react = () => 'ack';
    for (const late of held) sink.ack(late);
    await expectAll(40, [sink]);
  });

  it('sends it again as it was when connections are cut', async () => {
    await openJournal();
    const sink = await listen();
    sink.react = () => {
      const count = sink.chunks.length;
      if (count % 23 === 0) setImmediate(() => sink.cutConnections());
      return count % 7 === 0 ? 'take_and_close' : 'ack';
    };
    const retry = { delay_min_ms: 1, delay_max_ms: 2, max_age_ms: undefined };
    await startOutput([serverOf(sink)], { retry: { ...retry, failover_after_ms: 30_000 } });
    await commitPaced(40);
    await commitCalmly(40, [sink]);
    await expectAll(50, [sink]);
    expect(sink.chunks.length).toBeGreaterThan(sink.taken.length);
  });

  it('sends it as it was to several servers of which one dies and comes back', async () => {
    await openJournal();
    const sinks = [await listen(), await listen(), await listen()];
    const retry = { delay_min_ms: 1, delay_max_ms: 5, max_age_ms: undefined, failover_after_ms: 0 };
    await startOutput(
      sinks.map((sink) => serverOf(sink)),
      { balance: 'weighted', retry: { ...retry, recover_wait_ms: 20 } },
    );
    for (let round = 0; round < 9; round++) {
      await commitPaced(5, round * 5);
      await sinks[round % 3]?.stop();
      await commit(45 + round);
      await sinks[round % 3]?.start();
    }
    await commitCalmly(54, sinks);
    await expectAll(64, sinks);
  });

  it('sends it as it was when it is compressed on the way', async () => {
    await openJournal();
    const sink = await listen();
    await startOutput([serverOf(sink)], { compress: 'gzip' });
    await commitPaced(30);
    await expectAll(30, [sink]);
    expect(sink.chunks.every(({ compressed }) => compressed === 'gzip')).toBe(true);
  });

  it('sends it as it was over TLS, on connections that are replaced', async () => {
    await openJournal();
    const { ca, cert, key } = await makeCertificates(dir.path);
    const tls = { cert: await readFile(cert), key: await readFile(key) };
    const sink = await listen({ tls });
    sink.react = () => (sink.chunks.length % 19 === 0 ? 'take_and_close' : 'ack');
    const address = { kind: 'tls', host: '127.0.0.1', port: sink.port } as const;
    await startOutput([serverOf(sink, { address })], {
      connection_max_age_ms: 30,
      tls: { verify: true, min_version: 'TLSv1.2', ca_file: ca },
    });
    await commitPaced(40);
    await commitCalmly(40, [sink]);
    await expectAll(50, [sink]);
    expect(sink.connections_count).toBeGreaterThan(2);
  });

  it('sends it as it was through outputs that replace each other while chunks are in flight', async () => {
    await openJournal();
    const sink = await listen();
    let output = await startOutput([serverOf(sink)]);
    for (let round = 0; round < 8; round++) {
      await commitPaced(4, round * 5);
      sink.react = () => 'hold';
      await commit(round * 5 + 4);
      await until('some is in flight', () => output.stats().chunks_in_flight > 0);
      await output.stop(0);
      sink.react = () => 'ack';
      output = await startOutput([serverOf(sink)]);
    }
    await commitCalmly(40, [sink]);
    await expectAll(50, [sink]);
  });

  it('splits a chunk that is poison, and puts the event away as it was', async () => {
    await openJournal();
    const sink = await listen();
    const poison = 500;
    sink.react = ({ entries }) =>
      entries.some(({ record }) => record['n'] === poison) ? 'close' : 'ack';
    const letters = join(dir.path, 'letters');
    const retry = { delay_min_ms: 1, delay_max_ms: 2, max_age_ms: undefined };
    await startOutput([serverOf(sink)], {
      retry: { ...retry, failover_after_ms: 30_000, suspect_after_ms: 1 },
      dead_letter: { dir: letters, max_bytes: MiB },
    });
    let commits = 0;
    await until(
      'the poison was put away',
      async () => {
        await commit(commits++);
        return outputs[0]?.stats().details['split_chunks'] !== 0 && behind() < 3 * EVENTS;
      },
      { interval_ms: 5 },
    );
    await commitPaced(10, commits);
    await until('the rest arrived', () => behind() === 0);
    for (const chunk of sink.chunks) expectOwnBytes(chunk);
    expect(new Set(sink.values('n')).size).toBe((commits + 10) * EVENTS - 1);
    const [name = ''] = await readdir(letters);
    const line = JSON.parse(await readFile(join(letters, name), 'utf8')) as { entry: string };
    expect(Buffer.from(line.entry, 'base64').equals(eventOf(poison))).toBe(true);
    expect(memory.times).toBeGreaterThan(0);
  });

  it('uses the same memory all the time while it keeps up', async () => {
    await openJournal();
    const sink = await listen();
    await startOutput([serverOf(sink)]);
    await commitPaced(60);
    const { times } = memory;
    await commitPaced(60, 60);
    await expectAll(120, [sink]);
    expect(memory.times - times).toBeGreaterThan(30);
    // Were it not so, each commit would take a new piece, or more.
    expect(memory.different).toBeLessThan(60);
  });
});

/** More than the sockets of both sides hold, in one chunk. */
const LARGE_BYTES = 14 * MiB;

describe('a chunk of which a part is still in the socket', () => {
  /** The output has handed one large chunk to its socket, and the receiver reads nothing. */
  async function sendLarge(): Promise<{
    receiver: SlowReceiver;
    output: ForwardOutput;
    cursor: DurableCursor;
    sent: Buffer;
  }> {
    await openJournal({ tail_max_bytes: 2 * LARGE_BYTES });
    const receiver = await SlowReceiver.listen();
    receivers.push(receiver);
    const event_bytes = 64 * KiB;
    const events = range(0, LARGE_BYTES / event_bytes).map((n) => eventOf(n, event_bytes));
    for (const [index, event] of events.entries()) {
      addEvents(journal, 'large', event);
      if (index % 16 === 15) await committed(journal);
    }
    await committed(journal);
    const sizes = { chunk_max_bytes: 2 * LARGE_BYTES, window_max_bytes: LARGE_BYTES };
    const output = await startOutput([receiver.server], sizes, await sourceOf('large'));
    await until('it is in the socket', () => output.stats().chunks_in_flight === 1);
    const cursor = await journal.cursor('main', { start: 'oldest' });
    return { receiver, output, cursor, sent: Buffer.concat(events) };
  }

  /** More commits than memory holds, none of them for the receiver. */
  async function pushOut(): Promise<void> {
    for (let number = 0; number < 200; number++) await commit(number);
  }

  it('arrives whole when it was acked before', async () => {
    const { receiver, output, cursor, sent } = await sendLarge();
    const [chunk] = decodeWindow(cursor.window)?.chunks ?? [];
    receiver.ack(chunk?.id ?? '');
    await until('it is acked', () => output.stats().events_out > 0);
    await pushOut();
    const [message] = await receiver.messages(1);
    expect(message?.equals(sent)).toBe(true);
  });

  it('arrives whole when the journal has dropped it meanwhile', async () => {
    const { receiver, output, cursor, sent } = await sendLarge();
    cursor.limitLag(MiB);
    await pushOut();
    await until('it was dropped', () => output.stats().cursor_seq > 20);
    const [message] = await receiver.messages(1);
    expect(message?.equals(sent)).toBe(true);
  });
});
