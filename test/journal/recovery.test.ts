/**
 * The recovery cases of src/journal/recovery.ts, each made on a real directory.
 * After every case more is appended, the journal is opened once more, and all
 * that should be there is read back.
 */
import { copyFile, cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  COMMIT_FRAME_BYTES,
  RECORD_HEADER_BYTES,
  SEGMENT_HEADER_BYTES,
} from '../../src/journal/format.ts';
import { inspectLog } from '../../src/journal/inspect.ts';
import { Journal } from '../../src/journal/journal.ts';
import type { JournalOptions } from '../../src/journal/options.ts';
import type { StateSpace } from '../../src/journal/types.ts';
import { DropLedger } from '../../src/sys/ledger.ts';
import { appendEvents, committed, idsOf, readAll } from '../support/journal-events.ts';
import { type TempDir, tempDir } from '../support/temp-dir.ts';

/** Counts the entries it was given. */
class CountSpace implements StateSpace {
  count = 0;
  snapshot(): Buffer {
    return Buffer.from(String(this.count));
  }
  restore(snapshot: Buffer | undefined): void {
    this.count = snapshot === undefined ? 0 : Number(snapshot.toString());
  }
  apply(): void {
    this.count++;
  }
}

interface Opened {
  readonly journal: Journal;
  readonly space: CountSpace;
  readonly ledger: DropLedger;
}

let dir: TempDir;
let opened: Journal[];

beforeEach(async () => {
  dir = await tempDir('recovery');
  opened = [];
});

afterEach(async () => {
  for (const journal of opened) await journal.close();
  await dir.remove();
});

async function open(options: Partial<JournalOptions> = {}, path = dir.path): Promise<Opened> {
  const space = new CountSpace();
  const ledger = new DropLedger();
  const spaces = new Map([[1, space]]);
  const journal = await Journal.open({ directory: path, spaces, ledger, ...options });
  opened.push(journal);
  return { journal, space, ledger };
}

/** Two records of 10 events each, tags `a` and `b`, and a state entry: one commit. */
async function appendCommit(journal: Journal, round: number): Promise<void> {
  const first = round * 20;
  const ids = Array.from({ length: 20 }, (_, index) => first + index);
  appendEvents(journal, 'a', ids.slice(0, 10), { filler_bytes: 20 });
  appendEvents(journal, 'b', ids.slice(10), { filler_bytes: 20 });
  journal.note(1, Buffer.from(`commit ${round}`));
  await committed(journal);
}

const idsOfRound = (round: number, record: 0 | 1): number[] =>
  Array.from({ length: 10 }, (_, index) => round * 20 + record * 10 + index);

interface Layout {
  readonly path: string;
  /** Of each commit with events: where it begins, where its records begin, where it ends. */
  readonly commits: readonly { at: number; records: number[]; end: number }[];
}

/** Where things lie in the segment files. */
async function layout(): Promise<Layout[]> {
  const by_path = new Map<string, { at: number; records: number[]; end: number }[]>();
  for await (const item of inspectLog(dir.path)) {
    if (item.type === 'corruption') continue;
    const commits = by_path.get(item.path) ?? [];
    by_path.set(item.path, commits);
    if (item.type === 'commit') {
      const { offset, total_bytes } = item.commit;
      commits.push({ at: offset, records: [], end: offset + total_bytes });
    } else commits.at(-1)?.records.push(item.offset);
  }
  return [...by_path].map(([path, commits]) => ({ path, commits: commits.slice(1) }));
}

async function corruptions(): Promise<string[]> {
  const found: string[] = [];
  for await (const item of inspectLog(dir.path)) {
    if (item.type === 'corruption') found.push(`${item.corruption.what}@${item.corruption.offset}`);
  }
  return found;
}

async function edit(path: string, change: (bytes: Buffer) => Buffer | undefined): Promise<void> {
  const bytes = await readFile(path);
  await writeFile(path, change(bytes) ?? bytes);
}

const flip = (bytes: Buffer, at: number): undefined => {
  bytes[at] = (bytes[at] as number) ^ 0x40;
};

interface Case {
  readonly name: string;
  /** Damages the one segment, which holds commits 0, 1 and 2. */
  readonly damage: (bytes: Buffer, commits: Layout['commits']) => Buffer | undefined;
  /** [round, record] that are lost. */
  readonly lost: readonly (readonly [number, 0 | 1])[];
  /** State entries that survive, of 3. */
  readonly entries: number;
  readonly cut: number;
  readonly quarantined: number;
}

const none = { lost: [], entries: 3, cut: 0, quarantined: 0 };
const last_cut = {
  lost: [
    [2, 0],
    [2, 1],
  ],
  entries: 2,
  cut: 1,
  quarantined: 1,
} as const;
const at = (commits: Layout['commits'], index: number): Layout['commits'][number] => {
  const commit = commits[index];
  if (commit === undefined) throw new Error(`there are ${commits.length} commits`);
  return commit;
};
const record = (commits: Layout['commits'], commit: number, index: number): number =>
  at(commits, commit).records[index] ?? Number.NaN;

const CASES: readonly Case[] = [
  { name: '2. nothing is damaged', damage: () => undefined, ...none },
  {
    name: '3. the last commit misses its last byte',
    damage: (bytes) => bytes.subarray(0, -1),
    ...last_cut,
  },
  {
    name: '3. the last commit misses all but one byte',
    damage: (bytes, commits) => bytes.subarray(0, at(commits, 2).at + 1),
    ...last_cut,
  },
  {
    name: '3. the last commit has its length, but a sector of zeros',
    damage: (bytes, commits) => {
      bytes.fill(0, record(commits, 2, 1), record(commits, 2, 1) + 100);
      return undefined;
    },
    ...last_cut,
  },
  {
    name: '3. the body of a record in the last commit is damaged',
    damage: (bytes, commits) => flip(bytes, record(commits, 2, 0) + RECORD_HEADER_BYTES + 10),
    ...last_cut,
  },
  {
    name: '3. the trailer of the last commit is damaged',
    damage: (bytes) => flip(bytes, bytes.length - 10),
    ...last_cut,
  },
  {
    name: '4. zeros follow the last commit',
    damage: (bytes) => Buffer.concat([bytes, Buffer.alloc(5000)]),
    ...none,
    cut: 1,
    quarantined: 1,
  },
  {
    name: '4. less than a commit header follows the last commit',
    damage: (bytes) => Buffer.concat([bytes, Buffer.from('LBCH')]),
    ...none,
    cut: 1,
    quarantined: 1,
  },
  {
    name: '5. a body in an older commit is damaged',
    damage: (bytes, commits) => flip(bytes, record(commits, 1, 0) + RECORD_HEADER_BYTES + 10),
    ...none,
    lost: [[1, 0]],
    quarantined: 1,
  },
  {
    name: '5. the state record of an older commit is damaged',
    damage: (bytes, commits) => flip(bytes, record(commits, 1, 2) + RECORD_HEADER_BYTES + 9),
    ...none,
    entries: 2,
    quarantined: 1,
  },
  {
    name: '6. a record header in an older commit is damaged',
    damage: (bytes, commits) => flip(bytes, record(commits, 1, 1) + 13),
    ...none,
    lost: [[1, 1]],
    entries: 2,
    quarantined: 1,
  },
  {
    name: '6. a record claims a length beyond the file',
    damage: (bytes, commits) => {
      bytes.writeUInt32LE(0xffff_ffff, record(commits, 0, 0) + 12);
      return undefined;
    },
    ...none,
    lost: [
      [0, 0],
      [0, 1],
    ],
    entries: 2,
    quarantined: 1,
  },
  {
    name: '7. the header of an older commit is damaged',
    damage: (bytes, commits) => flip(bytes, at(commits, 1).at + 20),
    ...none,
    quarantined: 1,
  },
  {
    name: '7. the header of the last commit is damaged, but all behind it is whole',
    damage: (bytes, commits) => flip(bytes, at(commits, 2).at + 5),
    ...none,
    quarantined: 1,
  },
  {
    name: '7. the trailer of an older commit is damaged',
    damage: (bytes, commits) => flip(bytes, at(commits, 1).end - 1),
    ...none,
    quarantined: 1,
  },
  {
    name: '8. the header and the first record header of an older commit are damaged',
    damage: (bytes, commits) => {
      bytes.fill(0xff, at(commits, 1).at, record(commits, 1, 0) + 10);
      return undefined;
    },
    ...none,
    lost: [
      [1, 0],
      [1, 1],
    ],
    entries: 2,
    quarantined: 1,
  },
  {
    name: '8. from the middle of one commit to the middle of the next nothing is left',
    damage: (bytes, commits) => {
      bytes.fill(0, record(commits, 0, 1) + 5, record(commits, 1, 1) + 5);
      return undefined;
    },
    ...none,
    lost: [
      [0, 1],
      [1, 0],
      [1, 1],
    ],
    entries: 1,
    quarantined: 1,
  },
  {
    name: '8. bytes are missing in the middle: all behind stands in the wrong place',
    damage: (bytes, commits) =>
      Buffer.concat([bytes.subarray(0, at(commits, 1).at), bytes.subarray(at(commits, 1).at + 7)]),
    lost: [
      [1, 0],
      [1, 1],
      [2, 0],
      [2, 1],
    ],
    entries: 1,
    cut: 1,
    quarantined: 1,
  },
  {
    name: '9. the snapshot is damaged, and there is no segment before',
    damage: (bytes) =>
      flip(bytes, SEGMENT_HEADER_BYTES + COMMIT_FRAME_BYTES + RECORD_HEADER_BYTES + 2),
    ...none,
    quarantined: 1,
  },
  {
    name: '10. the segment header is damaged: the LOCK file knows the journal id',
    damage: (bytes) => flip(bytes, 20),
    ...none,
    quarantined: 1,
  },
];

describe('one damaged segment', () => {
  for (const { name, damage, lost, entries, cut, quarantined } of CASES) {
    it(name, async () => {
      const before = await open();
      for (const round of [0, 1, 2]) await appendCommit(before.journal, round);
      await before.journal.close();
      const [segment] = await layout();
      if (segment === undefined) throw new Error('no segment');
      await edit(segment.path, (bytes) => damage(bytes, segment.commits));

      const lost_keys = new Set(lost.map(([round, index]) => `${round}.${index}`));
      const kept = [0, 1, 2].flatMap((round) =>
        ([0, 1] as const).flatMap((index) =>
          lost_keys.has(`${round}.${index}`) ? [] : [idsOfRound(round, index)],
        ),
      );
      const cut_events = lost.length > 0 && cut > 0 ? lost.length * 10 : 0;

      const after = await open();
      expect(after.space.count).toBe(entries);
      expect((await readAll(after.journal)).map(idsOf)).toEqual(kept);
      expect(after.journal.totals()).toMatchObject({ cut, quarantined });
      expect(after.ledger.total('corrupt')).toBe(lost.length * 10 - cut_events);
      await expectCopies(quarantined);
      // What was torn is gone from the segment, so it verifies again.
      if (cut === 1 && quarantined === 1) expect(await corruptions()).toEqual([]);

      await appendCommit(after.journal, 7);
      await after.journal.close();
      const again = await open();
      const expected = [...kept, idsOfRound(7, 0), idsOfRound(7, 1)];
      expect((await readAll(again.journal)).map(idsOf)).toEqual(expected);
      expect(again.space.count).toBe(entries + 1);
      expect(again.journal.totals()).toMatchObject({ cut: 0, quarantined: 0 });
    });
  }

  it('does not take a commit inside a body for one, when it searches', async () => {
    const before = await open();
    await appendCommit(before.journal, 0);
    const [segment] = await layout();
    const bytes = await readFile(segment?.path ?? '');
    const { at: begin, end } = at(segment?.commits ?? [], 0);
    before.journal.appendBody(Buffer.from('x'), 0, 0, [bytes.subarray(begin, end)], 1, 0, 0);
    await committed(before.journal);
    await appendCommit(before.journal, 1);
    await before.journal.close();
    const [grown] = await layout();
    await edit(grown?.path ?? '', (content) => {
      content.fill(0, at(grown?.commits ?? [], 1).at, record(grown?.commits ?? [], 1, 0) + 4);
      return undefined;
    });
    const after = await open();
    const expected = [0, 1].flatMap((round) => [idsOfRound(round, 0), idsOfRound(round, 1)]);
    expect((await readAll(after.journal)).map(idsOf)).toEqual(expected);
    expect(after.ledger.total('corrupt')).toBe(1);
  });
});

describe('several segments', () => {
  /** Three segments: two commits in each of the first two, one in the last. */
  async function threeSegments(): Promise<Layout[]> {
    for (const rounds of [[0, 1], [2, 3], [4]]) {
      const { journal } = await open();
      for (const round of rounds) await appendCommit(journal, round);
      await journal.close();
    }
    return layout();
  }

  async function expectRounds(rounds: readonly number[], entries: number): Promise<Opened> {
    const after = await open();
    expect(after.space.count).toBe(entries);
    const expected = rounds.flatMap((round) => [idsOfRound(round, 0), idsOfRound(round, 1)]);
    expect((await readAll(after.journal)).map(idsOf)).toEqual(expected);
    await appendCommit(after.journal, 9);
    await after.journal.close();
    const again = await open();
    expect((await readAll(again.journal)).map(idsOf)).toEqual([
      ...expected,
      idsOfRound(9, 0),
      idsOfRound(9, 1),
    ]);
    expect(again.space.count).toBe(entries + 1);
    return after;
  }

  it('9. with a damaged snapshot in the last one take the state from the one before', async () => {
    const segments = await threeSegments();
    await edit(segments[2]?.path ?? '', (bytes) =>
      flip(bytes, SEGMENT_HEADER_BYTES + COMMIT_FRAME_BYTES + RECORD_HEADER_BYTES + 2),
    );
    await expectRounds([0, 1, 2, 3, 4], 5);
  });

  it('9. with damaged snapshots in the last two go back to the first', async () => {
    const segments = await threeSegments();
    for (const segment of segments.slice(1)) {
      await edit(segment.path, (bytes) =>
        flip(bytes, SEGMENT_HEADER_BYTES + COMMIT_FRAME_BYTES + 6),
      );
    }
    await expectRounds([0, 1, 2, 3, 4], 5);
  });

  it('10. with a damaged header in one of them read it by the id of the others', async () => {
    const segments = await threeSegments();
    await rm(join(dir.path, 'LOCK'));
    await edit(segments[1]?.path ?? '', (bytes) => flip(bytes, 3));
    await expectRounds([0, 1, 2, 3, 4], 5);
  });

  it('11. of which one holds nothing readable move it aside and read the rest', async () => {
    const segments = await threeSegments();
    const path = segments[1]?.path ?? '';
    await edit(path, (bytes) => bytes.fill(0x55));
    const { ledger } = await expectRounds([0, 1, 4], 5);
    expect(await readdir(join(dir.path, 'quarantine'))).toContain(basename(path));
    expect(ledger.total('corrupt')).toBe(40);
  });

  it('12. of which one belongs to another journal move it aside', async () => {
    await threeSegments();
    const other = join(dir.path, 'other');
    await mkdir(other);
    const foreign = await open({}, other);
    await appendCommit(foreign.journal, 8);
    await foreign.journal.close();
    await copyFile(join(other, '0000000000000001.seg'), join(dir.path, '0000000000000999.seg'));
    await expectRounds([0, 1, 2, 3, 4], 5);
    expect(await readdir(join(dir.path, 'quarantine'))).toContain('0000000000000999.seg');
  });

  it('13. of which one is missing count what it held', async () => {
    const segments = await threeSegments();
    await rm(segments[1]?.path ?? '');
    const { ledger } = await expectRounds([0, 1, 4], 5);
    expect(ledger.total('corrupt')).toBe(40);
  });

  it('13. of which the oldest is missing count it for the cursor that was in it', async () => {
    const { journal } = await open();
    await journal.cursor('out', { start: 'oldest' });
    await journal.close();
    const segments = await threeSegments();
    await rm(segments[0]?.path ?? '');
    const after = await open();
    expect(after.ledger.toJSON()).toEqual({ missing_segment: { out: 40 } });
    expect(after.journal.cursors()).toMatchObject([{ name: 'out', seq: 5, events_behind: 60 }]);
  });

  it('14. of which one has a leftover of what the next one begins with read it once', async () => {
    const segments = await threeSegments();
    const [first, second] = segments;
    // As after a failed fsync and a truncate that failed too: commit 2 is whole in both.
    const donor = await readFile(second?.path ?? '');
    const leftover = donor.subarray(
      at(second?.commits ?? [], 0).at,
      at(second?.commits ?? [], 0).end,
    );
    await edit(first?.path ?? '', (bytes) => Buffer.concat([bytes, leftover, Buffer.alloc(77)]));
    const { ledger, journal } = await expectRounds([0, 1, 2, 3, 4], 5);
    expect(ledger.toJSON()).toEqual({});
    expect(journal.totals()).toMatchObject({ quarantined: 0 });
  });

  it('16. of which the newest is gone begin a new epoch, far behind every seq that was named', async () => {
    const segments = await threeSegments();
    const before = await open();
    const { epoch, durable_seq } = before.journal;
    await before.journal.close();
    await rm(segments[2]?.path ?? '');
    await rm(join(dir.path, '0000000000000011.seg'));
    const after = await open();
    expect(after.journal.epoch).toBe(epoch + 1);
    expect(after.journal.durable_seq).toBeGreaterThan(durable_seq + 100_000);
    await after.journal.close();
    await expectRounds([0, 1, 2, 3], 4);
  });

  it('open without reading the segments before the last', async () => {
    const segments = await threeSegments();
    // Damage in old segments is met when they are read, not at open.
    for (const segment of segments.slice(0, 2)) {
      await edit(segment.path, (bytes) => flip(bytes, at(segment.commits, 0).at + 90));
    }
    const after = await open();
    expect(after.journal.totals()).toMatchObject({ quarantined: 0 });
    await readAll(after.journal);
    expect(after.journal.totals()).toMatchObject({ quarantined: 2 });
  });
});

describe('the epoch', () => {
  it('15. rises when a cursor is ahead of the end, and seqs jump over all it named', async () => {
    const before = await open();
    await appendCommit(before.journal, 0);
    await before.journal.close();
    await cp(dir.path, join(dir.path, '../', `${basename(dir.path)}-backup`), { recursive: true });
    const backup = join(dir.path, '../', `${basename(dir.path)}-backup`);
    try {
      const later = await open();
      await appendCommit(later.journal, 1);
      const cursor = await later.journal.cursor('out', { start: 'newest' });
      await cursor.save(cursor.seq, Buffer.from('window'));
      await later.journal.close();
      // An older backup of the segments, beside the newer cursor and LOCK.
      for (const name of await readdir(dir.path)) {
        if (name.endsWith('.seg')) await rm(join(dir.path, name));
      }
      await copyFile(join(backup, '0000000000000001.seg'), join(dir.path, '0000000000000001.seg'));
      const after = await open();
      expect(after.journal.epoch).toBe(later.journal.epoch + 1);
      await appendCommit(after.journal, 2);
      expect((await readAll(after.journal)).map(idsOf)).toEqual([
        ...[0, 2].flatMap((round) => [idsOfRound(round, 0), idsOfRound(round, 1)]),
      ]);
      const reader = after.journal.reader(cursor.seq);
      const [record] = await reader.read(1, AbortSignal.timeout(10_000));
      expect(record && idsOf(record)).toEqual(idsOfRound(2, 0));
    } finally {
      await rm(backup, { recursive: true });
    }
  });

  it('17. rises when the directory is a copy, or LOCK is gone, and not when it is the same', async () => {
    const before = await open();
    await before.journal.close();
    const same = await open();
    expect(same.journal.epoch).toBe(before.journal.epoch);
    await same.journal.close();

    const copy = join(dir.path, 'copy');
    await mkdir(copy);
    for (const name of await readdir(dir.path)) {
      if (name !== 'copy') await cp(join(dir.path, name), join(copy, name), { recursive: true });
    }
    const copied = await open({}, copy);
    expect(copied.journal.epoch).toBe(before.journal.epoch + 1);
    expect(copied.journal.id).toEqual(before.journal.id);

    await rm(join(dir.path, 'LOCK'));
    const unlocked = await open();
    expect(unlocked.journal.epoch).toBe(before.journal.epoch + 1);
  });

  it('rises after an unsynced journal was not closed', async () => {
    const before = await open({ sync: 'os' });
    await appendCommit(before.journal, 0);
    const copy = join(dir.path, 'LOCK.kept');
    await copyFile(join(dir.path, 'LOCK'), copy);
    await before.journal.close();
    const content = await readFile(copy);
    await writeFile(join(dir.path, 'LOCK'), content);
    const after = await open();
    expect(after.journal.epoch).toBe(before.journal.epoch + 1);
  });
});

describe('a newer format', () => {
  it('20. is refused, and nothing is touched', async () => {
    const { journal } = await open();
    await appendCommit(journal, 0);
    await journal.close();
    const path = join(dir.path, '0000000000000001.seg');
    const { encodeSegmentHeader, decodeSegmentHeader } = await import(
      '../../src/journal/format.ts'
    );
    await edit(path, (bytes) => {
      const header = decodeSegmentHeader(bytes);
      if (header === undefined) throw new Error('no header');
      encodeSegmentHeader({ ...header, version: 2 }).copy(bytes);
      return undefined;
    });
    await writeFile(join(dir.path, 'spool', 'kept'), 'x');
    await writeFile(join(dir.path, '0000000000000009.seg.new'), 'x');
    const before = await snapshotOf(dir.path);
    await expect(open()).rejects.toMatchObject({ code: 'LB_JOURNAL_VERSION', where: path });
    expect(await snapshotOf(dir.path)).toEqual(before);
  });

  it('20. is not suspected when a header is damaged', async () => {
    const { journal } = await open();
    await appendCommit(journal, 0);
    await journal.close();
    await edit(join(dir.path, '0000000000000001.seg'), (bytes) => flip(bytes, 9));
    const after = await open();
    expect((await readAll(after.journal)).map(idsOf)).toHaveLength(2);
  });
});

describe('what an interrupted creation leaves', () => {
  it('21. is removed', async () => {
    const { journal } = await open();
    await journal.cursor('out', { start: 'newest' });
    await journal.close();
    await writeFile(join(dir.path, '0000000000000009.seg.new'), 'LBSEGMNT');
    await writeFile(join(dir.path, 'cursors', 'x.cursor.new'), '');
    await writeFile(join(dir.path, 'spool', 'left'), 'x');
    const after = await open();
    expect(after.journal.cursors().map(({ name }) => name)).toEqual(['out']);
    expect(await readdir(join(dir.path, 'spool'))).toEqual([]);
    expect((await readdir(dir.path)).filter((name) => name.endsWith('.new'))).toEqual([]);
  });

  it('18, 19. of a cursor file: a damaged one begins with the oldest record, and says so', async () => {
    const { journal } = await open();
    await appendCommit(journal, 0);
    const cursor = await journal.cursor('out/1', { start: 'newest' });
    expect(cursor.seq).toBe(3);
    await journal.close();
    const [name] = await readdir(join(dir.path, 'cursors'));
    expect(name).toBe('out%2F1.cursor');
    await rename(join(dir.path, 'cursors', name ?? ''), join(dir.path, 'kept'));
    await writeFile(join(dir.path, 'cursors', name ?? ''), 'torn');
    const after = await open();
    const again = await after.journal.cursor('out/1', { start: 'newest' });
    expect(again.seq).toBe(1);
    await again.save(2, Buffer.from('w'));
    await after.journal.close();
    const last = await open();
    expect(last.journal.cursors()).toMatchObject([{ name: 'out/1', seq: 2, events_behind: 10 }]);
  });
});

async function expectCopies(count: number): Promise<void> {
  const copies = await readdir(join(dir.path, 'quarantine'));
  expect(copies).toHaveLength(count);
}

/** Every file's content, by path; LOCK is open by whoever looks. */
async function snapshotOf(path: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    found[file] = (await readFile(file)).toString('base64');
  }
  return found;
}
