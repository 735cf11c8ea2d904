import { appendFile, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DeadLetters } from '../../../src/outputs/forward/dead-letter.ts';
import { storedPiece } from '../../../src/outputs/forward/pieces.ts';
import { type FileSystem, nodeFs } from '../../../src/sys/fs.ts';
import { DropLedger } from '../../../src/sys/ledger.ts';
import { numbered, pack } from '../../support/entries.ts';
import { FaultFs, systemError } from '../../support/fault-fs.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { type TempDir, tempDir } from '../../support/temp-dir.ts';
import { recordOf } from './chunks.ts';

let dir: TempDir;
let ledger: DropLedger;

beforeEach(async () => {
  dir = await tempDir('dead-letter');
  ledger = new DropLedger();
});
afterEach(() => dir.remove());

function open(max_bytes = 1_000_000, output_name = 'main', fs: FileSystem = nodeFs): DeadLetters {
  return new DeadLetters(
    { dir: join(dir.path, 'dead'), max_bytes, output_name },
    fs,
    new ManualClock(),
    ledger,
  );
}

async function lines(): Promise<Record<string, unknown>[]> {
  const names = (await readdir(join(dir.path, 'dead'))).toSorted();
  const texts = await Promise.all(
    names.map((name) => readFile(join(dir.path, 'dead', name), 'utf8')),
  );
  return texts
    .join('')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

const piece = (seq: number, events = 2) =>
  storedPiece(recordOf(seq, 'app', numbered(seq * 10, events), { count: events }));

describe('the dead letter folder', () => {
  it('is made again when somebody removed it, and when there was no room for it at first', async () => {
    const fs = new FaultFs();
    fs.fault = ({ operation }) => (operation === 'mkdir' ? systemError('ENOSPC') : undefined);
    const letters = open(1_000_000, 'main', fs);
    await expect(letters.append([piece(1)], 'poison', 'e')).rejects.toThrow('ENOSPC');
    fs.fault = () => undefined;
    await letters.append([piece(1)], 'poison', 'e');
    await rm(join(dir.path, 'dead'), { recursive: true });
    await expect(letters.append([piece(2)], 'poison', 'e')).rejects.toThrow('ENOENT');
    await letters.append([piece(2)], 'poison', 'e');
    expect((await lines()).map(({ seq }) => seq)).toEqual([2, 2]);
  });

  it('holds a line for every event: why, where it was, readable, and exact', async () => {
    await open().append([piece(4)], 'poison', 'it closed');
    const [first, second] = await lines();
    const at = new Date(1_700_000_000_000).toISOString();
    expect(first).toMatchObject({
      at,
      output: 'main',
      reason: 'poison',
      error: 'it closed',
      seq: 4,
      index: 0,
      event: { tag: 'app', record: { n: 40 } },
    });
    expect(second).toMatchObject({ index: 1, event: { record: { n: 41 } } });
    expect(
      Buffer.concat([first, second].map((line) => Buffer.from(String(line?.['entry']), 'base64'))),
    ).toEqual(numbered(40, 2));
  });

  it('holds what is no list of events as it was stored', async () => {
    await open().append(
      [storedPiece(recordOf(1, 'm', Buffer.from('metrics'), { attrs: 256 }))],
      'max_age',
      'down',
    );
    expect(await lines()).toMatchObject([
      { tag: 'm', attrs: 256, codec: 'none', payload: Buffer.from('metrics').toString('base64') },
    ]);
  });

  it('keeps bytes that are no event', async () => {
    const body = Buffer.concat([pack('no entry'), numbered(1, 1)]);
    await open().append([storedPiece(recordOf(1, 'app', body, { count: 2 }))], 'poison', 'x');
    const [odd] = await lines();
    expect(odd).toMatchObject({ index: 0, entry: pack('no entry').toString('base64') });
    expect(odd).not.toHaveProperty('event');
  });

  it('is appended to by the next process, behind the last whole line', async () => {
    await open().append([piece(1)], 'poison', 'x');
    const [name = ''] = await readdir(join(dir.path, 'dead'));
    await appendFile(join(dir.path, 'dead', name), '{"torn by a cra');
    await open().append([piece(2)], 'poison', 'x');
    expect((await lines()).map((line) => line['seq'])).toEqual([1, 1, 2, 2]);
    expect(await readdir(join(dir.path, 'dead'))).toEqual([name]);
  });

  it('is durable when the append resolves: first the lines, then the name', async () => {
    const fs = new FaultFs();
    await open(1_000_000, 'main', fs).append([piece(1)], 'poison', 'x');
    const operations = fs.calls.map(({ operation }) => operation);
    const written = operations.lastIndexOf('writev');
    expect(operations.slice(written)).toEqual(
      expect.arrayContaining(['datasync', 'syncDirectory']),
    );
    expect(operations.indexOf('datasync')).toBeLessThan(operations.indexOf('syncDirectory'));
  });

  it('has no half line after a disk that was full', async () => {
    const fs = new FaultFs();
    const letters = open(1_000_000, 'main', fs);
    let writes = 0;
    fs.fault = ({ operation }) => {
      if (operation !== 'writev') return undefined;
      writes++;
      if (writes === 1) return { write_max_bytes: 100 };
      return writes === 2 ? systemError('ENOSPC') : undefined;
    };
    await expect(letters.append([piece(1)], 'poison', 'x')).rejects.toMatchObject({
      code: 'ENOSPC',
    });
    await letters.append([piece(1)], 'poison', 'x');
    expect((await lines()).map((line) => line['seq'])).toEqual([1, 1]);
  });

  it('stays within its bound: the oldest file goes, and its events are counted', async () => {
    const letters = open(8000);
    for (let seq = 1; seq <= 40; seq++) await letters.append([piece(seq)], 'poison', 'x');
    const names = await readdir(join(dir.path, 'dead'));
    const sizes = await Promise.all(
      names.map(async (name) => (await stat(join(dir.path, 'dead', name))).size),
    );
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(8000);
    const kept = await lines();
    expect(kept.at(-1)).toMatchObject({ seq: 40 });
    expect(ledger.total('dead_letter_deleted') + kept.length).toBe(80);
  });

  it('leaves the files of other outputs alone', async () => {
    await open(500, 'other').append([piece(1)], 'poison', 'x');
    const mine = open(500);
    for (let seq = 1; seq <= 5; seq++) await mine.append([piece(seq)], 'poison', 'x');
    expect((await lines()).filter((line) => line['output'] === 'other')).toHaveLength(2);
  });
});
