import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findContainers } from '../../../../src/inputs/docker/registry/find-containers.ts';
import { type TempDir, tempDir } from '../../../support/temp-dir.ts';
import { idOf } from './docker-folder.ts';

let dir: TempDir;
beforeEach(async () => {
  dir = await tempDir('find');
});
afterEach(() => dir.remove());

async function folders(...paths: string[]): Promise<void> {
  for (const path of paths) await mkdir(join(dir.path, path), { recursive: true });
}

describe("what is given as Docker's folder", () => {
  it('may be the data root', async () => {
    await folders('image', `containers/${idOf('a')}`, `containers/${idOf('b')}`, 'containers/x');
    expect(await findContainers(dir.path)).toEqual({
      directory: join(dir.path, 'containers'),
      given: 'data root',
      count: 2,
    });
  });

  it('may be the containers folder, under whatever name it is mounted', async () => {
    await folders(`logs/${idOf('a')}`, 'containers');
    const mounted = join(dir.path, 'logs');
    expect(await findContainers(mounted)).toMatchObject({
      directory: mounted,
      given: 'containers folder',
      count: 1,
    });
    const empty = join(dir.path, 'containers');
    expect(await findContainers(empty)).toMatchObject({ directory: empty, count: 0 });
  });

  it('is refused when it is neither, with what it holds', async () => {
    await folders('etc', 'usr');
    await expect(findContainers(dir.path)).rejects.toMatchObject({
      code: 'LB_DOCKER',
      message: expect.stringMatching(/found (etc, usr|usr, etc)$/),
    });
  });

  it('is refused above the folder of a remapped Engine, which is named', async () => {
    await folders('165536.165536/containers');
    await expect(findContainers(dir.path)).rejects.toMatchObject({
      hint: expect.stringContaining(join(dir.path, '165536.165536')),
    });
  });

  it('is refused when it is not there', async () => {
    await expect(findContainers(join(dir.path, 'none'))).rejects.toMatchObject({
      code: 'LB_DOCKER',
      hint: expect.stringContaining('mount'),
    });
  });
});
