import { once } from 'node:events';
import { existsSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { hasReusePort } from '../../src/inputs/forward/port-sharing.ts';
import { AckedSender } from '../support/acked-sender.ts';
import { ConnectionProbe } from '../support/connection-probe.ts';
import type { Child } from '../support/process.ts';
import { freezingAt, type RigOptions, saying, TakeoverRig } from '../support/takeover-rig.ts';
import { until } from '../support/wait.ts';

/** A Node.js with SO_REUSEPORT: the one that runs the tests, or another one beside it. */
const NODE_THAT_SHARES = hasReusePort(process.versions.node)
  ? process.execPath
  : process.env['LOGBOOM_NODE_THAT_SHARES'];
/** Several relays start and stop one after the other. */
vi.setConfig({ testTimeout: 120_000 });

const DONE = { code: 0, signal: null };

const rigs: TakeoverRig[] = [];
const senders: AckedSender[] = [];

async function rigOf(options: RigOptions = {}): Promise<TakeoverRig> {
  const rig = await TakeoverRig.make(options);
  rigs.push(rig);
  return rig;
}

afterEach(async () => {
  const stopping = senders.splice(0).map((sender) => sender.finish());
  await Promise.all(rigs.splice(0).map((rig) => rig.dispose()));
  await Promise.all(stopping);
});

function sendersTo({ port, socket_path }: TakeoverRig): AckedSender[] {
  const targets = [{ host: '127.0.0.1', port }, { path: socket_path }];
  const added = targets.flatMap((target, at) =>
    [1, 2].map((n) => new AckedSender(target, `sender${at}${n}`)),
  );
  senders.push(...added);
  return added;
}

const ackedBy = (all: readonly AckedSender[]): number =>
  all.reduce((sum, { acked }) => sum + acked, 0);

async function moreAcked(all: readonly AckedSender[], lines: number): Promise<void> {
  const before = all.map(({ acked }) => acked);
  await until(
    () => `each sender has ${lines} more acks; in all ${ackedBy(all)}`,
    () => all.every(({ acked }, at) => acked >= (before[at] ?? 0) + lines),
  );
}

/** How often a relay has said that it goes on, since its successor is gone. */
function goingsOn(relay: Child): number {
  return relay.stderr.split('this process goes on').length - 1;
}

/** Ends the senders and counts what the sink has of what was acked. */
async function counted(rig: TakeoverRig, all: readonly AckedSender[]): Promise<object> {
  const written = new Map<string, number>();
  for (const sender of all) written.set(sender.stream, await sender.finish());
  const total = [...written.values()].reduce((sum, lines) => sum + lines, 0);
  await until(
    () => `${rig.lines.counter.distinct} of ${total} lines`,
    () => rig.lines.counter.distinct >= total,
  );
  const { lost, doubled, out_of_order } = rig.lines.counter.report(written);
  return { lost, doubled, out_of_order, violations: rig.sink.violations };
}

const FLAWLESS = { lost: 0, doubled: 0, out_of_order: 0, violations: [] };

/** What the successor said when it had the journal. */
function tookOver(relay: Child): Record<string, unknown> {
  const line = relay.stderr.split('\n').find((each) => each.includes('took over')) ?? '{}';
  return JSON.parse(line) as Record<string, unknown>;
}

describe('a relay that takes over', () => {
  test('loses and doubles no line of clients with acks, over TCP and unix, twice in a row', async () => {
    const rig = await rigOf();
    const first = await rig.start();
    const all = sendersTo(rig);
    await moreAcked(all, 50);
    const second = await rig.start(['--takeover']);
    expect(await first.exited).toEqual(DONE);
    await moreAcked(all, 50);
    const third = await rig.start(['--takeover']);
    expect(await second.exited).toEqual(DONE);
    await moreAcked(all, 50);
    expect(await counted(rig, all)).toEqual(FLAWLESS);
    expect(tookOver(third)).toMatchObject({ level: 'info', pid: second.pid });
    expect(first.stderr).toContain('the successor goes on');
    expect(await third.stop()).toEqual(DONE);
    expect(existsSync(join(rig.journal, 'control.sock'))).toBe(false);
    expect(existsSync(rig.socket_path)).toBe(false);
  });

  test('refuses no connection to a unix socket', async () => {
    const rig = await rigOf();
    const first = await rig.start();
    const probe = new ConnectionProbe({ path: rig.socket_path });
    await until('the probe runs', () => probe.accepted > 20);
    await rig.start(['--takeover']);
    await first.exited;
    const before = probe.accepted;
    await until('the probe goes on', () => probe.accepted > before + 20);
    expect(await probe.finish()).toEqual([]);
  });

  test.skipIf(hasReusePort(process.versions.node))(
    'says for how long a TCP port that it cannot share was closed',
    async () => {
      const rig = await rigOf();
      await rig.start();
      const second = await rig.start(['--takeover']);
      expect(second.stderr).toMatch(/"listeners":\["tcp:[^\]]*\],"gap_ms":\d+/);
    },
  );

  test.skipIf(NODE_THAT_SHARES === undefined)(
    'refuses no connection to a TCP port where Node.js can share it (LOGBOOM_NODE_THAT_SHARES)',
    async () => {
      const rig = await rigOf({ node: NODE_THAT_SHARES ?? '' });
      const first = await rig.start();
      const all = sendersTo(rig);
      const probe = new ConnectionProbe({ host: '127.0.0.1', port: rig.port });
      await until('the probe runs', () => probe.accepted > 20);
      const second = await rig.start(['--takeover']);
      await first.exited;
      const before = probe.accepted;
      await until('the probe goes on', () => probe.accepted > before + 20);
      // A reset is no refusal: of a client that the kernel had taken for the first, when it closed.
      expect(new Set(await probe.finish())).not.toContain('ECONNREFUSED');
      expect(second.stderr).not.toContain('connections were refused');
      expect(await counted(rig, all)).toEqual(FLAWLESS);
    },
  );

  test('shares the sockets that systemd gave to both', async () => {
    const owner = createServer().listen(0, '127.0.0.1');
    await once(owner, 'listening');
    const { port } = owner.address() as AddressInfo;
    // Node.js tells the descriptor of a listening socket only through its handle.
    const { fd } = Reflect.get(owner, '_handle') as { readonly fd: number };
    const rig = await rigOf({ activated_fd: fd });
    const first = await rig.start();
    const second = await rig.start(['--takeover']);
    expect(await first.exited).toEqual(DONE);
    owner.close();
    const sender = new AckedSender({ host: '127.0.0.1', port }, 'activated');
    senders.push(sender);
    await moreAcked([sender], 5);
    expect(second.exit).toBeUndefined();
  });

  test('needs no output for one that kept no place', async () => {
    const rig = await rigOf();
    const shown = { type: 'stdout', transient: true };
    const config = await configOf(rig, (c) => ({ ...c, outputs: { ...c.outputs, shown } }));
    const first = rig.spawn([], config);
    await saying(first, '"running"');
    await rig.start(['--takeover']);
    expect(await first.exited).toEqual(DONE);
    await moreAcked(sendersTo(rig), 5);
  });

  test('with nobody to take over from just starts', async () => {
    const rig = await rigOf();
    const relay = await rig.start(['--takeover']);
    expect(relay.stderr).toContain('nothing to take over');
    await moreAcked(sendersTo(rig), 5);
  });

  test('starts over the remains of one that was killed', async () => {
    const rig = await rigOf();
    const first = await rig.start();
    await first.stop('SIGKILL');
    expect(existsSync(join(rig.journal, 'control.sock'))).toBe(true);
    await rig.start(['--takeover']);
    await moreAcked(sendersTo(rig), 5);
  });

  test('finds the other also where the path of the journal is too long for a socket', async () => {
    const rig = await rigOf({ deep: 'x'.repeat(120) });
    const first = await rig.start();
    await rig.start(['--takeover']);
    expect(await first.exited).toEqual(DONE);
  });

  test('may be told to stop while it waits, and then does so when it has the journal', async () => {
    const rig = await rigOf();
    const first = await rig.start();
    const second = rig.spawn(['--takeover']);
    await first.exited;
    second.signal('SIGTERM');
    expect(await second.exited).toEqual(DONE);
  });
});

describe('the control socket', () => {
  test('is for its owner only', async () => {
    const rig = await rigOf();
    await rig.start();
    expect(statSync(join(rig.journal, 'control.sock')).mode & 0o777).toBe(0o600);
  });

  test.each([
    ['nonsense', /not understood|called off/],
    ['{"type":"release"}', /release without takeover/],
    ['{"type":"takeover","protocol":99,"pid":1,"version":"9"}', /version 1 of the protocol/],
  ])('answers %s without harm', async (words, answer) => {
    const rig = await rigOf();
    const relay = await rig.start();
    const said = await ask(join(rig.journal, 'control.sock'), words);
    await until(
      () => `an answer; ${said} ${relay.stderr}`,
      () => answer.test(said + relay.stderr),
    );
    expect(relay.exit).toBeUndefined();
    await moreAcked(sendersTo(rig), 5);
  });
});

describe('the relay that runs goes on', () => {
  test('when the configuration of the other is not valid', async () => {
    const rig = await rigOf();
    const first = await rig.start();
    const broken = join(dirname(rig.journal), 'broken.yaml');
    writeFileSync(broken, 'inputs: nonsense\n');
    expect((await rig.spawn(['--takeover'], broken).exited).code).toBe(2);
    await unharmed(rig, first);
  });

  test.each([
    [
      'lacks one of its outputs',
      (c: ConfigFile) => ({ ...c, outputs: { other: c.outputs.sink } }),
      2,
    ],
    [
      'names a certificate that is not there',
      ({ inputs, ...rest }: ConfigFile) => ({
        ...rest,
        inputs: {
          forward: [
            ...inputs.forward,
            { listen: 'tls://127.0.0.1:1', tls: { cert: '/none.pem', key: '/none.pem' } },
          ],
        },
      }),
      1,
    ],
    [
      'wants an address that a third has',
      ({ inputs, ...rest }: ConfigFile) => ({
        ...rest,
        inputs: {
          forward: [
            ...inputs.forward,
            { listen: `tcp://${new URL(rest.outputs.sink.servers[0] ?? '').host}` },
          ],
        },
      }),
      1,
    ],
    [
      'names a certificate of an upstream that is not there',
      (c: ConfigFile) => ({
        ...c,
        outputs: {
          sink: { type: 'forward', servers: ['tls://127.0.0.1:1'], tls: { ca: '/none.pem' } },
        },
      }),
      1,
    ],
    [
      'gives a name that has a place to an output that keeps none',
      (c: ConfigFile) => ({ ...c, outputs: { sink: { type: 'stdout', transient: true } } }),
      2,
    ],
    [
      'makes one of its outputs one of another type',
      (c: ConfigFile) => ({
        ...c,
        outputs: { sink: { type: 'file', path: '/none/{date}.ndjson' } },
      }),
      2,
    ],
  ])('when the configuration of the other %s', async (_what, change, code) => {
    const rig = await rigOf();
    const first = await rig.start();
    const second = rig.spawn(['--takeover'], await configOf(rig, change));
    expect(await second.exited, second.describe()).toEqual({ code, signal: null });
    await unharmed(rig, first);
  });

  test('when the other is told to drop a place that there is not', async () => {
    const rig = await rigOf();
    const first = await rig.start();
    const second = rig.spawn(['--takeover', '--drop-output', 'ghost']);
    expect((await second.exited).code).toBe(2);
    expect(second.stderr).toContain('no place for an output ghost');
    await unharmed(rig, first);
  });

  test('when the other is gone before it asked for release', async () => {
    const rig = await rigOf();
    const first = await rig.start();
    const control = connect(join(rig.journal, 'control.sock'));
    control.write('{"type":"takeover","protocol":1,"pid":1,"version":"9"}\n');
    await saying(first, 'asks to take over');
    expect((await rig.spawn(['--takeover']).exited).code).toBe(1);
    control.destroy();
    await saying(first, 'this process goes on');
    await unharmed(rig, first);
    await rig.start(['--takeover']);
    expect(await first.exited).toEqual(DONE);
  });

  test('and puts its unix socket back when the other has taken the path and is gone', async () => {
    const rig = await rigOf();
    const first = await rig.start();
    const control = connect(join(rig.journal, 'control.sock'));
    control.write('{"type":"takeover","protocol":1,"pid":1,"version":"9"}\n');
    await saying(first, 'asks to take over');
    const theirs = createServer().listen(`${rig.socket_path}.theirs`);
    await once(theirs, 'listening');
    renameSync(`${rig.socket_path}.theirs`, rig.socket_path);
    theirs.close();
    await once(theirs, 'close');
    control.destroy();
    await saying(first, 'this process goes on');
    await unharmed(rig, first);
    expect(await first.stop()).toEqual(DONE);
    expect(existsSync(rig.socket_path)).toBe(false);
  });

  test('when the other is killed at any moment, or the other runs', async () => {
    const rig = await rigOf();
    let current = await rig.start();
    const all = sendersTo(rig);
    for (const moment of ['asks to take over', 'stopping;', 'stopped']) {
      const other = rig.spawn(['--takeover']);
      await saying(current, moment);
      const said = goingsOn(current);
      await other.stop('SIGKILL');
      const old = current;
      await until('the old one goes on, or ends', () => {
        return old.exit !== undefined || goingsOn(old) > said;
      });
      if (old.exit !== undefined) current = await rig.start(['--takeover']);
      await moreAcked(all, 20);
    }
    expect(await counted(rig, all)).toEqual(FLAWLESS);
  });
});

describe('a relay that does not answer', () => {
  test('is left alone', async () => {
    const rig = await rigOf();
    const first = await rig.start();
    first.signal('SIGSTOP');
    const second = rig.spawn(['--takeover']);
    expect((await second.exited).code).toBe(1);
    expect(second.stderr).toContain('LB_TAKEOVER');
    first.signal('SIGCONT');
    await unharmed(rig, first);
  });

  test('any more, once it was asked to stop, is waited for no longer than it may take', async () => {
    const rig = await rigOf({ shutdown_timeout: '500ms' });
    const first = await rig.start([], freezingAt('stopping;'));
    const all = sendersTo(rig);
    await moreAcked(all, 5);
    const second = rig.spawn(['--takeover']);
    expect((await second.exited).code).toBe(1);
    expect(second.stderr).toMatch(new RegExp(`does not hand over.*\\n.*process ${first.pid}`));
    first.signal('SIGKILL');
    await first.exited;
    await rig.start();
    await moreAcked(all, 20);
    expect(await counted(rig, all)).toEqual(FLAWLESS);
  });

  test('since it was killed half way is taken over from', async () => {
    const rig = await rigOf();
    const first = await rig.start();
    const all = sendersTo(rig);
    await moreAcked(all, 5);
    const second = rig.spawn(['--takeover']);
    await saying(first, 'stopping;');
    await first.stop('SIGKILL');
    await saying(second, 'took over');
    await moreAcked(all, 20);
    expect(await counted(rig, all)).toEqual(FLAWLESS);
  });
});

/** The rig's configuration, changed, beside it. */
async function configOf(rig: TakeoverRig, change: (config: ConfigFile) => object): Promise<string> {
  const dir = dirname(rig.journal);
  const config = JSON.parse(await readFile(join(dir, 'logboom.yaml'), 'utf8')) as ConfigFile;
  const changed = join(dir, 'changed.json');
  writeFileSync(changed, JSON.stringify(change(config)));
  return changed;
}

interface ConfigFile {
  readonly inputs: { readonly forward: readonly object[] };
  readonly outputs: { readonly sink: { readonly servers: readonly string[] } };
}

async function unharmed(rig: TakeoverRig, relay: Child): Promise<void> {
  const all = sendersTo(rig);
  await moreAcked(all, 5);
  expect(await counted(rig, all)).toEqual(FLAWLESS);
  expect(relay.exit).toBeUndefined();
}

function ask(path: string, words: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => socket.write(`${words}\n`));
    let said = '';
    socket.on('data', (text: Buffer) => {
      said += text.toString();
    });
    socket.once('close', () => resolve(said));
    socket.once('error', reject);
  });
}
