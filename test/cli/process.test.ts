import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { Child } from '../support/process.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/wait.ts';

const CLI = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
const HOOK = fileURLToPath(new URL('./fake-relay-hook.ts', import.meta.url));

const children: Child[] = [];

/** The command line as a real process, with a relay that does as it is told. */
function spawnCli(
  args: readonly string[],
  behaviour = '',
  env: Readonly<Record<string, string>> = {},
): Child {
  const child = new Child(
    process.execPath,
    ['--no-warnings', '--import', 'tsx', '--import', HOOK, CLI, ...args],
    {
      name: 'logboom',
      env: { FAKE_RELAY: behaviour, ...env },
    },
  );
  children.push(child);
  return child;
}

async function saying(child: Child, text: string): Promise<void> {
  await until(
    () => `${text} is not said; ${child.describe()}`,
    () => {
      if (child.exit !== undefined) throw new Error(child.describe());
      return child.stderr.includes(text);
    },
  );
}

afterEach(async () => {
  await Promise.all(children.splice(0).map((child) => child.stop('SIGKILL')));
});

describe('a process', () => {
  it.each([
    [['--version'], 0],
    [['--help'], 0],
    [['config', 'schema'], 0],
    [['rnu'], 2],
    [['run', '--config', '/nonexistent.yaml'], 2],
  ])('%j exits with %d', async (args, code) => {
    const child = spawnCli(args);
    expect(await child.exited).toEqual({ code, signal: null });
    expect(code === 0 ? child.stderr : child.stdout).toBe('');
  });

  it('reads a configuration from standard input', async () => {
    const command = `echo 'journal: {dirr: x}' | '${process.execPath}' --import tsx '${CLI}' config check -`;
    const child = new Child('/bin/sh', ['-c', command]);
    children.push(child);
    expect((await child.exited).code).toBe(2);
    expect(child.stderr).toContain('(standard input):1:11: journal.dirr');
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('%s stops the relay and exits with 0', async (signal) => {
    const child = spawnCli(['run']);
    await saying(child, 'running');
    child.signal(signal);
    expect(await child.exited).toEqual({ code: 0, signal: null });
    expect(child.stderr).toContain('stopping for good');
    expect(child.stderr).toContain('"msg":"stopped"');
  });

  it('ends, with a failure that names the part, also while a file system call hangs', async () => {
    const dir = await tempDir('cli');
    const FAKE_FIFO = join(dir.path, 'fifo');
    execFileSync('mkfifo', [FAKE_FIFO]);
    const child = spawnCli(['run'], 'hangs in a file', { FAKE_FIFO });
    await saying(child, 'running');
    child.signal('SIGTERM');
    expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' });
    expect(child.stderr).toContain('the journal hangs');
    await dir.remove();
  });

  it.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('a second %s exits at once with %d', async (signal, code) => {
    const child = spawnCli(['run'], 'never stops');
    await saying(child, 'running');
    child.signal('SIGTERM');
    await saying(child, 'stopping for good');
    child.signal(signal);
    expect(await child.exited).toEqual({ code, signal: null });
  });

  it('SIGHUP reads the configuration again', async () => {
    const child = spawnCli(['run']);
    await saying(child, 'running');
    child.signal('SIGHUP');
    await saying(child, 'configuration read again');
    expect(child.exit).toBeUndefined();
  });

  it.each(['throws later', 'rejects later'])(
    'that %s logs it and exits with 1',
    async (behaviour) => {
      const child = spawnCli(['run'], behaviour);
      expect((await child.exited).code).toBe(1);
      expect(child.stderr).toMatch(/"level":"error".*(thrown later|rejected).*the journal holds/);
    },
  );

  it('logs lines of JSON to standard error, and nothing to standard output', async () => {
    const child = spawnCli(['run']);
    await saying(child, 'running');
    await child.stop('SIGTERM');
    expect(child.stdout).toBe('');
    const lines = child.stderr
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines[0]).toMatchObject({
      level: 'info',
      msg: 'running',
      listening: ['tcp://127.0.0.1:24224'],
      outputs: ['events'],
    });
  });
});

describe('completion', () => {
  it.each(['bash', 'zsh', 'fish', 'powershell'])('has a script for %s', async (shell) => {
    const child = spawnCli(['completion', shell]);
    expect(await child.exited).toEqual({ code: 0, signal: null });
    expect(child.stdout).toMatch(/logboom complete '?--/);
  });

  it.each([
    [['complete', '--', 'r'], 'run\t'],
    [['complete', '--', 'config', ''], 'check\t'],
    [['complete', '--', 'run', '--li'], '--listen\t'],
    [['complete', '--', 'compl'], 'completion\t'],
  ])('of %j offers %j', async (args, offer) => {
    expect(await spawnCli(args).succeeded()).toContain(offer);
  });
});
