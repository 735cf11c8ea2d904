/** The command on container files as dockerd writes them. */
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createServer as createListener, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Journal } from '../../src/journal/journal.ts';
import { cli } from '../cli/fake-host.ts';
import { DockerFolder, idOf } from '../inputs/docker/registry/docker-folder.ts';
import { type TempDir, tempDir } from '../support/temp-dir.ts';

/** When the containers of `docker-folder.ts` were created. */
const CREATED_S = Date.parse('2026-11-23T06:00:00Z') / 1000;

let dir: TempDir;
let docker: DockerFolder;
let ends: (() => Promise<unknown>)[];

beforeEach(async () => {
  dir = await tempDir('doctor');
  docker = new DockerFolder(join(dir.path, 'docker', 'containers'));
  await mkdir(docker.path, { recursive: true });
  ends = [];
});

afterEach(async () => {
  for (const end of ends) await end();
  await dir.remove();
});

async function listen(server: Server, path: string): Promise<void> {
  ends.push(() => new Promise((resolve) => server.close(resolve)));
  await new Promise<void>((resolve) => server.listen(path, resolve));
}

const at = (name: string): string => join(dir.path, name);

/** With a relay's socket at `relay.sock`, and no `daemon.json` but our own. */
function doctor(more = '', docker_root = at('docker')): ReturnType<typeof cli> {
  const flags = `--docker ${docker_root} --journal ${at('journal')} --listen unix://${at('relay.sock')}`;
  return cli(`doctor ${flags} --daemon-json ${at('daemon.json')} ${more}`.trim());
}

interface Report {
  readonly subjects: readonly {
    readonly subject: { readonly kind: string; readonly name: string };
    readonly findings: readonly { readonly code: string; readonly log_opts?: object }[];
  }[];
}

async function codesOf(kind: string, more = ''): Promise<readonly string[]> {
  const { subjects } = JSON.parse((await doctor(`--json ${more}`)).out) as Report;
  return subjects
    .filter(({ subject }) => subject.kind === kind)
    .flatMap(({ findings }) => findings.map(({ code }) => code));
}

describe('doctor', () => {
  it('finds what can lose lines, container by container, and ends with 1', async () => {
    await listen(createListener(), at('relay.sock'));
    await docker.write(idOf('a'), {
      name: 'web',
      options: { 'fluentd-address': `unix://${at('relay.sock')}`, 'cache-disabled': 'true' },
    });
    await docker.write(idOf('b'), {
      name: 'api',
      driver: 'json-file',
      options: { 'max-size': '10k', 'max-file': '2' },
    });
    const log = join(docker.path, idOf('b'), `${idOf('b')}-json.log`);
    await writeFile(`${log}.1`, 'x'.repeat(10_000));
    await utimes(`${log}.1`, CREATED_S + 100, CREATED_S + 100);
    await writeFile(log, 'x'.repeat(5000));
    await utimes(log, CREATED_S + 150, CREATED_S + 150);

    const { code, out, err } = await doctor();
    expect([code, err]).toEqual([1, '']);
    expect(out).toMatch(/^container api \(bbbbbbbbbbbb\)\n {2}error {4}rotation-too-small: /m);
    expect(out).toContain('at 100 B/s, what is sure to be kept is gone after 100 s, not 10 min');
    expect(out).toMatch(/^container web \(aaaaaaaaaaaa\)\n {2}error {4}cache-off: /m);
    expect(out).toContain('--log-opt cache-disabled=false');
    expect(out).toContain('2 containers looked at');
  });

  it('ends with 0 where nothing can be lost', async () => {
    await listen(createListener(), at('relay.sock'));
    await docker.write(idOf('a'), {
      options: {
        'fluentd-address': `unix://${at('relay.sock')}`,
        'fluentd-sub-second-precision': 'true',
        mode: 'blocking',
      },
    });
    const { code, out } = await doctor('--outage 1m');
    expect([code, out]).toEqual([0, expect.stringContaining('0 errors, 0 warnings')]);
  });

  it('says when nothing answers where the relay should listen', async () => {
    await docker.write(idOf('a'), { options: { 'fluentd-address': `unix://${at('relay.sock')}` } });
    expect(await codesOf('relay')).toEqual(['listener-unreachable']);
  });

  it('names a tag that cannot be made, by container', async () => {
    await docker.write(idOf('a'), { driver: 'json-file', options: { tag: '{{.Nmae}}' } });
    expect(await codesOf('container')).toContain('tag-unsupported');
  });

  it('names a container whose files rotate every few seconds, and counts it for the journal', async () => {
    await docker.write(idOf('b'), {
      driver: 'json-file',
      options: { 'max-size': '10k', 'max-file': '3' },
    });
    const log = join(docker.path, idOf('b'), `${idOf('b')}-json.log`);
    for (const [index, path] of [`${log}.2`, `${log}.1`, log].entries()) {
      await writeFile(path, 'x'.repeat(10_000));
      const modified_s = CREATED_S + 100 + 2 * index;
      await utimes(path, modified_s, modified_s);
    }
    const { code, out } = await doctor('--outage 100000h');
    expect(code).toBe(1);
    expect(out).toContain('rotation-too-small: Docker keeps 3 files of 10 kB: at 5 kB/s');
    expect(out).toContain('the containers write 5 kB/s together');
  });

  it('leaves out what the configuration deselects', async () => {
    await docker.write(idOf('a'), { driver: 'journald', labels: { 'logboom.enable': 'false' } });
    expect(await codesOf('container')).toEqual([]);
  });

  it('judges what the Engine gives new containers', async () => {
    const defaults = { 'log-driver': 'fluentd', 'log-opts': { 'fluentd-async': 'true' } };
    await writeFile(at('daemon.json'), JSON.stringify(defaults));
    expect(await codesOf('new containers')).toContain('whole-second-times');
  });

  it("asks the Engine's version when its API is configured", async () => {
    const engine = createServer((_request, response) => {
      response.end(JSON.stringify({ Version: '29.0.1', ApiVersion: '1.51' }));
    });
    await listen(engine, at('docker.sock'));
    await docker.write(idOf('a'), { options: { 'fluentd-request-ack': 'true' } });
    const config = { '/srv/logboom.yaml': `docker:\n  api: unix://${at('docker.sock')}\n` };
    const line = `doctor --config logboom.yaml --docker ${at('docker')} --journal ${at('journal')} --json`;
    const { out } = await cli(line, { files: config });
    expect(out).toContain('acks-without-timeout');
  });

  it('compares the times in the journal with the clock, and changes nothing there', async () => {
    const journal = await Journal.open({ directory: at('journal') });
    ends.push(() => journal.close());
    expect(await codesOf('journal')).toEqual([]);
  });

  it.each([
    ['a folder that is not there', '/nowhere', 'cannot be read'],
    ['a folder that is not Docker’s', '/proc/self', "expected Docker's data root"],
  ])('ends with 2 for %s', async (_, root, message) => {
    const { code, err } = await doctor('', root);
    expect([code, err]).toEqual([2, expect.stringContaining(message)]);
  });

  it('ends with 2 when a container cannot be looked at, and looks at the others', async () => {
    await docker.write(idOf('a'), { driver: 'journald' });
    await docker.write(idOf('b'));
    await docker.put(idOf('b'), 'config.v2.json', 'torn');
    const { code, out, err } = await doctor();
    expect([code, err]).toEqual([2, expect.stringContaining('container bbbbbbbbbbbb')]);
    expect(out).toContain('driver-not-read');
  });

  it('refuses an outage that is no duration', async () => {
    const { code, err } = await doctor('--outage long');
    expect([code, err]).toEqual([2, expect.stringContaining('--outage long')]);
  });
});
