import type { Container } from '../types.ts';
import { compileGoRegexp } from './go-regexp.ts';

/** Names that are added to those of the log options. */
export interface ExtraNames {
  readonly labels: readonly string[];
  readonly env: readonly string[];
}

export const NO_EXTRA_NAMES: ExtraNames = { labels: [], env: [] };

/**
 * The labels and environment variables that go along with every event, chosen by the
 * log options `labels`, `labels-regex`, `env` and `env-regex` as Docker does it
 * (formats.md 3.2): a variable wins over a label of the same name. Docker 20.10.0 to
 * 20.10.3 ignored `labels-regex` without `labels`; later ones, and this, do not.
 * Throws LB_CONTAINER for a regular expression that cannot be used.
 */
export function extraFields(container: Container, more: ExtraNames): ReadonlyMap<string, string> {
  const { log_options } = container;
  const labels = new Map(Object.entries(container.labels));
  const env = variables(container.env);
  return new Map([
    ...chosen(labels, list(log_options['labels']), more.labels),
    ...matching(labels, log_options['labels-regex'], place(container, 'labels-regex')),
    ...chosen(env, list(log_options['env']), more.env),
    ...matching(env, log_options['env-regex'], place(container, 'env-regex')),
  ]);
}

/** By name; of two with the same name the last counts. */
function variables(env: readonly string[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const variable of env) {
    const equals = variable.indexOf('=');
    if (equals !== -1) found.set(variable.slice(0, equals), variable.slice(equals + 1));
  }
  return found;
}

function list(option: string | undefined): readonly string[] {
  return option === undefined ? [] : option.split(',');
}

function chosen(
  values: ReadonlyMap<string, string>,
  ...names: readonly (readonly string[])[]
): [string, string][] {
  return names.flat().flatMap((name) => {
    const value = values.get(name);
    return value === undefined ? [] : [[name, value] as [string, string]];
  });
}

function matching(
  values: ReadonlyMap<string, string>,
  option: string | undefined,
  where: string,
): [string, string][] {
  if (option === undefined || option === '') return [];
  const pattern = compileGoRegexp(option, where);
  return [...values].filter(([name]) => pattern.test(name));
}

function place(container: Container, option: string): string {
  return `container ${container.name || container.id}, log option ${option}`;
}
