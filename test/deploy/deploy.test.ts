/** The files under deploy/ and the Dockerfile: that they fit the program and each other. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { parseDuration } from '../../src/config/units.ts';
import { LIMITS } from '../../src/limits.ts';
import { cli } from '../cli/fake-host.ts';
import { parsed } from '../config/parsing.ts';
import { Child } from '../support/process.ts';

const at = (path: string): URL => new URL(`../../${path}`, import.meta.url);
const textOf = (path: string): Promise<string> => readFile(at(path), 'utf8');

/** Outputs have the timeout for themselves; reading clients to their end and hung parts come on top. */
const STOP_MIN_MS = LIMITS.shutdown_timeout_ms + 5_000;

function millisecondsOf(duration: string): number {
  const reading = parseDuration(duration);
  if (!reading.ok) throw new Error(`${duration} is not a duration`);
  return reading.value;
}

/** The command exists, and its help lists every flag of `words`. */
async function expectCommand(words: readonly string[]): Promise<void> {
  const [command = ''] = words;
  const { code, out } = await cli(`${command} --help`);
  expect([code, out]).toEqual([0, expect.stringContaining(`Usage: logboom ${command}`)]);
  for (const flag of words.filter((word) => word.startsWith('--'))) expect(out).toContain(flag);
}

describe('the Dockerfile', async () => {
  const text = await textOf('Dockerfile');
  const ignored = await textOf('.dockerignore');
  const copied = [...text.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, sources = '']) =>
    sources.split(' '),
  );

  it('copies what is there, and nothing else is sent to the build', () => {
    expect(copied.filter((path) => existsSync(at(path)))).toEqual(copied);
    const rules = ignored.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(rules.toSorted()).toEqual(['*', ...copied.map((path) => `!${path}`)].toSorted());
  });

  it('runs and checks commands that exist, on the configuration that it brings', async () => {
    const [run_words = [], check_words = []] = [/^CMD (.*)$/m, /CMD (\["logboom".*)$/m].map(
      (pattern): string[] => JSON.parse(pattern.exec(text)?.[1] ?? '[]'),
    );
    await expectCommand(run_words);
    await expectCommand(check_words.slice(1));
    const config_file = '/etc/logboom/logboom.yaml';
    expect([run_words.at(-1), check_words.at(-1)]).toEqual([config_file, config_file]);
    expect(text).toContain(`COPY deploy/image.yaml ${config_file}`);
  });

  it('is not root, and keeps the journal of its configuration on the volume', async () => {
    expect(text).toMatch(/^USER 1000:1000$/m);
    const { journal } = parsed(await textOf('deploy/image.yaml'));
    expect(text).toMatch(new RegExp(`^VOLUME ${journal.dir}$`, 'm'));
  });
});

interface Service {
  readonly logging?: { readonly driver: string; readonly options: Record<string, string> };
  readonly labels?: Record<string, string>;
  readonly volumes?: readonly string[];
  readonly restart?: string;
  readonly stop_grace_period?: string;
  readonly cap_drop?: readonly string[];
}

describe('compose.yaml', async () => {
  const { services }: { services: Record<string, Service> } = parseYaml(
    await textOf('deploy/compose.yaml'),
    { merge: true },
  );
  const { logboom = {}, aggregator = {}, web = {} } = services;
  const config = parsed(await textOf('deploy/logboom.yaml'));

  it('has no container of its own that sends to the relay, or is read by it in a circle', () => {
    expect([logboom.logging?.driver, aggregator.logging?.driver]).toEqual([
      'json-file',
      'json-file',
    ]);
    expect(aggregator.labels).toEqual({ 'logboom.enable': 'false' });
  });

  it("mounts Docker's folder where the configuration reads it, read-only, and what the relay writes", () => {
    const { root = '' } = config.docker;
    expect(logboom.volumes).toContain(`${root}:${root}:ro`);
    expect(logboom.volumes).toContain(`${config.journal.dir}:${config.journal.dir}`);
    expect(logboom.volumes).toContain('/run/logboom:/run/logboom');
    expect(logboom.cap_drop).toEqual(['ALL']);
  });

  it('mounts files that are there', () => {
    const mounted = Object.values(services).flatMap(({ volumes = [] }) => volumes);
    const own = mounted.filter((mount) => mount.startsWith('./'));
    expect(own.length).toBe(2);
    for (const mount of own) {
      expect(existsSync(at(`deploy/${mount.split(':')[0]}`))).toBe(true);
    }
  });

  it('has the application send to where the relay listens', () => {
    const [listener] = config.inputs.listeners;
    expect(listener?.url).toBe(`${web.logging?.options['fluentd-address']}?mode=0600`);
  });

  it('waits for longer than a stop may take', () => {
    expect(millisecondsOf(logboom.stop_grace_period ?? '0')).toBeGreaterThan(STOP_MIN_MS);
  });
});

describe('the systemd units', async () => {
  const service = await textOf('deploy/logboom.service');
  const socket = await textOf('deploy/logboom.socket');
  const setting = (unit: string, key: string): string =>
    new RegExp(`^${key}=(.*)$`, 'm').exec(unit)?.[1] ?? '';
  /** The configuration in the comment at the head of the socket. */
  const config = parsed(
    [...socket.matchAll(/^# {3}(.+)$/gm)].map(([, line = '']) => line).join('\n'),
  );

  it('start a command that exists, and always again', async () => {
    const [, words = ''] =
      /^\/usr\/bin\/env logboom (.+)$/.exec(setting(service, 'ExecStart')) ?? [];
    await expectCommand(words.split(' '));
    expect(setting(service, 'Restart')).toBe('always');
  });

  it('wait for longer than a stop may take', () => {
    expect(millisecondsOf(setting(service, 'TimeoutStopSec'))).toBeGreaterThan(STOP_MIN_MS);
  });

  it('hand over the socket that the configuration in their head listens on, under the address that it names', () => {
    expect(config.inputs.listeners.map(({ url }) => url)).toEqual([
      `systemd://${setting(socket, 'FileDescriptorName')}`,
    ]);
    expect(config.docker.addresses).toEqual([`unix://${setting(socket, 'ListenStream')}`]);
  });

  it.skipIf(!existsSync('/usr/bin/systemd-analyze'))('are what systemd takes', async () => {
    const units = ['logboom.service', 'logboom.socket'].map((unit) =>
      fileURLToPath(at(`deploy/${unit}`)),
    );
    const verify = new Child('systemd-analyze', ['verify', ...units]);
    const { code } = await verify.exited;
    // Keys that it does not know are said, and passed over; so is what it finds in others' units.
    const said = verify.stderr.split('\n').filter((line) => line.includes('logboom.'));
    expect([code, said]).toEqual([0, []]);
  });
});
