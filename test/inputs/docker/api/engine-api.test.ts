import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { transportError } from '../../../../src/inputs/docker/api/api-error.ts';
import { unixEndpoint } from '../../../../src/inputs/docker/api/endpoint.ts';
import { EngineApi } from '../../../../src/inputs/docker/api/engine-api.ts';
import { linesOf, parseEvent } from '../../../../src/inputs/docker/api/engine-events.ts';
import { chooseVersion } from '../../../../src/inputs/docker/api/version.ts';
import { systemClock } from '../../../../src/sys/clock.ts';
import { FakeEngine } from '../../../support/fake-engine.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const NEVER = new AbortController().signal;
const LIMITS = { timeout_ms: 60_000, answer_max_bytes: 1_000_000 };

function apiAt(socket_path: string, limits = LIMITS): EngineApi {
  return new EngineApi(unixEndpoint(socket_path), systemClock, limits);
}

describe('the version that is spoken', () => {
  it.each([
    ['that of an older Engine', '1.41', '1.12', '1.41'],
    ['the newest known of a newer one', '1.54', '1.44', '1.51'],
    ['the oldest of one that has left ours behind', '1.99', '1.60', '1.60'],
  ])('is %s', (_, newest, oldest, chosen) => {
    expect(chooseVersion(newest, oldest)).toBe(chosen);
  });
});

describe('the Engine API', () => {
  let engine: FakeEngine;
  let api: EngineApi;

  beforeEach(async () => {
    engine = await FakeEngine.start();
    api = apiAt(engine.socket_path);
  });

  afterEach(async () => {
    await engine.dispose();
  });

  it('lists containers, running or not', async () => {
    engine.add('a', 'db');
    engine.add('b', 'job').running = false;
    expect(await api.list(NEVER)).toEqual(['a'.repeat(64), 'b'.repeat(64)]);
  });

  it('tells of a container what its own files would', async () => {
    const { id } = engine.add('a', 'web');
    expect(await api.inspect(id, NEVER)).toEqual({
      id,
      name: 'web',
      image_name: 'app:1',
      image_id: `sha256:${'a'.repeat(64)}`,
      labels: {},
      env: ['A=b'],
      hostname: 'host',
      command: ['/bin/sh', '-c', 'true'],
      tty: false,
      log_driver: 'json-file',
      log_options: { 'max-size': '1m' },
      created_ms: Date.parse('2026-11-23T05:59:59Z'),
      started_ms: Date.parse('2026-11-23T06:00:00.123Z'),
      running: true,
      directory: undefined,
      log_path: '',
    });
  });

  it('knows no container that the Engine does not know', async () => {
    expect(await api.inspect('b'.repeat(64), NEVER)).toBeUndefined();
  });

  it('says what to do when nobody is at the socket', async () => {
    await engine.goAway();
    const error = await api.list(NEVER).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: 'LB_DOCKER_API',
      where: `unix://${engine.socket_path}/version`,
      hint: expect.stringMatching(/Mount the socket|Start the Docker Engine/) as string,
    });
  });

  it('says which group to join when the socket may not be used', () => {
    const denied = Object.assign(new Error('connect EACCES'), { code: 'EACCES' });
    expect(transportError('unix:///s', denied).describe()).toContain('usually `docker`');
  });

  it('gives up on an Engine that does not answer', async () => {
    const dir = await tempDir('mute');
    const mute = createServer(() => {});
    const path = join(dir.path, 's');
    await new Promise<void>((resolve) => mute.listen(path, resolve));
    try {
      const late = apiAt(path, { ...LIMITS, timeout_ms: 20 }).list(NEVER);
      await expect(late).rejects.toThrow('no whole answer within 20 ms');
    } finally {
      mute.close();
      await dir.remove();
    }
  });

  it('takes no answer beyond its limit', async () => {
    for (const digit of '0123456789abcdef') engine.add(digit, digit);
    const small = apiAt(engine.socket_path, { ...LIMITS, answer_max_bytes: 500 });
    await expect(small.list(NEVER)).rejects.toThrow('longer than 500 bytes');
  });

  it('ends a call when its owner wants, and says nothing of the Engine then', async () => {
    const container = engine.add('a', 'web');
    container.hangs = true;
    const owner = new AbortController();
    const call = api.inspect(container.id, owner.signal);
    owner.abort();
    await expect(call).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('asks for the version again after a failure, since the Engine may be another', async () => {
    await api.list(NEVER);
    await engine.goAway();
    await expect(api.list(NEVER)).rejects.toThrow();
    await engine.listen();
    await api.list(NEVER);
    expect(engine.requests.filter((path) => path === '/version')).toHaveLength(2);
  });
});

describe('an event', () => {
  const LINE =
    '{"status":"die","id":"7150","from":"bb:1","Type":"container","Action":"die","Actor":{"ID":"7150","Attributes":{"exitCode":"0","name":"ref_api"}},"scope":"local","time":1795414942,"timeNano":1795414942346834045}';

  it('keeps all digits of its time, so that `since` misses none', () => {
    expect(parseEvent(LINE)).toEqual({
      action: 'die',
      container_id: '7150',
      container_name: 'ref_api',
      time: '1795414942.346834045',
    });
  });

  it.each([
    ['about a network', '{"Type":"network","Action":"connect","Actor":{"ID":"n"}}'],
    ['that is no JSON', '{"Type":'],
    ['that is null', 'null'],
  ])('%s is none of ours', (_, line) => {
    expect(parseEvent(line)).toBeUndefined();
  });

  it('is a line, however the bytes are cut, and one that is too long is passed over', async () => {
    const bytes = Buffer.from(`one\n\ntwo\n${'x'.repeat(50)}\nthree\nunfinished`);
    for (let size = 1; size < bytes.length; size++) {
      const lines: string[] = [];
      for await (const line of linesOf(pieces(bytes, size), 20)) lines.push(line);
      const is_whole = size >= bytes.length - 10;
      expect(lines.filter((line) => !line.startsWith('x') || !is_whole)).toEqual(
        expect.arrayContaining(['one', 'two', 'three']),
      );
      expect(lines).not.toContain('unfinished');
    }
  });
});

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
