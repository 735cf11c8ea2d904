import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import type { ConfigFlags } from '../config/flags.ts';
import { type ConfigSource, NO_FILE, type ParsedConfig, parseConfig } from '../config/load.ts';
import { configError } from '../config/problem.ts';
import { LogboomError, messageOf, systemCode } from '../errors.ts';
import type { ConfigOptions } from './config-options.ts';
import type { Host } from './host.ts';

type LoadedConfig = Extract<ParsedConfig, { ok: true }>;

/**
 * The configuration in `file` (`-`: standard input; undefined: none), under the flags.
 *
 * @throws LB_CONFIG with everything that is wrong with it.
 */
export async function loadConfig(
  host: Host,
  file: string | undefined,
  options: ConfigOptions,
): Promise<LoadedConfig> {
  const source = file === undefined ? NO_FILE : await readSource(host, file);
  const parsed = parseConfig(source, {
    env: host.env,
    cwd: host.cwd,
    terminal: host.stdout_is_terminal,
    readFile: (path) => host.readFile(path),
    flags: toFlags(options),
  });
  if (!parsed.ok) throw configError(parsed.problems);
  return parsed;
}

function toFlags({ logLevel, ...same }: ConfigOptions): ConfigFlags {
  return logLevel === undefined ? same : { ...same, log_level: logLevel };
}

async function readSource(host: Host, file: string): Promise<ConfigSource> {
  const text = file === '-' ? await readAll(host.stdin) : readConfigFile(host, file);
  // Without a file there is no YAML to read, and start-up is faster.
  const { readYaml } = await import('../config/yaml.ts');
  return readYaml(text, file === '-' ? '(standard input)' : file, host.env);
}

function readConfigFile(host: Host, file: string): string {
  try {
    return host.readFile(resolve(host.cwd, file));
  } catch (cause) {
    const missing = systemCode(cause) === 'ENOENT';
    const hint = missing
      ? 'Check the path; `logboom config show` prints a configuration to begin with.'
      : `Make the file readable: ${messageOf(cause)}.`;
    const message = missing ? 'there is no such configuration file' : 'the file cannot be read';
    throw new LogboomError('LB_CONFIG', message, { where: file, hint, cause });
  }
}

async function readAll(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}
