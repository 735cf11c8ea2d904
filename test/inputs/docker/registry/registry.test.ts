import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type ContainerFolders,
  DiskContainerFolders,
} from '../../../../src/inputs/docker/registry/container-folders.ts';
import { ContainerRegistry } from '../../../../src/inputs/docker/registry/registry.ts';
import { LIMITS } from '../../../../src/limits.ts';
import { type Clock, systemClock } from '../../../../src/sys/clock.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { RecordingLog } from '../../../support/recording-log.ts';
import { type TempDir, tempDir } from '../../../support/temp-dir.ts';
import { until } from '../../../support/wait.ts';
import { configJson, DockerFolder, idOf } from './docker-folder.ts';

const [A, B, C] = ['a', 'b', 'c'].map(idOf) as [string, string, string];

let dir: TempDir;
let docker: DockerFolder;
let clock: ManualClock;
let log: RecordingLog;
let events: string[];
let registry: ContainerRegistry | undefined;

beforeEach(async () => {
  dir = await tempDir('registry');
  docker = new DockerFolder(dir.path);
  clock = new ManualClock();
  log = new RecordingLog();
  events = [];
});
afterEach(async () => {
  await registry?.close();
  await dir.remove();
});

/** A folder that cannot be watched, and that counts what is read. */
class UnwatchedFolders extends DiskContainerFolders {
  reads = 0;

  override read(id: string) {
    this.reads += 1;
    return super.read(id);
  }

  override watch(): () => void {
    return () => {};
  }
}

/** A folder whose watch a test rings, and where something happens once its list was read. */
class RungFolders extends DiskContainerFolders {
  ring = (): void => {};
  afterList = (): Promise<void> => Promise.resolve();

  override async ids(): Promise<string[]> {
    const ids = await super.ids();
    await this.afterList();
    return ids;
  }

  override watch(onChange: () => void): () => void {
    this.ring = onChange;
    return () => {};
  }
}

async function startWith(
  folders: ContainerFolders,
  time: Clock = clock,
): Promise<ContainerRegistry> {
  registry = new ContainerRegistry({ folders, clock: time, log });
  registry.subscribe({
    added: ({ name }) => events.push(`added ${name}`),
    changed: ({ name, running }, before) =>
      events.push(`changed ${before.name} to ${name}, ${running ? 'running' : 'ended'}`),
    removed: ({ name }) => events.push(`removed ${name}`),
  });
  await registry.start();
  return registry;
}

/** Lets a rescan fall due, and waits for it. */
async function rescanned(): Promise<void> {
  clock.advance(LIMITS.containers_rescan_ms);
  await registry?.rescan(idOf('0'));
}

describe('the registry, where nothing can be watched', () => {
  it('knows all containers once it has started', async () => {
    await docker.write(A, { name: 'one' });
    await docker.write(B, { name: 'two', driver: 'json-file' });
    await mkdir(join(dir.path, 'not-an-id'));
    const { all, get } = bound(await startWith(new UnwatchedFolders(dir.path)));
    expect(all().map(({ name }) => name)).toEqual(expect.arrayContaining(['one', 'two']));
    expect(all()).toHaveLength(2);
    expect(get(B)).toMatchObject({ log_driver: 'json-file', directory: join(dir.path, B) });
    expect(events.toSorted()).toEqual(['added one', 'added two']);
  });

  it('tells what comes, changes and goes, at the next rescan', async () => {
    const { get } = bound(await startWith(new UnwatchedFolders(dir.path)));
    await docker.write(A, { name: 'one' });
    expect(get(A)).toBeUndefined();
    await rescanned();
    await docker.write(A, { name: 'uno', running: false });
    await rescanned();
    await docker.remove(A);
    await rescanned();
    expect(events).toEqual(['added one', 'changed one to uno, ended', 'removed uno']);
    expect(get(A)).toBeUndefined();
  });

  it('reads only what was written since', async () => {
    const folders = new UnwatchedFolders(dir.path);
    for (const id of [A, B, C]) await docker.write(id);
    await startWith(folders);
    await rescanned();
    await rescanned();
    expect(folders.reads).toBe(3);
    await docker.write(B, { name: 'other' });
    await rescanned();
    expect(folders.reads).toBe(4);
  });

  it('does not tell of what was written and is the same', async () => {
    await docker.write(A, { name: 'one' });
    await startWith(new UnwatchedFolders(dir.path));
    await docker.write(A, { name: 'one' });
    await rescanned();
    expect(events).toEqual(['added one']);
  });

  it('looks at one container at once when asked to', async () => {
    const source = await startWith(new UnwatchedFolders(dir.path));
    await docker.write(A, { name: 'one' });
    expect(await source.rescan(A)).toMatchObject({ name: 'one' });
    await docker.remove(A);
    expect(await source.rescan(A)).toBeUndefined();
    expect(events).toEqual(['added one', 'removed one']);
  });

  it('sees a new container start long before the next rescan', async () => {
    await docker.write(A, { name: 'one', started: false, running: false });
    const { get } = bound(await startWith(new UnwatchedFolders(dir.path)));
    expect(get(A)).toMatchObject({ started_ms: 0 });
    await docker.write(A, { name: 'one' });
    clock.advance(100);
    await registry?.rescan(B);
    expect(get(A)).toMatchObject({ running: true });
  });

  it('takes nothing but an id for one', async () => {
    await docker.write(A);
    const folders = new UnwatchedFolders(join(dir.path, A));
    const source = await startWith(folders);
    expect(await source.rescan(`../${A}`)).toBeUndefined();
    expect(await source.rescan(A.slice(0, 12))).toBeUndefined();
    expect(folders.reads).toBe(0);
  });

  it('tells nobody who has unsubscribed', async () => {
    const source = await startWith(new UnwatchedFolders(dir.path));
    const heard: string[] = [];
    const ignore = (): void => {};
    const stop = source.subscribe({
      added: ({ name }) => heard.push(name),
      changed: ignore,
      removed: ignore,
    });
    await docker.write(A, { name: 'one' });
    await source.rescan(A);
    stop();
    await docker.write(B, { name: 'two' });
    await source.rescan(B);
    expect(heard).toEqual(['one']);
  });
});

describe('a folder whose files are not whole', () => {
  it('is looked at again soon while it is new, and nothing is said', async () => {
    await mkdir(join(dir.path, A));
    const { get } = bound(await startWith(new UnwatchedFolders(dir.path)));
    await docker.put(A, 'config.v2.json', configJson(A, { name: 'one' }).slice(0, 100));
    clock.advance(100);
    await registry?.rescan(B);
    expect(get(A)).toBeUndefined();
    await docker.put(A, 'config.v2.json', configJson(A, { name: 'one' }));
    clock.advance(100);
    await registry?.rescan(B);
    expect(get(A)).toBeUndefined();
    await docker.write(A, { name: 'one' });
    clock.advance(200);
    await registry?.rescan(B);
    expect(get(A)).toMatchObject({ name: 'one', log_driver: 'fluentd' });
    expect(events).toEqual(['added one']);
    expect(log.lines).toEqual([]);
  });

  it('leaves the container as it was last read, and is named once when it stays so', async () => {
    await docker.write(A, { name: 'one' });
    const { get } = bound(await startWith(new UnwatchedFolders(dir.path)));
    await docker.put(A, 'config.v2.json', '{"ID":');
    for (let times = 0; times < 5; times++) await rescanned();
    expect(get(A)).toMatchObject({ name: 'one' });
    expect(log.said('warn')).toEqual([
      expect.stringMatching(
        /a container's files cannot be read.*"container":"one".*config\.v2\.json/,
      ),
    ]);
    await docker.write(A, { name: 'two' });
    await rescanned();
    expect(events).toEqual(['added one', 'changed one to two, running']);
  });

  it('keeps the container until the folder is gone, since Docker empties it first', async () => {
    await docker.write(A, { name: 'one' });
    await startWith(new UnwatchedFolders(dir.path));
    await rm(join(dir.path, A, 'config.v2.json'));
    await rescanned();
    expect(events).toEqual(['added one']);
    await docker.remove(A);
    await rescanned();
    expect(events).toEqual(['added one', 'removed one']);
  });
});

describe('the folder of all containers', () => {
  it('that cannot be read takes no container away, and is said once', async () => {
    const inside = join(dir.path, 'containers');
    docker = new DockerFolder(inside);
    await docker.write(A, { name: 'one' });
    const { get } = bound(await startWith(new UnwatchedFolders(inside)));
    await rename(inside, `${inside}-away`);
    await rescanned();
    await rescanned();
    expect(get(A)).toMatchObject({ name: 'one' });
    expect(log.said('warn')).toHaveLength(1);
    await rename(`${inside}-away`, inside);
    await rescanned();
    expect(log.said('info')).toHaveLength(1);
    expect(events).toEqual(['added one']);
  });
});

describe('the registry, watching', () => {
  it('sees a container that is there for a short time only, without a rescan', async () => {
    const without_rescans: Clock = {
      ...systemClock,
      after(delay_ms, task) {
        const is_rescan = delay_ms >= LIMITS.containers_rescan_ms / 2;
        return is_rescan ? () => {} : systemClock.after(delay_ms, task);
      },
    };
    await startWith(new DiskContainerFolders(dir.path), without_rescans);
    await docker.write(A, { name: 'short' });
    await until('the container is seen', () => events.includes('added short'));
    await docker.remove(A);
    await until('its end is seen', () => events.includes('removed short'));
    expect(registry?.all()).toEqual([]);
  });

  it.each(['first', 'a later'])(
    'looks again for a container that comes during %s look, without a rescan',
    async (which) => {
      const folders = new RungFolders(dir.path);
      const comes = async (): Promise<void> => {
        folders.afterList = () => Promise.resolve();
        await docker.write(A, { name: 'short' });
        folders.ring();
      };
      if (which === 'first') folders.afterList = comes;
      await startWith(folders);
      if (which === 'a later') {
        folders.afterList = comes;
        folders.ring();
        clock.advance(100);
        await registry?.rescan(B);
      }
      expect(events).toEqual([]);
      clock.advance(100);
      await registry?.rescan(B);
      expect(events).toEqual(['added short']);
    },
  );

  it('lets go of everything when it is closed', async () => {
    await docker.write(A, { name: 'one' });
    const source = await startWith(new DiskContainerFolders(dir.path));
    await source.close();
    expect(clock.waiting).toBe(0);
    await docker.write(B, { name: 'two' });
    clock.advance(10 * LIMITS.containers_rescan_ms);
    expect(await source.rescan(B)).toBeUndefined();
    expect(events).toEqual(['added one']);
  });

  it('goes on by rescans when the folder goes and comes', async () => {
    const inside = join(dir.path, 'containers');
    await mkdir(inside);
    await startWith(new DiskContainerFolders(inside));
    await rm(inside, { recursive: true });
    await rescanned();
    await new DockerFolder(inside).write(A, { name: 'one' });
    await until('the container is found', async () => {
      await rescanned();
      return events.includes('added one');
    });
  });

  it('says when there is nothing to watch', async () => {
    const file = join(dir.path, 'file');
    await writeFile(file, '');
    await startWith(new DiskContainerFolders(file));
    expect(log.said('warn')).toHaveLength(1);
    await startWith(new DiskContainerFolders(join(dir.path, 'none')));
    expect(log.said('warn')).toHaveLength(2);
  });
});

function bound(source: ContainerRegistry) {
  return { all: () => source.all(), get: (id: string) => source.get(id) };
}
