import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configReference } from '../src/config/reference.ts';
import { freePort } from './support/ports.ts';
import { run } from './support/process.ts';
import { RelayProcess } from './support/relay-process.ts';
import { type TempDir, tempDir } from './support/temp-dir.ts';
import { until } from './support/wait.ts';

const TOP = fileURLToPath(new URL('..', import.meta.url));
const CLI = join(TOP, 'dist/cli.js');
const README = readFileSync(join(TOP, 'README.md'), 'utf8');

/** The first group of the pattern, which must be there. */
function part(pattern: RegExp): string {
  const found = pattern.exec(README)?.[1];
  if (found === undefined) throw new Error(`README.md has nothing like ${pattern}`);
  return found;
}

describe('the README', () => {
  let dir: TempDir;

  beforeEach(async () => {
    dir = await tempDir('readme');
  });

  afterEach(async () => {
    await dir.remove();
  });

  it('has the reference of the configuration as the schema has it', () => {
    const reference = part(/<!-- reference: begin -->\n([\s\S]*?)<!-- reference: end -->/);
    expect(reference.trim()).toBe(configReference().trim());
  });

  it('has a sample configuration that is valid', async () => {
    const sample = join(dir.path, 'logboom.yaml');
    await writeFile(sample, part(/<!-- sample configuration[\s\S]*?```yaml\n([\s\S]*?)```/));
    const answer = await run(process.execPath, [CLI, 'config', 'check', sample]);
    expect(answer).toContain('valid');
  });

  it('names only flags that the help knows', async () => {
    const helps = await Promise.all(
      [['--help'], ['run', '--help'], ['cat', '--help'], ['config', '--help']].map((args) =>
        run(process.execPath, [CLI, ...args]),
      ),
    );
    const commands = README.match(/(?:dist\/cli\.js|npx logboom|`run) [^\n`]*/g) ?? [];
    const named = new Set(commands.flatMap((command) => command.match(/--[a-z-]+/g) ?? []));
    expect(named.size).toBeGreaterThan(3);
    expect([...named].filter((flag) => !helps.join('\n').includes(flag))).toEqual([]);
  });

  it('has a quick start that ends with the event in a file', async () => {
    const url = `tcp://127.0.0.1:${await freePort()}`;
    const config = join(dir.path, 'quick.yaml');
    const events = join(dir.path, 'logboom-events', 'events.ndjson');
    await writeFile(config, `outputs: {events: {type: file, path: ${events}}}\n`);
    const journal = join(dir.path, 'logboom-data');
    const relay = await RelayProcess.start({
      args: ['--config', config, '--listen', url, '--journal', journal, '--status', 'off'],
      listening: [url],
    });
    try {
      const line = part(/^(echo '.*' \| npx logboom cat demo)$/m);
      const command = line.replace(
        'npx logboom cat',
        `'${process.execPath}' '${CLI}' cat --to ${url}`,
      );
      await run('sh', ['-c', command]);
      const read = (): Promise<string> => readFile(events, 'utf8').catch(() => '');
      await until(
        () => `nothing in ${events}; ${relay.describe()}`,
        async () => (await read()).includes('\n'),
      );
      expect(JSON.parse(await read())).toMatchObject({ tag: 'demo', record: { log: 'hello' } });
    } finally {
      expect(await relay.stop()).toEqual({ code: 0, signal: null });
    }
  });
});
