import { describe, expect, it } from 'vitest';
import { runProgram } from '../../src/commands/program.ts';
import type { RelayModule } from '../../src/commands/run.ts';
import type { Config } from '../../src/config/types.ts';
import { LogboomError } from '../../src/errors.ts';
import type { Successor } from '../../src/relay/control/handover.ts';
import type { Relay, RelayDeps } from '../../src/relay.ts';
import { until } from '../support/wait.ts';
import { cli, FakeHost, type FakeWorld } from './fake-host.ts';

/** A relay that notes what it is told. */
class FakeRelay implements Relay {
  readonly listening = ['tcp://127.0.0.1:24224'];
  readonly status_url = 'http://127.0.0.1:24220';
  readonly events: string[] = [];
  release: (successor: Successor) => void = () => {};
  readonly released = new Promise<Successor>((resolve) => {
    this.release = resolve;
  });
  config: Config | undefined;
  deps: RelayDeps | undefined;
  /** What the next reload waits for. */
  held: Promise<void> = Promise.resolve();

  readonly module: RelayModule = {
    startRelay: async (config, deps) => {
      this.config = config;
      this.deps = deps;
      this.events.push('start');
      return this;
    },
  };

  async stop(): Promise<void> {
    this.events.push('stop');
  }

  async reload(config: Config): Promise<void> {
    this.events.push(`reload ${config.log.level}`);
    await this.held;
  }
}

/** `logboom run` under way in a fake process. */
function start(line: string, relay: FakeRelay, world: FakeWorld = {}) {
  const host = new FakeHost(line.split(' '), world);
  const ended = runProgram(host, { relay: () => Promise.resolve(relay.module) });
  return { host, ended };
}

/** Once the relay runs, signals are listened to. */
async function running(host: FakeHost): Promise<void> {
  await until('the relay runs', () => host.reload !== undefined);
}

describe('run', () => {
  it('starts the relay with the configuration and the flags, and ends with 0 when told to stop', async () => {
    const relay = new FakeRelay();
    const files = { '/srv/l.yaml': 'journal: {linger: 5ms}\nlog: {level: error}\n' };
    const { host, ended } = start('run -c l.yaml --journal j --drop-output old', relay, { files });
    await running(host);
    expect(relay.config?.journal).toMatchObject({ dir: '/srv/j', linger_ms: 5 });
    expect(relay.deps).toMatchObject({ drop_outputs: ['old'], pid: 4242 });
    host.stop?.('SIGTERM');
    expect(await ended).toBe(0);
    expect(relay.events).toEqual(['start', 'stop']);
  });

  it('ends with 0, and stops the relay, when another process has taken over', async () => {
    const relay = new FakeRelay();
    const { host, ended } = start('run --log-level error --takeover', relay);
    await running(host);
    expect(relay.deps).toMatchObject({ takeover: true, version: '1.2.3' });
    relay.release({ pid: 7, version: '1.2.4' });
    expect(await ended).toBe(0);
    expect(relay.events).toEqual(['start', 'stop']);
  });

  it('says nothing on standard output, which belongs to the events', async () => {
    const { host, ended } = start('run --log-level error', new FakeRelay(), { terminal: true });
    await running(host);
    host.stop?.('SIGINT');
    await ended;
    expect(host.out).toBe('');
    expect(host.err).toContain('logboom 1.2.3 is running.');
    expect(host.err).toContain('fluentd-address=127.0.0.1:24224');
  });

  it('can be told to read its configuration again as soon as it says that it runs', async () => {
    const { host, ended } = start('run --log-level error', new FakeRelay(), { terminal: true });
    let can_reload: boolean | undefined;
    host.stderr.write = (text) => {
      can_reload ??= host.reload !== undefined;
      return text;
    };
    await running(host);
    host.stop?.('SIGTERM');
    await ended;
    expect(can_reload).toBe(true);
  });

  it('stops as soon as it has started when the signal came before', async () => {
    const relay = new FakeRelay();
    let proceed = (): void => {};
    const gate = new Promise<void>((resolve) => {
      proceed = resolve;
    });
    const host = new FakeHost(['run', '--log-level', 'error'], {});
    const startRelay: RelayModule['startRelay'] = async (config, deps) => {
      await gate;
      return relay.module.startRelay(config, deps);
    };
    const ended = runProgram(host, { relay: () => Promise.resolve({ startRelay }) });
    await until('signals are listened to', () => host.stop !== undefined);
    host.stop?.('SIGTERM');
    proceed();
    expect(await ended).toBe(0);
    expect(relay.events).toEqual(['start', 'stop']);
  });

  it('ends with 1 and one clear block when the relay cannot start', async () => {
    const failure = new LogboomError('LB_LISTEN', 'the address is in use', {
      where: 'tcp://127.0.0.1:24224',
      hint: 'Stop the other process, or choose another port with --listen.',
    });
    const relay = { startRelay: () => Promise.reject(failure) };
    expect(await cli('run --log-level error', { relay })).toEqual({
      code: 1,
      out: '',
      err: [
        'logboom: the address is in use',
        '  at: tcp://127.0.0.1:24224',
        '  Stop the other process, or choose another port with --listen.',
        '  (LB_LISTEN)',
        '',
      ].join('\n'),
    });
  });

  it('ends with 2 when the relay finds the configuration wrong', async () => {
    const relay = { startRelay: () => Promise.reject(new LogboomError('LB_CONFIG', 'no')) };
    expect((await cli('run --log-level error', { relay })).code).toBe(2);
  });

  it('shows the stack of an error that nobody expected', async () => {
    const relay = { startRelay: () => Promise.reject(new TypeError('x is not a function')) };
    const { code, err } = await cli('run --log-level error', { relay });
    expect(code).toBe(1);
    expect(err).toMatch(/a mistake in logboom itself\nTypeError: x is not a function\n {4}at /);
  });
});

describe('SIGHUP', () => {
  const files: Record<string, string> = {};

  async function reloaded(texts: readonly string[]): Promise<string[]> {
    const relay = new FakeRelay();
    files['/srv/l.yaml'] = 'log: {level: error}\n';
    const { host, ended } = start('run -c l.yaml', relay, { files });
    await running(host);
    for (const text of texts) {
      files['/srv/l.yaml'] = text;
      const before = relay.events.length;
      host.reload?.();
      if (!text.includes('bad')) {
        await until('it is reloaded', () => relay.events.length > before);
      }
    }
    host.stop?.('SIGTERM');
    await ended;
    return relay.events;
  }

  it('gives the relay the configuration as the file has it now', async () => {
    const events = await reloaded(['log: {level: warn}\n', 'log: {level: debug}\n']);
    expect(events).toEqual(['start', 'reload warn', 'reload debug', 'stop']);
  });

  it('with a file that is not valid changes nothing', async () => {
    const events = await reloaded(['log: {level: bad}\n', 'log: {level: warn}\n']);
    expect(events).toEqual(['start', 'reload warn', 'stop']);
  });

  it('during a reload leads to one more behind it, not two at once', async () => {
    const relay = new FakeRelay();
    let proceed = (): void => {};
    relay.held = new Promise((resolve) => {
      proceed = resolve;
    });
    const { host, ended } = start('run --log-level error', relay);
    await running(host);
    host.reload?.();
    await until('the first reload is under way', () => relay.events.length === 2);
    host.reload?.();
    host.reload?.();
    expect(relay.events).toEqual(['start', 'reload error']);
    proceed();
    await until('the next one was made', () => relay.events.length === 3);
    host.stop?.('SIGTERM');
    await ended;
    expect(relay.events).toEqual(['start', 'reload error', 'reload error', 'stop']);
  });
});
