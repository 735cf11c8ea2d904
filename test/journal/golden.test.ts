/** The way forward: a directory that format version 1 wrote is read by every later version. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeCursorSlot } from '../../src/journal/cursor-slot.ts';
import {
  COMMIT_HEADER_MAGIC,
  type CommitFrame,
  encodeCommitFrame,
  encodeRecordHeader,
  encodeSegmentHeader,
  segmentSeed,
} from '../../src/journal/format.ts';
import { inspectDirectory, inspectLog } from '../../src/journal/inspect.ts';
import { Journal } from '../../src/journal/journal.ts';
import { encodeStateItems } from '../../src/journal/state-items.ts';
import type { StateSpace } from '../../src/journal/types.ts';
import { appendEvents, committed, idsOf, readAll } from '../support/journal-events.ts';
import { type TempDir, tempDir } from '../support/temp-dir.ts';

class TextSpace implements StateSpace {
  entries: string[] = [];
  snapshot(): Buffer {
    return Buffer.from(JSON.stringify(this.entries));
  }
  restore(snapshot: Buffer | undefined): void {
    this.entries = snapshot === undefined ? [] : (JSON.parse(snapshot.toString()) as string[]);
  }
  apply(entry: Buffer): void {
    this.entries.push(entry.toString());
  }
}

let dir: TempDir;

beforeEach(async () => {
  dir = await tempDir('golden');
  const fixture = new URL('./fixtures/format-1.json', import.meta.url);
  const { files } = JSON.parse(await readFile(fixture, 'utf8')) as {
    files: Record<string, string>;
  };
  for (const [name, content] of Object.entries(files)) {
    const path = join(dir.path, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, gunzipSync(Buffer.from(content, 'base64')));
  }
});

afterEach(() => dir.remove());

describe('a directory of format version 1', () => {
  it('is opened with its records, state, cursor and identity, and goes on', async () => {
    const spaces = new Map([
      [1, new TextSpace()],
      [7, new TextSpace()],
    ]);
    const { journal_id, owner } = await inspectDirectory(dir.path);
    const journal = await Journal.open({ directory: dir.path, spaces });
    expect(journal.id).toEqual(journal_id);
    expect(journal.epoch).toBe((owner?.epoch ?? 0) + 1); // it is a copy
    expect(spaces.get(1)?.entries).toEqual(['position 1', 'position 2']);
    expect(spaces.get(7)?.entries).toEqual(['chunk 1', 'chunk 2']);
    const cursor = await journal.cursor('out', { start: 'newest' });
    expect([cursor.seq, cursor.window.toString(), cursor.at.events_before]).toEqual([
      3,
      'another window',
      4,
    ]);
    appendEvents(journal, 'docker.a', [10]);
    await committed(journal);
    const records = await readAll(journal);
    expect(
      records.map((record) => [record.tag.toString(), record.codec, record.attrs, idsOf(record)]),
    ).toEqual([
      ['docker.a', 0, 0, [1, 2, 3]],
      ['docker.b', 1, 3, [4]],
      ['docker.a', 0, 0, [5]],
      ['docker.c', 0, 0, [6, 7]],
      ['docker.c', 0, 0, [8]],
      ['docker.a', 0, 0, [9]],
      ['docker.a', 0, 0, [10]],
    ]);
    expect(journal.totals()).toMatchObject({ quarantined: 0, cut: 0 });
    await journal.close();
  });

  it('verifies without a damaged byte', async () => {
    const kinds: string[] = [];
    for await (const item of inspectLog(dir.path)) kinds.push(item.type);
    expect(kinds.filter((kind) => kind === 'corruption')).toEqual([]);
    expect(kinds.filter((kind) => kind === 'record')).toHaveLength(6);
  });
});

describe('what this version writes', () => {
  const journal_id = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');
  const first = { seq: 5, events_before: 2 ** 32 + 1, bytes_before: 2 ** 40 + 2 };

  it('is laid out, byte for byte, as version 1 says', () => {
    const header = { version: 1, epoch: 3, journal_id, first, created_ms: 1_700_000_000_000 };
    expect(encodeSegmentHeader(header).toString('hex')).toMatchInlineSnapshot(
      `"4c425345474d4e540100000003000000000102030405060708090a0b0c0d0e0f0500000000000000010000000100000002000000000100000068e5cf8b01000046784ec7"`,
    );

    const seed = segmentSeed(journal_id, first.seq);
    expect(seed).toMatchInlineSnapshot(`1155846434`);
    const frame: CommitFrame = {
      total_bytes: 1000,
      first,
      committed_ms: 1_700_000_000_001,
      record_count: 2,
      event_records: 1,
      chain: 0xdeadbeef,
    };
    const commit = Buffer.alloc(60);
    encodeCommitFrame(commit, 0, COMMIT_HEADER_MAGIC, frame, seed, 68);
    expect(commit.toString('hex')).toMatchInlineSnapshot(
      `"4c424348e8030000000000000500000000000000010000000100000002000000000100000168e5cf8b0100000200000001000000efbeadde092767f0"`,
    );

    const record = Buffer.alloc(43);
    record.write('tag', 40);
    encodeRecordHeader(
      record,
      0,
      {
        kind: 0,
        codec: 2,
        attrs: 0x0103,
        tag_bytes: 3,
        body_bytes: 300,
        count: 7,
        body_crc: 0x01020304,
        time_min_s: 1_700_000_000,
        time_max_s: 1_700_000_001.5,
      },
      seed,
      128,
    );
    expect(record.toString('hex')).toMatchInlineSnapshot(
      `"5fa8b55c00020301030000002c010000070000000403020100000040fc54d94100006040fc54d941746167"`,
    );

    const state = encodeStateItems([{ space: 258, entry: Buffer.from('entry') }]);
    expect(state.toString('hex')).toMatchInlineSnapshot(`"0201000005000000656e747279"`);

    const slot = { generation: 9, at: first, journal_id, window: Buffer.from('window') };
    expect(encodeCursorSlot(slot).toString('hex')).toMatchInlineSnapshot(
      `"4c424355010000000900000000000000050000000000000001000000010000000200000000010000000102030405060708090a0b0c0d0e0f0600000081c34a6077696e646f77"`,
    );
  });
});
