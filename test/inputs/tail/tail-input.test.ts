import { appendFile, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeMulti } from '@msgpack/msgpack';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Poller } from '../../../src/inputs/logfile/follow/poller.ts';
import { ReadMemory } from '../../../src/inputs/logfile/follow/read-memory.ts';
import { POSITION_SPACE, Positions } from '../../../src/inputs/logfile/positions.ts';
import type { LogTrouble } from '../../../src/inputs/logfile/types.ts';
import { followFile, positionKey } from '../../../src/inputs/tail/follow-file.ts';
import { TailInput } from '../../../src/inputs/tail/tail-input.ts';
import { systemClock } from '../../../src/sys/clock.ts';
import { nodeFs } from '../../../src/sys/fs.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryJournal } from '../../support/memory-journal.ts';
import { RecordingLog } from '../../support/recording-log.ts';
import { type TempDir, tempDir } from '../../support/temp-dir.ts';
import { until } from '../../support/wait.ts';

const ID = 'f'.repeat(64);
/** Records of a body, as they were before they were encoded. */
const recordsOf = (body: Buffer): Record<string, unknown>[] =>
  [...decodeMulti(body)].map((entry) => (entry as [unknown, Record<string, unknown>])[1]);

const cri = (text: string, tag = 'F', ns = 1): string =>
  `2026-11-23T06:00:01.00000000${ns}Z stdout ${tag} ${text}\n`;
const json = (text: string): string =>
  `{"log":"${text}\\n","stream":"stderr","time":"2026-11-23T06:00:01Z"}\n`;

describe("Kubernetes' files", () => {
  let dir: TempDir;
  let clock: ManualClock;
  let log: RecordingLog;
  let positions: Positions;
  let journal: MemoryJournal;
  let input: TailInput | undefined;
  let poller: Poller;
  let troubles: LogTrouble[];

  beforeEach(async () => {
    dir = await tempDir('tail');
    await mkdir(join(dir.path, 'containers'));
    log = new RecordingLog();
    clock = new ManualClock();
    positions = new Positions();
    journal = new MemoryJournal({ spaces: [[POSITION_SPACE, positions]] });
    troubles = [];
  });

  afterEach(async () => {
    await input?.stop();
    await dir.remove();
  });

  const path = (...names: string[]): string => join(dir.path, ...names);

  /** A pod's file, and kubelet's link to it. */
  async function pod(name: string, content: string): Promise<string> {
    const folder = path('pods', `shop_${name}_uid-${name}`, 'app');
    await mkdir(folder, { recursive: true });
    const file = join(folder, '0.log');
    await writeFile(file, content);
    await symlink(file, path('containers', `${name}_shop_app-${ID}.log`));
    return file;
  }

  async function start(
    more: { tag?: string; exclude?: string[]; start_at?: 'newest' } = {},
    // Files are stamped with parts of a millisecond, which Date.now() leaves out: behind them all.
    alive_ms = Date.now() + 1,
  ): Promise<void> {
    poller = new Poller(systemClock);
    const options = {
      paths: [path('containers/*.log'), path('pods/**')],
      exclude: [],
      tag: 'k.{namespace}.{pod}.{container}',
      start_at: 'oldest' as const,
      ...more,
    };
    const onTrouble = (trouble: LogTrouble): void => void troubles.push(trouble);
    const memory = new ReadMemory();
    const feeding = { journal, positions, poller, clock: systemClock, log };
    const deps = { ...feeding, fs: nodeFs, memory, onTrouble };
    input = new TailInput(options, {
      follow: (one) => followFile(one, deps),
      alive_ms,
      clock,
      log,
    });
    await input.start();
  }

  const lines = (): string[] =>
    journal.records.flatMap(({ tag, body }) =>
      recordsOf(body).map((record) => `${tag} ${String(record['log'])}`),
    );
  const arrived = (count: number) =>
    until(
      () => `${lines().length} of ${count} lines`,
      () => {
        journal.commit();
        return lines().length >= count;
      },
    );

  it('are read once each, with the names from their paths, whatever paths lead there', async () => {
    await pod('web', cri('one') + cri('two'));
    await pod('db', json('three'));
    await start();
    await arrived(3);
    expect(lines().toSorted()).toEqual([
      'k.shop.db.app three',
      'k.shop.web.app one',
      'k.shop.web.app two',
    ]);
    const [first] = journal.records.filter(({ tag }) => tag === 'k.shop.web.app');
    expect(recordsOf(first?.body ?? Buffer.alloc(0))[0]).toEqual({
      container_id: ID,
      container_name: '/app',
      source: 'stdout',
      log: 'one',
      'kubernetes.namespace_name': 'shop',
      'kubernetes.pod_name': 'web',
      'kubernetes.pod_id': 'uid-web',
      'kubernetes.container_name': 'app',
    });
    expect(input?.files_count).toBe(2);
  });

  it("are followed through kubelet's rotation and on from their position after a restart", async () => {
    const file = await pod('web', cri('one'));
    await start();
    await arrived(1);
    await appendFile(file, cri('two'));
    await rename(file, `${file}.20261123-060000`);
    await writeFile(file, cri('three', 'F', 3));
    await arrived(3);
    await input?.stop();
    await appendFile(file, cri('four', 'F', 4));
    await start();
    await arrived(4);
    expect(lines()).toEqual(
      ['one', 'two', 'three', 'four'].map((text) => `k.shop.web.app ${text}`),
    );
    expect(troubles).toEqual([]);
  });

  it('have the pieces of a line marked as Docker marks them', async () => {
    await pod('web', cri('begun ', 'P') + cri('ended') + cri('whole'));
    await start();
    await arrived(3);
    const records = journal.records.flatMap(({ body }) => recordsOf(body));
    const partial = records.map((record) => [record['partial_ordinal'], record['partial_last']]);
    expect(partial).toEqual([
      ['1', 'false'],
      ['2', 'true'],
      [undefined, undefined],
    ]);
  });

  it('that come later are found, and read from their beginning', async () => {
    await start();
    await pod('late', cri('first'));
    clock.advance(5_000);
    await arrived(1);
  });

  it('that were there before are read from what comes, also when that comes while logboom is away', async () => {
    const file = await pod('web', cri('old'));
    await start({ start_at: 'newest' });
    await until('its place is kept', () => {
      journal.commit();
      return positions.get(positionKey(file)) !== undefined;
    });
    await input?.stop();
    await appendFile(file, cri('new', 'F', 2));
    await start({ start_at: 'newest' });
    await arrived(1);
    expect(lines()).toEqual(['k.shop.web.app new']);
  });

  it('that were created since logboom last ran are read from their beginning', async () => {
    const before_ms = Date.now() - 60_000;
    await pod('web', cri('first'));
    await start({ start_at: 'newest' }, before_ms);
    await arrived(1);
    expect(lines()).toEqual(['k.shop.web.app first']);
  });

  it('that are gone for good are let go, after what is left was read', async () => {
    const file = await pod('web', cri('one'));
    await start();
    await arrived(1);
    await appendFile(file, cri('last', 'F', 2));
    await arrived(2);
    await rm(path('pods', 'shop_web_uid-web'), { recursive: true });
    await until('it is let go', () => {
      clock.advance(5_000);
      return input?.files_count === 0;
    });
    await until('that is said', () => log.said('info').some((line) => line.includes('is gone')));
  });

  it('that are excluded, or are none of theirs, are not read; that is said once', async () => {
    await pod('web', cri('one'));
    await pod('secret', cri('two'));
    await writeFile(path('containers', 'other.log'), cri('three'));
    await writeFile(path('containers', 'text.log'), 'just text\n');
    await symlink(path('nowhere'), path('containers', `dead_shop_app-${ID}.log`));
    await start({ exclude: [path('**/*secret*'), path('pods/*secret*/**')] });
    await arrived(1);
    clock.advance(5_000);
    expect(lines()).toEqual(['k.shop.web.app one']);
    const said = log.said('warn').filter((line) => line.includes('tells what its tag needs'));
    expect(said).toHaveLength(1);
  });
});

describe('the key of a position', () => {
  it('fits however long the path is, and differs where the path does', () => {
    const long = `/var/log/pods/${'p'.repeat(400)}/app/`;
    expect(positionKey('/x/0.log')).toBe('tail:/x/0.log');
    expect(Buffer.byteLength(positionKey(`${long}0.log`))).toBeLessThanOrEqual(255);
    expect(positionKey(`${long}0.log`)).not.toBe(positionKey(`${long}1.log`));
  });
});
