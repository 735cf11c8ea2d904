import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configReference } from '../src/config/reference.ts';
import { parsed } from './config/parsing.ts';
import { freePort } from './support/ports.ts';
import { run } from './support/process.ts';
import { RelayProcess } from './support/relay-process.ts';
import { until } from './support/wait.ts';

const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
const README = await readFile(new URL('../README.md', import.meta.url), 'utf8');

const SAMPLE = found(/<!-- sample configuration -->\n```yaml\n(.*?)```/s);

function found(pattern: RegExp): string {
  const [, text] = pattern.exec(README) ?? [];
  if (text === undefined) throw new Error(`README.md has nothing like ${pattern}`);
  return text;
}

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'logboom-readme-'));
});
afterEach(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }));

describe("the README's configuration", () => {
  it('holds the outputs that the sample names', () => {
    const { inputs, outputs } = parsed(SAMPLE);
    expect(inputs.listeners.map(({ url }) => url)).toHaveLength(1);
    expect(outputs.map(({ name, type }) => [name, type])).toEqual([
      // As `--to` names it: the way from flags to a file keeps the place in the journal.
      ['upstream', 'forward'],
      ['archive', 'file'],
    ]);
  });

  it('is valid for the command that checks it', async () => {
    const file = join(dir, 'logboom.yaml');
    await writeFile(file, SAMPLE);
    expect(await run(process.execPath, [CLI, 'config', 'check', file])).toContain('valid');
  });

  it('has the reference as the schema makes it', () => {
    const between = found(
      /<!-- configuration reference: begin [^\n]*-->\n(.*?)<!-- configuration reference: end -->/s,
    );
    expect(between.trim()).toBe(configReference().trim());
  });
});

interface Command {
  /** Such as `config check`; empty for the program itself. */
  readonly name: string;
  readonly flags: readonly string[];
}

const COMMANDS_WITH_OTHERS_INSIDE = new Set(['buffer', 'config']);
const INVOCATION = /\blogboom +([a-z-][^|>#\n]*)/g;
const FLAG = /(?<=^|\s)--[a-z][a-z-]*/g;

/** What stands in code: fenced blocks for a shell, and spans. */
function codeOf(markdown: string): string[] {
  const blocks = [...markdown.matchAll(/^```sh\n(.*?)^```/gms)].map(([, code = '']) => code);
  const prose = markdown.replaceAll(/^```.*?^```/gms, '');
  const spans = [...prose.matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);
  return [...blocks, ...spans];
}

function commandsOf(code: string): Command[] {
  return [...code.matchAll(INVOCATION)].map(([, text = '']) => {
    const [first = '', second = ''] = text.split(/\s+/);
    const is_command = !first.startsWith('-');
    const name = COMMANDS_WITH_OTHERS_INSIDE.has(first) ? `${first} ${second}` : first;
    return { name: is_command ? name : '', flags: text.match(FLAG) ?? [] };
  });
}

async function helpOf(name: string): Promise<string> {
  const words = name.split(' ').filter((word) => word !== '');
  return run(process.execPath, [CLI, ...words, '--help']);
}

/** As the help lists them, not as its examples use them. */
const flagsIn = (help: string): string[] =>
  [...help.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, flag = '']) => flag);

describe("the README's commands", () => {
  const commands = codeOf(README).flatMap(commandsOf);
  const names = [...new Set(commands.map(({ name }) => name))];

  it('are found in its text', () => {
    expect(names).toEqual(expect.arrayContaining(['cat', 'run', 'config check', 'config show']));
  });

  it.each(names)('%s is there, with every flag', async (name) => {
    const help = await helpOf(name);
    expect(help).toContain(`Usage: logboom ${name}`.trimEnd());
    const flags = commands.filter((each) => each.name === name).flatMap((each) => each.flags);
    expect(flagsIn(help)).toEqual(expect.arrayContaining([...new Set(flags)]));
  });

  it('are the only ones whose flags stand by themselves', async () => {
    const helps = await Promise.all(names.map(helpOf));
    const known = helps.flatMap(flagsIn);
    const alone = codeOf(README).flatMap((code) => /^--[a-z-]+/.exec(code) ?? []);
    expect(alone).toContain('--drop-output');
    expect(known).toEqual(expect.arrayContaining([...new Set(alone)]));
  });

  it('are written in one form', () => {
    expect(README).not.toContain('node dist/cli.js');
    // Once, to say that it is the same without `npm link`.
    expect(README.match(/npx logboom/g)).toHaveLength(1);
  });

  it('npm start runs the relay after building it', async () => {
    const text = await readFile(new URL('../package.json', import.meta.url), 'utf8');
    const { scripts }: { scripts: Record<string, string> } = JSON.parse(text);
    expect(scripts['start']).toBe('exec node dist/cli.js run');
    expect(scripts['prestart']).toBe('npm run build');
  });
});

describe("the README's quick start", () => {
  const relays: RelayProcess[] = [];
  afterEach(async () => {
    await Promise.all(relays.splice(0).map((relay) => relay.kill()));
  });

  async function start(listening: string, args: readonly string[]): Promise<RelayProcess> {
    const relay = await RelayProcess.start({ args, listening: [listening] });
    relays.push(relay);
    return relay;
  }

  /** `npm start` in an empty folder, but for the port. */
  async function startAsNpmDoes(): Promise<{ url: string; relay: RelayProcess }> {
    const url = `tcp://127.0.0.1:${await freePort()}`;
    const journal = ['--journal', join(dir, 'logboom-data')];
    return { url, relay: await start(url, ['--listen', url, '--status', 'off', ...journal]) };
  }

  async function sayHello(url: string): Promise<void> {
    const line = found(/^(echo .* \| logboom cat demo)$/m);
    const command = line.replace('| logboom', `| '${process.execPath}' '${CLI}'`);
    await run('/bin/sh', ['-c', `${command} --to ${url}`]);
  }

  /** Waits for the line in the file that the README names. */
  async function arrived(relay: RelayProcess): Promise<string> {
    const file = join(dir, found(/writes the events in `\.\/([^`]+)`/));
    return until(
      () => `${file} does not get the event; ${relay.describe()}`,
      async () => {
        const text = await readFile(file, 'utf8').catch(() => '');
        return text.endsWith('\n') && text;
      },
    );
  }

  it('brings a line into the file, and SIGTERM ends it with 0', async () => {
    const { url, relay } = await startAsNpmDoes();
    await sayHello(url);
    const lines = (await arrived(relay)).trimEnd().split('\n');
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual([
      expect.objectContaining({ tag: 'demo', record: { log: 'hello' } }),
    ]);
    expect(await relay.stop()).toEqual({ code: 0, signal: null });
  });

  it('forwards to an aggregator with the command that it gives', async () => {
    const aggregator = await startAsNpmDoes();
    const docker = join(dir, 'docker');
    await mkdir(join(docker, 'containers'), { recursive: true });
    const url = `unix://${join(dir, 'relay.sock')}`;
    const args = found(/`logboom run (--listen 'unix:[^`]* --docker [^`]*)`/)
      .replaceAll("'", '')
      .replace('unix:///run/logboom.sock', url)
      .replace('/var/lib/docker', docker)
      .replace('tcp://aggregator-a:24224', aggregator.url)
      .replace('/var/lib/logboom', join(dir, 'forwarding'))
      .split(' ');
    const relay = await start(url, [...args, '--status', 'off']);
    await sayHello(url);
    expect(await arrived(aggregator.relay)).toContain('"hello"');
    expect(await relay.stop()).toEqual({ code: 0, signal: null });
    expect(await aggregator.relay.stop()).toEqual({ code: 0, signal: null });
  });
});
