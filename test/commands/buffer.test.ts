/** Commands that look into a journal: real ones, damaged ones, and ones that a relay writes to. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { catBuffer } from '../../src/commands/buffer/cat.ts';
import { progressText } from '../../src/commands/buffer/progress.ts';
import type { Journal } from '../../src/journal/journal.ts';
import { cli, FakeHost } from '../cli/fake-host.ts';
import { ForwardSink } from '../support/forward-sink.ts';
import { RelayRig } from '../support/relay-rig.ts';
import { type TempDir, tempDir } from '../support/temp-dir.ts';
import {
  append,
  appendGzip,
  BEGIN_S,
  damage,
  numbersIn,
  openJournal,
  range,
  tear,
} from './buffer-rig.ts';

let dir: TempDir;
let journal: Journal;

beforeEach(async () => {
  dir = await tempDir('buffer');
  journal = await openJournal(dir.path);
  const cursor = await journal.cursor('aggregator', { start: 'oldest' });
  for (const first of range(0, 10)) {
    await append(journal, first % 2 === 0 ? 'app.web' : 'db', range(first * 4, first * 4 + 4));
  }
  await appendGzip(journal, 'app.zip', range(40, 44));
  // Keeps all of it.
  await journal.cursor('archive', { start: 'oldest' });
  await cursor.save(9, Buffer.alloc(0));
});

afterEach(async () => {
  await journal.close();
  await dir.remove();
});

const buffer = (line: string): ReturnType<typeof cli> => {
  const [command = '', ...flags] = line.split(' ');
  return cli(['buffer', command, dir.path, ...flags].join(' '));
};

/** Everything in the folder, byte for byte. */
async function contents(): Promise<Map<string, string>> {
  const entries = await readdir(dir.path, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((each) => each.isFile())
    .map((each) => join(each.parentPath, each.name));
  return new Map(
    await Promise.all(
      files.map(async (path) => [path, (await readFile(path)).toString('base64')] as const),
    ),
  );
}

const segments = async (): Promise<string[]> =>
  (await readdir(dir.path)).filter((name) => name.endsWith('.seg')).toSorted();

describe('buffer ls', () => {
  it('shows segments, tags and what waits for each output, of a journal in use', async () => {
    const { code, out, err } = await buffer('ls');
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain('44 events');
    expect(out).toContain(`process ${process.pid} on`);
    for (const name of await segments()) expect(out).toContain(name);
    expect(out).toMatch(/^app\.web +20 .* 2026-11-23 10:00:35Z$/m);
    expect(out).toMatch(/^db +20 /m);
    expect(out).toMatch(/^aggregator +9 +12 /m);
  });

  it('gives the same to programs', async () => {
    const report = JSON.parse((await buffer('ls --json')).out);
    expect(report).toMatchObject({
      positions: 0,
      last_commit_is_whole: true,
      outputs: [
        { output: 'aggregator', is_damaged: false, next_seq: 9, events: 12 },
        { output: 'archive', is_damaged: false, next_seq: 1, events: 44 },
      ],
    });
    const events = report.segments.map((segment: { events: number }) => segment.events);
    expect(events.reduce((sum: number, each: number) => sum + each, 0)).toBe(44);
  });

  it('names the folder that was meant, and says when there is no journal', async () => {
    const above = await cli(`buffer ls ${join(dir.path, 'cursors')}`);
    expect([above.code, above.err]).toEqual([2, expect.stringContaining('there is no journal')]);
    const missing = await cli('buffer ls /nowhere');
    expect([missing.code, missing.err]).toEqual([2, expect.stringContaining('no such folder')]);
  });
});

describe('buffer cat', () => {
  it('prints every event, oldest first, as the file output writes them', async () => {
    const { code, out } = await buffer('cat');
    expect(code).toBe(0);
    expect(numbersIn(out)).toEqual(range(0, 44));
    expect(JSON.parse(out.slice(0, out.indexOf('\n')))).toEqual({
      time: '2026-11-23T10:00:00.500000000Z',
      tag: 'app.web',
      record: { n: 0, padding: 'x'.repeat(100) },
    });
  });

  it.each([
    ['--tag db', range(4, 8)],
    ['--tag app.**', range(0, 4)],
    ['--since 2026-11-23T10:00:10Z', range(10, 14)],
    ['--since 2026-11-23T10:00:10.600Z', range(11, 15)],
    ['--since 2026-11-23T10:00:42Z', range(42, 44)],
    ['--output aggregator', range(32, 36)],
  ])('with %s begins with %j', async (flags, first) => {
    const { code, out } = await buffer(`cat ${flags}`);
    expect(code).toBe(0);
    expect(numbersIn(out).slice(0, first.length)).toEqual(first);
  });

  it('ends before --until, and after --limit', async () => {
    expect(numbersIn((await buffer('cat --until 2026-11-23T10:00:06Z')).out)).toEqual(range(0, 6));
    expect(numbersIn((await buffer('cat --limit 5 --tag db')).out)).toEqual([4, 5, 6, 7, 12]);
  });

  it.each([
    ['--since yesterday', '--since yesterday: it is neither a time nor a duration'],
    ['--limit none', '--limit none: it is not a whole number'],
    ['--output nobody', 'There are: aggregator, archive.'],
    ['--tag {a', '--tag {a: '],
  ])('refuses %s', async (flags, message) => {
    const { code, out, err } = await buffer(`cat ${flags}`);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(message);
  });

  it('passes over damage, names it, and ends with 1', async () => {
    const { offset } = await damage(dir.path, 3);
    const { code, out, err } = await buffer('cat');
    expect(code).toBe(1);
    expect(numbersIn(out)).toEqual(range(0, 44).filter((n) => n < 8 || n >= 12));
    expect(err).toContain(`passed over 1 damaged place: ${(await segments())[0]}:${offset}`);
  });

  it('ends with 0 when its reader goes away', async () => {
    const host = new FakeHost([], {});
    const gone = new Writable({
      write: (_chunk, _encoding, done) =>
        done(Object.assign(new Error('EPIPE'), { code: 'EPIPE' })),
    });
    gone.on('error', () => {});
    Object.defineProperty(host, 'stdout', { value: gone });
    expect(await catBuffer(host, dir.path, {}, new AbortController().signal)).toBe(0);
  });
});

describe('buffer verify', () => {
  it('finds nothing wrong in a whole journal, nor in one whose last commit is being written', async () => {
    expect(await buffer('verify')).toMatchObject({ code: 0, err: '' });
    await tear(dir.path, (await segments()).at(-1) ?? '');
    const { code, out } = await buffer('verify');
    expect(code).toBe(0);
    expect(out).toMatch(/:\d+: the last commit is not whole \(100 bytes\)/);
  });

  it('takes a torn end for damage when the journal was closed in good order', async () => {
    await journal.close();
    await tear(dir.path, (await segments()).at(-1) ?? '');
    const { code, out } = await buffer('verify');
    expect([code, out]).toEqual([1, expect.stringContaining('DAMAGED')]);
  });

  it('names damage by file and offset, says what it means, and counts what is lost', async () => {
    const { path, offset } = await damage(dir.path, 3);
    const { code, out } = await buffer('verify');
    expect(code).toBe(1);
    expect(out).toContain(`${(await segments())[0]}:${offset}: `);
    expect(out).toContain('the events of this record are lost, those around it are not');
    expect(out).toContain('lost: 4 events');
    const report = JSON.parse((await buffer('verify --json')).out);
    expect(report).toMatchObject({
      intact: false,
      lost_events: 4,
      lost_is_exact: true,
      damage: [{ path, offset, what: 'record body' }],
    });
  });

  it('finds a damaged place of an output', async () => {
    const path = join(dir.path, 'cursors', 'aggregator.cursor');
    await writeFile(path, Buffer.alloc((await readFile(path)).length));
    const { code, out } = await buffer('verify');
    expect([code, out]).toEqual([
      1,
      expect.stringContaining('output aggregator: its place is damaged'),
    ]);
  });

  it('draws how far it is', () => {
    const half = progressText(5 * 1024, 10 * 1024);
    expect(half).toBe(`[${'█'.repeat(15)}${'·'.repeat(15)}]  50 %  5.0 KiB of 10.0 KiB`);
  });
});

describe('buffer export', () => {
  it('sends what is meant to a Forward server and ends when all is acked', async () => {
    const sink = await ForwardSink.listen();
    try {
      const url = `tcp://127.0.0.1:${sink.port}`;
      const { code, err } = await buffer(`export --to ${url} --output aggregator`);
      expect([code, err]).toEqual([
        0,
        expect.stringContaining(`12 events sent to ${url}, all acked`),
      ]);
      expect(sink.events).toBe(12);
    } finally {
      await sink.stop();
    }
  });

  it('writes a new file, and never over one that is there', async () => {
    const file = join(dir.path, 'out.ndjson');
    const { code, err } = await buffer(`export --file ${file} --tag db`);
    expect([code, err]).toEqual([0, `logboom: 20 events written to ${file}\n`]);
    expect(numbersIn(await readFile(file, 'utf8'))).toHaveLength(20);
    const again = await buffer(`export --file ${file}`);
    expect([again.code, again.err]).toEqual([2, expect.stringContaining('exists already')]);
    expect(numbersIn(await readFile(file, 'utf8'))).toHaveLength(20);
  });

  it('says how many were acked when the server is not there', async () => {
    const { code, err } = await buffer('export --to tcp://127.0.0.1:1');
    expect([code, err]).toEqual([1, expect.stringContaining('tcp://127.0.0.1:1')]);
    expect(err).toContain('Start the server that is to take the events');
    expect(err).not.toContain('logboom run');
  });
});

describe('the looking commands', () => {
  it('change nothing, in a whole journal or a damaged one', async () => {
    for (const prepare of [async () => {}, async () => damage(dir.path, 3)]) {
      await prepare();
      const before = await contents();
      for (const command of ['ls', 'cat', 'verify', 'export', 'trim --dry-run'])
        await buffer(command);
      expect(await contents()).toEqual(before);
    }
  });

  it('work while a relay runs and writes', async () => {
    const rig = await RelayRig.open();
    try {
      const relay = await rig.start({ up: rig.toSink() });
      const client = await rig.client(relay);
      const path = join(rig.dir.path, 'journal');
      await rig.send(client);
      const looks = Promise.all(
        ['ls', 'cat', 'verify'].map((each) => cli(`buffer ${each} ${path}`)),
      );
      for (const _ of range(0, 20)) await rig.send(client);
      for (const { code, err } of await looks) expect([code, err]).toEqual([0, '']);
      const { out } = await cli(`buffer cat ${path}`);
      expect(out.trim().split('\n')).toHaveLength(21);
      const trim = await cli(`buffer trim ${path}`);
      expect([trim.code, trim.err]).toEqual([1, expect.stringContaining('LB_JOURNAL_LOCKED')]);
    } finally {
      await rig.dispose();
    }
  });
});

describe('buffer trim', () => {
  /** A journal whose output is done with nothing: a safe trim takes nothing, a forced one does. */
  async function behind(): Promise<void> {
    await journal.close();
    await dir.remove();
    dir = await tempDir('buffer-trim');
    journal = await openJournal(dir.path);
    const cursor = await journal.cursor('aggregator', { start: 'oldest' });
    for (const n of range(0, 40)) await append(journal, 'app', [n]);
    await cursor.save(2, Buffer.alloc(0));
    await journal.close();
  }

  it('deletes nothing that an output has not delivered', async () => {
    await behind();
    const before = await segments();
    expect(before.length).toBeGreaterThan(2);
    expect(await buffer('trim')).toMatchObject({
      code: 0,
      out: expect.stringContaining('nothing to delete'),
    });
    const { code, err } = await buffer('trim --before-seq 40');
    expect(code).toBe(2);
    expect(err).toMatch(/output aggregator would lose \d+ events/);
    expect(await segments()).toEqual(before);
  });

  it('with --force deletes from the oldest on, and a relay goes on with what is left', async () => {
    await behind();
    const before = await segments();
    const { code, out } = await buffer('trim --before-seq 40 --force');
    const lost = Number(/output aggregator loses (\d+) events/.exec(out)?.[1]);
    expect(code).toBe(0);
    const left = await segments();
    expect(left).toEqual(before.slice(before.length - left.length));
    expect(left.length).toBeGreaterThan(0);
    expect(left.length).toBeLessThan(before.length);
    expect(numbersIn((await buffer('cat')).out)).toEqual(range(lost + 1, 40));

    journal = await openJournal(dir.path);
    const cursor = await journal.cursor('aggregator', { start: 'oldest' });
    const reader = journal.reader(cursor.seq, 'aggregator');
    const [first] = await reader.read(1, AbortSignal.timeout(10_000));
    expect(first?.time_min_s).toBe(BEGIN_S + lost + 1);
    reader.close();
  });

  it('--older-than keeps what is younger', async () => {
    await behind();
    const before = await segments();
    expect((await buffer('trim --older-than 1h --force')).out).toContain('nothing to delete');
    expect(await segments()).toEqual(before);
  });

  it('never deletes the segments before a damaged snapshot', async () => {
    await behind();
    const names = await segments();
    const path = join(dir.path, names.at(-1) ?? '');
    const bytes = await readFile(path);
    // The snapshot's record stands behind the headers of segment and commit.
    const at = 68 + 60 + 20;
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await writeFile(path, bytes);
    const { code, err } = await buffer('trim --before-seq 40 --force');
    expect([code, err]).toEqual([1, expect.stringContaining('LB_JOURNAL_CORRUPT')]);
    expect(await segments()).toEqual(names);
  });
});
