import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CursorFile, cursorFileName, nameOfCursorFile } from '../../src/journal/cursor-file.ts';
import type { CursorSlot } from '../../src/journal/cursor-slot.ts';
import { nodeFs } from '../../src/sys/fs.ts';
import { FaultyFs } from '../support/faulty-fs.ts';
import { type TempDir, tempDir } from '../support/temp-dir.ts';

const journal_id = Buffer.alloc(16, 7);

const slotAt = (seq: number, window = `window ${seq}`): Omit<CursorSlot, 'generation'> => ({
  at: { seq, events_before: seq * 10, bytes_before: seq * 1000 },
  journal_id,
  window: Buffer.from(window),
});

let dir: TempDir;
let path: string;

beforeEach(async () => {
  dir = await tempDir('cursor');
  path = join(dir.path, 'cursors', 'out.cursor');
  await mkdir(dirname(path));
});

afterEach(() => dir.remove());

async function stored(): Promise<CursorSlot | undefined> {
  const { file, slot } = await CursorFile.open(nodeFs, path, true);
  await file.close();
  return slot;
}

describe('a cursor file', () => {
  it('gives back what was saved last', async () => {
    const file = await CursorFile.create(nodeFs, path, true, slotAt(1));
    expect(await stored()).toMatchObject({ ...slotAt(1), generation: 1 });
    for (const seq of [2, 3, 4]) {
      await file.save(slotAt(seq));
      expect(await stored()).toMatchObject(slotAt(seq));
    }
    await file.close();
  });

  it('is the old place or the new one, whole, whichever byte of a save is the last to reach the disk', async () => {
    const window = 'a window that is long enough to be torn in its middle';
    const torn_bytes = 64 + window.length;
    const created = await CursorFile.create(nodeFs, path, true, slotAt(0));
    await created.close();
    for (let keep_bytes = 0; keep_bytes <= torn_bytes; keep_bytes++) {
      const before = await stored();
      const fs = new FaultyFs();
      const { file } = await CursorFile.open(fs, path, true);
      fs.fail({ operation: 'datasync', code: 'EIO' });
      const next = slotAt((before?.at.seq ?? 0) + 1, window);
      await expect(file.save(next)).rejects.toMatchObject({ code: 'LB_JOURNAL_IO' });
      await fs.cutPower(keep_bytes);
      expect(await stored()).toMatchObject(keep_bytes === torn_bytes ? next : (before ?? {}));
    }
  });

  it('never writes into the slot that counts, however often saving fails', async () => {
    const fs = new FaultyFs();
    const file = await CursorFile.create(fs, path, true, slotAt(1));
    await file.save(slotAt(2));
    fs.fail({ operation: 'writev', code: 'EIO', times: 3 });
    for (const seq of [3, 4, 5]) await expect(file.save(slotAt(seq))).rejects.toThrow('EIO');
    expect(await stored()).toMatchObject(slotAt(2));
    await file.save(slotAt(6));
    expect(await stored()).toMatchObject(slotAt(6));
    await file.close();
  });

  it('can be saved on a full disk, and grows for a larger window where there is room', async () => {
    const fs = new FaultyFs();
    const file = await CursorFile.create(fs, path, true, slotAt(1));
    fs.disk_bytes = 0;
    await file.save(slotAt(2, 'x'.repeat(250_000)));
    const large = slotAt(3, 'y'.repeat(300_000));
    await expect(file.save(large)).rejects.toMatchObject({ code: 'LB_JOURNAL_IO' });
    expect((await stored())?.at.seq).toBe(2);
    fs.healAll();
    await file.save(large);
    expect(await stored()).toMatchObject(large);
    await file.save(slotAt(4));
    expect(await stored()).toMatchObject(slotAt(4));
    await file.close();
  });

  it('has the other slot where the disk cannot read one, and none where it reads neither', async () => {
    const file = await CursorFile.create(nodeFs, path, true, slotAt(1));
    await file.save(slotAt(2));
    await file.close();
    const fs = new FaultyFs();
    fs.fail({ operation: 'read', code: 'EIO', after: 1, times: 1 });
    const half = await CursorFile.open(fs, path, true);
    expect(half.slot).toMatchObject(slotAt(1));
    await half.file.close();
    fs.fail({ operation: 'read', code: 'EIO' });
    const neither = await CursorFile.open(fs, path, true);
    expect(neither.slot).toBeUndefined();
    await neither.file.save(slotAt(3));
    await neither.file.close();
    expect(await stored()).toMatchObject(slotAt(3));
  });

  it('is the file with its name also after growing failed half way', async () => {
    const fs = new FaultyFs();
    const file = await CursorFile.create(fs, path, true, slotAt(1));
    fs.fail({ operation: 'syncDirectory', code: 'EIO', times: 1 });
    await expect(file.save(slotAt(2, 'y'.repeat(300_000)))).rejects.toThrow('EIO');
    await file.save(slotAt(3));
    expect(await stored()).toMatchObject(slotAt(3));
    await file.save(slotAt(4));
    expect(await stored()).toMatchObject(slotAt(4));
    await file.close();
  });
});

describe('the name of a cursor file', () => {
  it('leads back to the cursor name, whatever is in it', () => {
    for (const name of ['out', 'a/b', '..', 'ü', 'x.cursor', '%2F', 'a b']) {
      const file_name = cursorFileName(name);
      expect(file_name).toMatch(/^[^/]+\.cursor$/);
      expect(nameOfCursorFile(file_name)).toBe(name);
    }
    expect(nameOfCursorFile('README')).toBeUndefined();
    expect(nameOfCursorFile('%.cursor')).toBeUndefined();
  });
});
