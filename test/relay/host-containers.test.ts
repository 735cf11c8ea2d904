import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type HostContainers, openHostContainers } from '../../src/relay/host-containers.ts';
import { parsed } from '../config/parsing.ts';
import { DockerFolder, idOf } from '../inputs/docker/registry/docker-folder.ts';
import { FakeEngine } from '../support/fake-engine.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { RecordingLog } from '../support/recording-log.ts';
import { type TempDir, tempDir } from '../support/temp-dir.ts';
import { until } from '../support/wait.ts';

const ID = idOf('c');

describe('the containers of this host', () => {
  let dir: TempDir;
  let folder: DockerFolder;
  let engine: FakeEngine;
  let opened: HostContainers | undefined;
  let log: RecordingLog;

  beforeEach(async () => {
    dir = await tempDir('host');
    folder = new DockerFolder(join(dir.path, 'containers'));
    await mkdir(folder.path);
    engine = await FakeEngine.start();
    log = new RecordingLog();
  });

  afterEach(async () => {
    await opened?.close();
    await engine.dispose();
    await dir.remove();
  });

  async function open(more: { root?: string; api_socket?: string }): Promise<HostContainers> {
    // On this clock no rescan is ever due.
    const deps = { clock: new ManualClock(), log };
    opened = await openHostContainers({ ...parsed().docker, ...more }, deps);
    if (opened === undefined) throw new Error('expected containers, found none');
    return opened;
  }

  it('are known from their files at once when the Engine hints at a change', async () => {
    await folder.write(ID, { name: 'before' });
    const container = engine.add('c', 'told by the Engine');
    const { source } = await open({ root: dir.path, api_socket: engine.socket_path });
    expect(source.get(ID)?.name).toBe('before');
    await until('the Engine is listened to', () => engine.subscribers_count === 1);
    await folder.write(ID, { name: 'after' });
    container.name = 'told again';
    engine.emit('rename', container);
    await until('the new name', () => source.get(ID)?.name === 'after');
  });

  it('are known from their files also while the Engine is away', async () => {
    await folder.write(ID, { name: 'web' });
    const { source } = await open({ root: dir.path, api_socket: join(dir.path, 'nobody.sock') });
    expect(source.all().map(({ name }) => name)).toEqual(['web']);
    await until('that is said', () => log.said('warn').join().includes('not available'));
  });

  it('are known from the Engine where no files are read', async () => {
    engine.add('c', 'web');
    const { source, engine: asked } = await open({ api_socket: engine.socket_path });
    expect(source.all().map(({ name }) => name)).toEqual(['web']);
    expect(asked).toBeDefined();
  });

  it('are gone only when that is certain', async () => {
    await folder.write(ID, { name: 'web' });
    const { source } = await open({ root: dir.path });
    expect(await source.isGone(ID)).toBe(false);
    expect(await source.isGone(idOf('d'))).toBe(true);
    await folder.put(ID, 'config.v2.json', 'no JSON');
    expect(await source.isGone(ID)).toBe(false);
  });

  it('are nobody where neither files nor Engine are given', async () => {
    const deps = { clock: new ManualClock(), log };
    expect(await openHostContainers(parsed().docker, deps)).toBeUndefined();
  });
});
