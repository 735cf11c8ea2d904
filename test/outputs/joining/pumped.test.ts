import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Journal } from '../../../src/journal/journal.ts';
import { type FileOutputOptions, fileOutput } from '../../../src/outputs/file/file-output.ts';
import { decodeJoined } from '../../../src/outputs/joining/join-state.ts';
import type { Output, OutputSource } from '../../../src/outputs/output.ts';
import { stdoutOutput } from '../../../src/outputs/stdout.ts';
import { TransientCursor } from '../../../src/outputs/transient-cursor.ts';
import { systemClock } from '../../../src/sys/clock.ts';
import { nodeFs } from '../../../src/sys/fs.ts';
import { silentLog } from '../../../src/sys/log.ts';
import { FaultFs, systemError } from '../../support/fault-fs.ts';
import { fileOptions } from '../../support/file-output-options.ts';
import { dockerFragments, fragment, shortLine } from '../../support/fragments.ts';
import { committed } from '../../support/journal-events.ts';
import { journalSource } from '../../support/journal-source.ts';
import { RecordSource } from '../../support/record-source.ts';
import { type TempDir, tempDir } from '../../support/temp-dir.ts';
import { until } from '../../support/wait.ts';

const PATIENT = { max_bytes: 1024 * 1024, timeout_ms: 600_000 };
const HASTY = { max_bytes: 1024 * 1024, timeout_ms: 50 };
/** The records of the test journal were committed just now. */
const clock = { ...systemClock, now_ms: () => 1_700_000_000_000 };

let dir: TempDir;
let journal: RecordSource;
let outputs: Output[];

beforeEach(async () => {
  dir = await tempDir('joined-files');
  journal = new RecordSource();
  outputs = [];
});

afterEach(async () => {
  for (const output of outputs) await output.stop(0);
  await dir.remove();
});

async function begin(
  options: Partial<FileOutputOptions> = {},
  { fs = nodeFs, source = journal.source() } = {},
): Promise<Output> {
  const output = fileOutput(
    fileOptions(join(dir.path, 'events.ndjson'), { join_partial: PATIENT, ...options }),
    source,
    { clock, log: silentLog, fs },
  );
  await output.start();
  outputs.push(output);
  return output;
}

const drained = (): Promise<unknown> => until('the output has caught up', () => journal.drained);

async function logs(name = 'events.ndjson'): Promise<string[]> {
  const text = await readFile(join(dir.path, name), 'utf8').catch(() => '');
  const lines = text.split('\n').slice(0, -1);
  return lines.map((line) => (JSON.parse(line) as { record: { log: string } }).record.log);
}

function append(...entries: readonly Buffer[]): void {
  for (const body of entries) journal.append({ body });
}

describe('a file output that joins', () => {
  it('writes a line of 40,000 bytes as one, and one of 16,384', async () => {
    const output = await begin();
    const texts = ['x'.repeat(40_000), 'y'.repeat(16_384)];
    for (const [i, text] of texts.entries()) append(...dockerFragments({ id: `${i}` }, text));
    await drained();
    expect(await logs()).toEqual(texts);
    expect(output.stats()).toMatchObject({
      cursor_seq: 6,
      details: { lines_joined: 2, lines_held: 0, files_open: 1 },
    });
  });

  it('writes a tail that never ends when its time is over, though nothing follows', async () => {
    await begin({ join_partial: HASTY });
    append(fragment({ id: 'a' }, 1, 'no newline', false));
    await drained();
    expect(await logs()).toEqual(['no newline']);
  });

  it('keeps its place before a fragment, and after a restart writes nothing twice', async () => {
    const first = await begin();
    append(
      shortLine('1'),
      fragment({ id: 'a' }, 1, 'a', false),
      shortLine('2'),
      fragment({ id: 'a' }, 2, 'b', false),
      shortLine('3'),
    );
    await until('the others are written', async () => (await logs()).length === 3);
    await first.stop(1000);
    expect(journal.saved.seq).toBe(2);
    await begin();
    append(shortLine('4'), fragment({ id: 'a' }, 3, 'c', true), shortLine('5'));
    await drained();
    expect(await logs()).toEqual(['1', '2', '3', '4', 'abc', '5']);
  });

  it('does so with what is held by then when joining is turned off', async () => {
    const first = await begin();
    append(
      fragment({ id: 'a' }, 1, 'a', false),
      shortLine('1'),
      fragment({ id: 'a' }, 2, 'b', false),
    );
    await until('the other is written', async () => (await logs()).length === 1);
    await first.stop(1000);
    await begin({ join_partial: undefined });
    await drained();
    append(fragment({ id: 'a' }, 3, 'c', true));
    await drained();
    expect(await logs()).toEqual(['1', 'ab', 'c']);
  });

  it('in many files, through crashes at any save and failures of the disk, writes every line once', async () => {
    const fs = new FaultFs();
    let calls = 0;
    fs.fault = ({ operation }) => {
      if (operation !== 'writev' && operation !== 'datasync') return undefined;
      calls += 1;
      return calls % 29 === 0 ? systemError('EIO') : undefined;
    };
    const expected = new Map<string, string[]>();
    for (let i = 0; i < 30; i++) {
      const tag = `t${i % 5}`;
      const line = { id: `${i}`, source: i % 2 ? ('stdout' as const) : ('stderr' as const) };
      const text = `${i}`.padEnd(20_000, '.');
      const [one, two] = dockerFragments(line, text) as [Buffer, Buffer];
      for (const body of [one, shortLine(`s${i}`), two]) journal.append({ tag, body });
      expected.set(tag, [...(expected.get(tag) ?? []), `s${i}`, text]);
    }
    for (let crash = 1; !journal.drained; crash++) {
      let saves = 0;
      journal.beforeSave = () => {
        if (++saves > crash) throw new Error('the process is dead');
      };
      const output = await begin(
        { path: join(dir.path, '{tag}.ndjson'), files_open_max: 2 },
        { fs },
      );
      await until('it is dead, or done', () => saves > crash || journal.drained, {
        interval_ms: 1,
      });
      await output.stop(0);
      journal.beforeSave = () => {};
    }
    for (const [tag, lines] of expected) expect(await logs(`${tag}.ndjson`)).toEqual(lines);
  });

  it('on a real journal, over restarts of the whole', async () => {
    const text = (i: number): string => `${i}`.padEnd(40_000, '.');
    const count = 6;
    for (let i = 0; i < count; i++) {
      const real = await Journal.open({ directory: join(dir.path, 'journal') });
      const source = await journalSource(real, 'archive');
      const output = await begin({}, { source });
      const before = dockerFragments({ id: `${i - 1}` }, text(i - 1)).slice(1);
      const next = dockerFragments({ id: `${i}` }, text(i)).slice(0, 1);
      for (const body of [...(i === 0 ? [] : before), shortLine(`s${i}`), ...next]) {
        real.appendBody(Buffer.from('app'), 0, 0, [body], 1, 1, 1);
      }
      await committed(real);
      await until('the whole lines are written', async () => (await logs()).includes(`s${i}`));
      await output.stop(1000);
      await real.close();
    }
    const expected = Array.from({ length: count }, (_, i) =>
      i === 0 ? ['s0'] : [text(i - 1), `s${i}`],
    ).flat();
    expect(await logs()).toEqual(expected);
  });
});

describe('a stdout output that joins', () => {
  /** The logs that are shown; grows. */
  async function show(source: OutputSource, join_partial = PATIENT): Promise<readonly string[]> {
    const shown: string[] = [];
    const stream = new PassThrough();
    stream.on('data', (text: Buffer) => {
      for (const line of text.toString().split('\n').slice(0, -1)) {
        shown.push((JSON.parse(line) as { record: { log: string } }).record.log);
      }
    });
    const additions = { tag_prefix: '', add: {} };
    const options = { name: 'terminal', format: 'ndjson' as const, join_partial, ...additions };
    const output = stdoutOutput(options, source, stream, { clock, log: silentLog });
    await output.start();
    outputs.push(output);
    return shown;
  }

  it('shows a long line as one, and after a restart joins what was held', async () => {
    const shown = await show(journal.source());
    append(shortLine('1'), fragment({ id: 'a' }, 1, 'a', false), shortLine('2'));
    await until(
      'the place is saved',
      () => (decodeJoined(journal.saved.window)?.state.boundary ?? 0) > 2 * 4096,
    );
    expect(shown).toEqual(['1', '2']);
    await outputs.pop()?.stop(1000);
    const again = await show(journal.source());
    append(fragment({ id: 'a' }, 2, 'b', true));
    await drained();
    expect(again).toEqual(['ab']);
  });

  it('does so without a place in the journal, and with an end that never comes', async () => {
    const cursor = new TransientCursor('terminal', 1);
    const shown = await show({ ...journal.source(), cursor }, HASTY);
    append(
      ...dockerFragments({ id: 'a' }, 'x'.repeat(20_000)),
      fragment({ id: 'b' }, 1, 'tail', false),
    );
    await until('all is shown', () => cursor.seq === 4);
    expect(shown).toEqual(['x'.repeat(20_000), 'tail']);
  });
});
