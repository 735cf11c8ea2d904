import { cp, readdir, readFile, rm, symlink, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runProgram } from '../../src/commands/program.ts';
import { type Relay, startRelay } from '../../src/relay.ts';
import type { RelayStatus } from '../../src/status/types.ts';
import { systemClock } from '../../src/sys/clock.ts';
import { FakeHost } from '../cli/fake-host.ts';
import { freePort } from '../support/ports.ts';
import { RelayRig } from '../support/relay-rig.ts';
import { until } from '../support/wait.ts';

const TOKEN = 's3cret';

let rig: RelayRig;
let journal_dir: string;
const started: Relay[] = [];

beforeEach(async () => {
  rig = await RelayRig.open();
  journal_dir = join(rig.dir.path, 'journal');
});

afterEach(async () => {
  await Promise.allSettled(started.splice(0).map((relay) => relay.stop()));
  await rig.dispose();
});

function hostOf(argv: readonly string[], world: ConstructorParameters<typeof FakeHost>[1] = {}) {
  const host = new FakeHost(['status', ...argv], world);
  const ended = runProgram(host, { relay: () => Promise.reject(new Error('not to be started')) });
  return { host, ended };
}

async function status(argv: readonly string[], world = {}) {
  const { host, ended } = hostOf(argv, world);
  const code = await ended;
  return { code, out: host.out, err: host.err };
}

/** With the status server open, on a port of the system's choice unless told. */
async function startServed(port = 0, takeover = false): Promise<Relay> {
  const config = {
    ...rig.config({ up: rig.toSink() }),
    status: { address: { host: '127.0.0.1', port }, token: TOKEN },
  };
  const relay = await startRelay(config, {
    ...{ log: rig.log, clock: systemClock, stdout: rig.stdout, stdout_is_terminal: false },
    ...{ drop_outputs: [], takeover, env: {}, pid: 1, version: '0.0.0' },
  });
  started.push(relay);
  return relay;
}

describe('logboom status', () => {
  it('asks the relay that owns a journal, also without a status server', async () => {
    const relay = await rig.start({ up: rig.toSink() });
    const client = await rig.client(relay);
    await rig.send(client);
    await rig.sinkHas(1);
    const { code, out, err } = await status(['--json', '--journal', journal_dir]);
    expect([code, err]).toEqual([0, '']);
    const found = JSON.parse(out) as RelayStatus;
    expect(found).toMatchObject({
      state: 'running',
      inputs: { connections_open: 1, messages: 1, events: 1, acks: 1 },
      journal: { dir: journal_dir, events: 1, writable: true },
      dropped: {},
    });
    expect(found.inputs.listeners).toEqual([{ url: relay.listening[0] }]);
  });

  it("shows an output's events arrive", async () => {
    const relay = await rig.start({ up: rig.toSink() });
    const client = await rig.client(relay);
    await rig.send(client);
    const args = ['--json', '--journal', journal_dir];
    await until('the output has nothing left', async () => {
      const [up] = (JSON.parse((await status(args)).out) as RelayStatus).outputs;
      return up?.events_out === 1 && up.lag_events === 0 && up.oldest_age_ms === null;
    });
  });

  it('names an output that is stuck, and how much waits for it', async () => {
    await rig.sink.stop();
    const relay = await rig.start({ up: rig.toSink() });
    await rig.send(await rig.client(relay));
    await until('the output has failed', async () => {
      const { out } = await status(['--journal', journal_dir]);
      return /✗ output up: .*ECONNREFUSED.*; 1 event waits, the oldest for /.test(out);
    });
  });

  it('asks over HTTP, with the token in a file', async () => {
    const { status_url = '' } = await startServed();
    const files = { '/srv/token': `${TOKEN}\n` };
    const { code, out } = await status(['--status', status_url, '--token-file', 'token'], {
      files,
    });
    expect([code, out]).toEqual([0, expect.stringContaining('running')]);
    const without = await status(['--status', status_url]);
    expect(without).toMatchObject({ code: 1, err: expect.stringContaining('--token-file') });
  });

  it('finds the relay of a configuration', async () => {
    await rig.start({ up: rig.toSink() });
    const files = { '/srv/c.yaml': `journal: {dir: ${journal_dir}}\n` };
    expect(await status(['--config', 'c.yaml'], { files })).toMatchObject({ code: 0, err: '' });
  });

  it('reads the journal of a relay that is down, writes nothing, and ends with 1', async () => {
    await rig.sink.stop();
    const relay = await rig.start({ up: rig.toSink() });
    await rig.send(await rig.client(relay));
    await relay.stop();
    const before = await contentOf(journal_dir);
    const { code, out } = await status(['--json', '--journal', journal_dir]);
    expect([code, JSON.parse(out)]).toEqual([
      1,
      expect.objectContaining({
        state: 'stopped',
        events: 1,
        outputs: [{ name: 'up', lag_events: 1, lag_bytes: expect.any(Number) }],
        damaged_places: 0,
      }),
    ]);
    expect(await contentOf(journal_dir)).toEqual(before);
  });

  it('reads a journal that was copied while it was written, and one that is damaged', async () => {
    const relay = await rig.start({ up: rig.toSink() });
    await rig.send(await rig.client(relay));
    const copy = join(rig.dir.path, 'copy');
    await cp(journal_dir, copy, { recursive: true, filter: (path) => !path.endsWith('.sock') });
    expect(JSON.parse((await status(['--json', '--journal', copy])).out)).toMatchObject({
      state: 'not_asked',
      events: 1,
    });
    const [segment = ''] = (await readdir(copy)).filter((name) => /^\d|\.seg|\.log/.test(name));
    await truncate(join(copy, segment), 10);
    const { code, out } = await status(['--journal', copy]);
    expect([code, out]).toEqual([1, expect.stringContaining('damaged place')]);
  });

  it('shows its own journal, and not another relay that answers at its URL', async () => {
    const { status_url: url = '' } = await startServed();
    const copy = join(rig.dir.path, 'copy');
    await cp(journal_dir, copy, { recursive: true, filter: (path) => !path.endsWith('.sock') });
    const files = { '/srv/c.yaml': configOf(copy, url), '/srv/token': TOKEN };
    const argv = ['--config', 'c.yaml', '--token-file', 'token'];
    const { code, out } = await status(argv, { files });
    expect([code, out]).toEqual([1, expect.stringContaining(copy)]);
    expect(out).toContain(`another relay answers at ${url}, for the journal in ${journal_dir}`);
    const { out: json } = await status([...argv, '--json'], { files });
    expect(JSON.parse(json)).toMatchObject({
      ...{ state: 'not_asked', dir: copy },
      other_relay: { url, dir: journal_dir },
    });
  });

  it('shows a relay that answers only over HTTP when its journal is that folder', async () => {
    const { status_url: url = '' } = await startServed();
    await rm(join(journal_dir, 'control.sock'));
    const link = join(rig.dir.path, 'link');
    await symlink(journal_dir, link);
    const files = { '/srv/c.yaml': configOf(link, url), '/srv/token': TOKEN };
    const argv = ['--json', '--config', 'c.yaml', '--token-file', 'token'];
    const { code, out } = await status(argv, { files });
    expect([code, JSON.parse(out)]).toEqual([0, expect.objectContaining({ state: 'running' })]);
  });

  it('shows the relay at its URL when there is no journal in its folder', async () => {
    const { status_url: url = '' } = await startServed();
    const files = { '/srv/c.yaml': configOf('/srv/nowhere', url), '/srv/token': TOKEN };
    const { code, out } = await status(['--config', 'c.yaml', '--token-file', 'token'], { files });
    expect([code, out]).toEqual([0, expect.stringContaining('running')]);
  });

  it('says that there is nothing, and ends with 1', async () => {
    expect(await status(['--journal', '/srv/nowhere'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('no relay answers'),
    });
    const url = `http://127.0.0.1:${await freePort()}`;
    expect(await status(['--status', url])).toMatchObject({
      code: 1,
      err: expect.stringContaining(url),
    });
  });

  it.each([
    [['--status', 'tcp://a:1'], 'Did you mean http://a:1?'],
    [['--status', 'http://a', '--journal', 'j'], 'give one of'],
    [['--status', 'http://a', '--token-file', 'none'], 'cannot be read'],
    [['--config', 'none.yaml'], 'no such configuration file'],
  ])('ends with 2 for %j', async (argv, said) => {
    expect(await status(argv)).toMatchObject({ code: 2, err: expect.stringContaining(said) });
  });
});

describe('logboom status --watch', () => {
  it('draws over its own screen until it is told to stop, and gives the screen back', async () => {
    await rig.start({ up: rig.toSink() });
    const { host, ended } = hostOf(['--watch', '--journal', journal_dir], { terminal: true });
    await until('two frames are drawn', () => host.out.split('\x1b[?2026h').length > 2);
    host.stop?.('SIGINT');
    expect(await ended).toBe(0);
    expect(host.out.startsWith('\x1b[?1049h\x1b[?25l')).toBe(true);
    expect(host.out.endsWith('\x1b[?25h\x1b[?1049l')).toBe(true);
    const [, frame = ''] = host.out.split('\x1b[?2026h');
    expect(frame.startsWith('\x1b[H')).toBe(true);
    expect(frame).not.toContain('\x1b[2J');
    const lines = frame.split('\r\n');
    expect(lines.length).toBeLessThanOrEqual(24);
    expect(lines.every((line) => line.includes('\x1b[K'))).toBe(true);
  });

  it('goes on when the relay goes, and shows what its journal holds', async () => {
    const relay = await rig.start({ up: rig.toSink() });
    const argv = ['--watch', '--json', '--journal', journal_dir];
    const { host, ended } = hostOf(argv);
    await until('the relay answers', () => host.out.includes('"state":"running"'));
    await relay.stop();
    await until('it is seen to be gone', () => host.out.includes('"state":"stopped"'));
    host.stop?.('SIGINT');
    expect(await ended).toBe(1);
    expect(
      host.out
        .trimEnd()
        .split('\n')
        .map((line): unknown => JSON.parse(line)).length,
    ).toBe(host.out.split('\n').length - 1);
  });
});

describe('the status server of a relay', () => {
  it('is open while the relay runs, and its port is free when it has stopped', async () => {
    const port = await freePort();
    const relay = await startServed(port);
    expect(relay.status_url).toBe(`http://127.0.0.1:${port}`);
    expect(await (await fetch(`${relay.status_url}/healthz`)).text()).toBe('ok\n');
    await relay.stop();
    await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow();
    await startServed(port);
  });

  it('keeps a relay from starting when its port is taken', async () => {
    const { status_url = '' } = await startServed();
    const other = await RelayRig.open();
    const config = {
      ...other.config({ up: other.toSink() }),
      status: { address: { host: '127.0.0.1', port: Number(new URL(status_url).port) }, token: '' },
    };
    const deps = { log: other.log, clock: systemClock, stdout: other.stdout };
    const starting = startRelay(config, {
      ...{ ...deps, stdout_is_terminal: false, drop_outputs: [], takeover: false },
      ...{ env: {}, pid: 1, version: '0.0.0' },
    });
    await expect(starting).rejects.toMatchObject({ code: 'LB_LISTEN', where: status_url });
    await other.start({ up: other.toSink() });
    await other.dispose();
  });

  it('is given to a successor', async () => {
    const port = await freePort();
    const before = await startServed(port);
    const stopped = before.released.then(() => before.stop());
    const after = await startServed(port, true);
    await stopped;
    expect(after.status_url).toBe(`http://127.0.0.1:${port}`);
    expect((await fetch(`${after.status_url}/readyz`)).status).toBe(200);
  });
});

function configOf(dir: string, url: string): string {
  return `journal: {dir: ${dir}}\nstatus: {listen: '${url}'}\n`;
}

/** Every file with what is in it. */
async function contentOf(directory: string): Promise<Record<string, string>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const found = await Promise.all(
    files.map(async ({ name, parentPath }): Promise<[string, string]> => {
      const path = join(parentPath, name);
      return [path, (await readFile(path)).toString('base64')];
    }),
  );
  return Object.fromEntries(found);
}
