import {
  type ConfigContext,
  NO_FILE,
  type ParsedConfig,
  parseConfig,
} from '../../src/config/load.ts';
import type { ConfigDocument } from '../../src/config/schema.ts';
import type { Config } from '../../src/config/types.ts';
import { readYaml } from '../../src/config/yaml.ts';

const CONTEXT: ConfigContext = {
  env: {},
  cwd: '/srv',
  terminal: false,
  readFile: (path) => {
    throw Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
  },
  flags: {},
};

/** Parses `text` as the file `logboom.yaml`. */
export function parse(
  text: string | undefined,
  context: Partial<ConfigContext> = {},
): ParsedConfig {
  const whole = { ...CONTEXT, ...context };
  const source = text === undefined ? NO_FILE : readYaml(text, 'logboom.yaml', whole.env);
  return parseConfig(source, whole);
}

export function parsed(text?: string, context: Partial<ConfigContext> = {}): Config {
  return accepted(text, context).config;
}

export function documentOf(text?: string, context: Partial<ConfigContext> = {}): ConfigDocument {
  return accepted(text, context).document;
}

function accepted(text: string | undefined, context: Partial<ConfigContext>) {
  const result = parse(text, context);
  if (!result.ok) throw new Error(result.problems.map((each) => each.message).join('\n'));
  return result;
}

/** `where key: message | hint` of every problem. */
export function problemsOf(
  text: string | undefined,
  context: Partial<ConfigContext> = {},
): string[] {
  const result = parse(text, context);
  if (result.ok) return [];
  return result.problems.map(({ where, key, message, hint }) => {
    const advice = hint === undefined ? '' : ` | ${hint}`;
    return `${where} ${key}: ${message}${advice}`;
  });
}
