import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CHUNK_SPACE, ChunkDedup } from '../../../src/inputs/forward/dedup.ts';
import { FORWARD_LIMITS } from '../../../src/inputs/forward/options.ts';
import { ForwardServer } from '../../../src/inputs/forward/server.ts';
import { Journal } from '../../../src/journal/journal.ts';
import type { JournalRecord } from '../../../src/journal/types.ts';
import { systemClock } from '../../../src/sys/clock.ts';
import { DropLedger } from '../../../src/sys/ledger.ts';
import { silentLog } from '../../../src/sys/log.ts';
import { numbered, pack } from '../../support/entries.ts';
import { hex, SAMPLES, TAG } from '../../support/forward-messages.ts';
import { ackOf, chunkId, LOOPBACK } from '../../support/forward-server.ts';
import { RawClient } from '../../support/raw-client.ts';
import { type TempDir, tempDir } from '../../support/temp-dir.ts';
import { until } from '../../support/wait.ts';

let dir: TempDir;
let running: Relay | undefined;

interface Relay {
  readonly journal: Journal;
  readonly server: ForwardServer;
  readonly port: number;
  stop(): Promise<void>;
}

async function start(): Promise<Relay> {
  const dedup = new ChunkDedup();
  const directory = join(dir.path, 'journal');
  const journal = await Journal.open({ directory, spaces: new Map([[CHUNK_SPACE, dedup]]) });
  const server = new ForwardServer(
    { listeners: [LOOPBACK], spool_dir: join(directory, 'spool'), limits: FORWARD_LIMITS },
    { journal, dedup, ledger: new DropLedger(), clock: systemClock, log: silentLog },
  );
  await server.start();
  const port = Number(/:(\d+)$/.exec(server.urls[0] ?? '')?.[1]);
  running = {
    journal,
    server,
    port,
    async stop() {
      await server.stop({ deadline_ms: 10_000 });
      await journal.close();
      running = undefined;
    },
  };
  return running;
}

beforeEach(async () => {
  dir = await tempDir('real-journal');
});

afterEach(async () => {
  await running?.stop();
  await dir.remove();
});

async function readAll(journal: Journal): Promise<JournalRecord[]> {
  const reader = journal.reader(1);
  const records: JournalRecord[] = [];
  while (reader.next_seq <= journal.durable_seq) {
    records.push(...(await reader.read(1024 * 1024, new AbortController().signal)));
  }
  reader.close();
  return records;
}

const bytesOf = (records: readonly JournalRecord[]): Buffer =>
  Buffer.concat(records.flatMap(({ body }) => body));

function packed(payload: Buffer, letter: string): Buffer {
  const head = hex(`93${TAG}c600000000`);
  head.writeUInt32BE(payload.length, head.length - 4);
  return Buffer.concat([head, payload, pack({ chunk: chunkId(letter).toString() })]);
}

describe('with the real journal', () => {
  test('a hundred thousand events of many tags, cut anywhere, are there in order', async () => {
    const relay = await start();
    const client = await RawClient.connect({ host: '127.0.0.1', port: relay.port });
    const sent = new Map<string, ReturnType<typeof createHash>>();
    const total = 100_000;
    for (let first = 0; first < total; first += 1000) {
      const messages: Buffer[] = [];
      for (let n = first; n < first + 1000; n++) {
        const tag = `app.${Math.floor(n / 7) % 13}`;
        const event = numbered(n, 1, 'x'.repeat((n * 31) % 200));
        messages.push(hex('94'), pack(tag), event.subarray(1), hex('80'));
        const hash = sent.get(tag) ?? createHash('sha256');
        sent.set(tag, hash.update(event));
      }
      client.send(Buffer.concat(messages));
    }
    client.send(packed(numbered(total, 1), 'Z'));
    expect(await client.receive(30)).toBe(ackOf(chunkId('Z')));
    const records = await readAll(relay.journal);
    for (const [tag, hash] of sent) {
      const own = records.filter((record) => record.tag.toString() === tag);
      expect(createHash('sha256').update(bytesOf(own)).digest('hex')).toBe(hash.digest('hex'));
    }
    expect(records.reduce((sum, { count }) => sum + count, 0)).toBe(total + 1);
    client.destroy();
  });

  test('every mode is acked and found again after a restart, re-sends are dropped', async () => {
    const small = numbered(0, 10);
    const large = numbered(10, 100_000, 'padding');
    const messages = [packed(small, 'S'), packed(large, 'L'), packed(gzipSync(small), 'G')];
    for (let round = 0; round < 2; round++) {
      const relay = await start();
      const client = await RawClient.connect({ host: '127.0.0.1', port: relay.port });
      client.send(Buffer.concat(messages));
      const acks = ['S', 'L', 'G'].map((letter) => ackOf(chunkId(letter)));
      expect(await client.receive(90)).toBe(acks.join(''));
      const records = await readAll(relay.journal);
      const plain = records.filter(({ codec }) => codec === 0);
      expect(bytesOf(plain).equals(Buffer.concat([small, large]))).toBe(true);
      expect(records.filter(({ codec }) => codec === 1).map(({ count }) => count)).toEqual([10]);
      expect(relay.server.stats.resends_dropped).toBe(round === 0 ? 0 : 3);
      // The client vanishes, so it may lack its acks.
      client.socket.resetAndDestroy();
      await until('the end', () => relay.server.stats.connections_open === 0);
      await relay.stop();
    }
  });
});

test('a burst of every client in one turn never makes more wait for the disk than the bound', async () => {
  const { journal, server, port } = await start();
  const clients = await Promise.all(
    Array.from({ length: 300 }, () => RawClient.connect({ host: '127.0.0.1', port })),
  );
  await until('all clients', () => server.stats.connections_open === 300);
  let most_bytes = 0;
  const builder = journal.builder.bind(journal);
  vi.spyOn(journal, 'builder').mockImplementation((...of) => {
    most_bytes = Math.max(most_bytes, journal.waiting_bytes);
    return builder(...of);
  });
  const each_events = Math.ceil((128 * 1024) / SAMPLES.docker_line.length);
  const lines = Buffer.concat(Array.from({ length: each_events }, () => SAMPLES.docker_line));
  for (const client of clients) client.send(lines);
  await until('all events', () => server.stats.events_in === 300 * each_events);
  // What the gate lets wait, one read, and what a record takes beyond its events.
  expect(most_bytes).toBeLessThan(9 * 1024 * 1024);
  for (const client of clients) client.destroy();
});
