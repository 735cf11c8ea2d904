import { execFileSync } from 'node:child_process';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Journal } from '../../src/journal/journal.ts';
import { ForwardOutput } from '../../src/outputs/forward/forward-output.ts';
import { Pump } from '../../src/outputs/pump.ts';
import { RelayRig } from '../support/relay-rig.ts';
import { until } from '../support/wait.ts';

let rig: RelayRig;

beforeEach(async () => {
  rig = await RelayRig.open();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rig.dispose();
});

const toFile = (): object => ({ type: 'file', path: join(rig.dir.path, 'events.ndjson') });
const forever = (): Promise<never> => new Promise(() => {});

describe('a part that hangs', () => {
  it('(an output) is named and left behind; the others end, and the journal is free', async () => {
    const relay = await rig.start({ sink: rig.toSink(), stuck: toFile() });
    await rig.send(await rig.client(relay));
    await rig.sinkHas(1);
    vi.spyOn(Pump.prototype, 'stop').mockImplementation(forever);
    await expect(relay.stop()).rejects.toMatchObject({
      code: 'LB_STOP',
      message: 'output stuck hangs',
    });
    expect(rig.log.said('error').join()).toContain('"part":"output stuck"');
    vi.restoreAllMocks();
    await expect(rig.start({ sink: rig.toSink(), stuck: toFile() })).resolves.toBeDefined();
  });

  it('(the journal) is named', async () => {
    const closing = vi.spyOn(Journal.prototype, 'close').mockImplementation(forever);
    const relay = await rig.start({ sink: rig.toSink() });
    await expect(relay.stop()).rejects.toMatchObject({ message: 'the journal hangs' });
    const [journal] = closing.mock.contexts as Journal[];
    closing.mockRestore();
    await journal?.close();
  });

  it('(a reload that waits for a file) ends by itself or is left behind; nothing begins any more', async () => {
    const relay = await rig.start({ sink: rig.toSink() });
    const ca = join(rig.dir.path, 'fifo');
    execFileSync('mkfifo', [ca]);
    const slow = { ...rig.toSink(), servers: ['tls://127.0.0.1:1'], tls: { ca } };
    const start = vi.spyOn(ForwardOutput.prototype, 'start');
    const reload = relay.reload(rig.config({ sink: rig.toSink(), slow }));
    const refused = expect(reload).rejects.toMatchObject({ code: 'LB_STOP' });
    await until('it begins', () => start.mock.calls.length > 0);
    await expect(relay.stop()).rejects.toMatchObject({ message: 'a reload hangs' });
    // Whoever opens the other end lets the read go on, and it fails.
    const end = await until('the file is read', () =>
      open(ca, constants.O_WRONLY | constants.O_NONBLOCK).catch(() => undefined),
    );
    await end.close();
    await refused;
  });
});

it('a stop during a reload waits for the output that is being exchanged, and begins no other', async () => {
  const relay = await rig.start({ sink: rig.toSink() });
  const started = vi.spyOn(ForwardOutput.prototype, 'start');
  let go: (() => void) | undefined;
  vi.spyOn(ForwardOutput.prototype, 'stop').mockImplementationOnce(async function (
    this: ForwardOutput,
    deadline_ms: number,
  ) {
    await new Promise<void>((resolve) => {
      go = resolve;
    });
    await this.stop(deadline_ms);
  });
  const reload = relay.reload(rig.config({ sink: rig.toSink({ tag_prefix: 'x.' }) }));
  const refused = expect(reload).rejects.toMatchObject({ code: 'LB_STOP' });
  await until('the output is about to stop', () => go !== undefined);
  const stopped = relay.stop();
  go?.();
  await stopped;
  await refused;
  expect(started).not.toHaveBeenCalled();
  await expect(rig.start({ sink: rig.toSink() })).resolves.toBeDefined();
});

it('an output that fails to stop keeps nobody else from ending, and is logged', async () => {
  const relay = await rig.start({ sink: rig.toSink(), bad: toFile() });
  await rig.send(await rig.client(relay));
  await rig.sinkHas(1);
  vi.spyOn(Pump.prototype, 'stop').mockImplementationOnce(async function (this: Pump) {
    await this.stop(0);
    throw new Error('injected');
  });
  await relay.stop();
  expect(rig.log.said('error')).toEqual([
    'an output did not stop cleanly {"output":"bad","error":"injected"}',
  ]);
  await expect(rig.start({ sink: rig.toSink(), bad: toFile() })).resolves.toBeDefined();
});

it('what waited for an output that is given up is counted drop_output', async () => {
  rig.sink.react = () => 'hold';
  const first = await rig.start({ sink: rig.toSink(), gone: rig.toSink() });
  const client = await rig.client(first);
  await rig.send(client);
  await rig.send(client);
  await rig.sinkHas(2);
  await first.stop();
  const second = await rig.start({ sink: rig.toSink() }, ['gone']);
  await second.stop();
  expect(rig.lastWords).toMatchObject({
    waiting: { sink: 2 },
    dropped: { drop_output: { gone: 2 } },
  });
});

it('an output whose type changed over a restart is refused at start, and told what to do', async () => {
  const first = await rig.start({ main: toFile() });
  const client = await rig.client(first);
  await rig.send(client);
  await until('it is written', () => first.stop().then(() => true));
  const refused = { code: 'LB_CONFIG', where: 'output main', hint: /--drop-output main/ };
  await expect(rig.start({ main: rig.toSink() })).rejects.toMatchObject({
    ...refused,
    hint: expect.stringContaining('--drop-output main'),
  });
  await expect(rig.start({ other: rig.toSink() }, ['main'])).resolves.toBeDefined();
});

it('with transient outputs only, what they show is not kept', async () => {
  const shown: string[] = [];
  rig.stdout = new Writable({
    write: (bytes: Buffer, _encoding, done) => {
      shown.push(bytes.toString());
      done();
    },
  });
  const relay = await rig.start({ screen: { type: 'stdout', format: 'ndjson', transient: true } });
  await rig.send(await rig.client(relay));
  await until('it is shown', () => shown.length > 0);
  await relay.stop();
  expect(rig.lastWords).toMatchObject({ waiting: {}, dropped: {} });
});
