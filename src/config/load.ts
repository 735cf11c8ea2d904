import { dirname, join } from 'node:path';
import type { z } from 'zod';
import type { CheckedSections, Report } from './checks/report.ts';
import { checkRelations } from './checks.ts';
import type { Environment } from './env.ts';
import { applyFlags, type ConfigFlags } from './flags.ts';
import { problemsFromIssues } from './issues.ts';
import { type Problem, problemAt } from './problem.ts';
import type { ReadFile } from './resolve/secrets.ts';
import { resolveConfig } from './resolve.ts';
import { type ConfigDocument, configSchema, SECTIONS } from './schema.ts';
import { ConfigTree, isSection } from './tree.ts';
import type { Config } from './types.ts';

/** What a configuration depends on besides its own text. */
export interface ConfigContext {
  readonly env: Environment;
  /** Relative paths start here; absolute. */
  readonly cwd: string;
  /** Whether standard output is a terminal; decides what is shown there when no outputs are given. */
  readonly terminal: boolean;
  /** For secrets kept in files. */
  readonly readFile: ReadFile;
  readonly flags: ConfigFlags;
}

export type ParsedConfig =
  | { readonly ok: true; readonly config: Config; readonly document: ConfigDocument }
  | { readonly ok: false; readonly problems: readonly [Problem, ...Problem[]] };

/** Values as a file gave them, and what was wrong with its syntax. */
export interface ConfigSource {
  readonly tree: ConfigTree;
  readonly problems: readonly Problem[];
}

/** No file: everything has its default. */
export const NO_FILE: ConfigSource = { tree: new ConfigTree({}), problems: [] };

/**
 * From values to a configuration that holds together, or to everything that is
 * wrong with them, in the order of the file. Pure apart from `context.readFile`.
 */
export function parseConfig(source: ConfigSource, context: ConfigContext): ParsedConfig {
  const tree = withDefaultOutputs(applyFlags(source.tree, context.flags), context.terminal);
  const found: Problem[] = [];
  const report: Report = (path, message, hint) => {
    found.push(problemAt(tree.placeOf(path), path, message, hint));
  };
  const { document, sections, issues } = checkSchema(tree);
  found.push(...problemsFromIssues(issues, tree));
  checkRelations(sections, context.cwd, report);
  // Also when relations are broken, so that unreadable files are reported along with them.
  const config = document && resolveConfig(document, context.cwd, context.readFile, report);
  const [first, ...others] = merged(source.problems, found);
  if (first !== undefined) return { ok: false, problems: [first, ...others] };
  if (config === undefined || document === undefined)
    throw new TypeError('rejected without a problem');
  return { ok: true, config, document };
}

/** With no outputs given: files beside the journal, and what arrives shown on a terminal. */
function withDefaultOutputs(tree: ConfigTree, terminal: boolean): ConfigTree {
  if (!isSection(tree.value) || tree.get(['outputs']) !== undefined) return tree;
  const journal_dir = tree.get(['journal', 'dir']);
  const beside = typeof journal_dir === 'string' ? dirname(journal_dir) : '.';
  const path = join(beside, 'logboom-events', 'events.ndjson');
  const events = { type: 'file', path };
  const shown = { type: 'stdout', transient: true };
  const outputs = terminal ? { events, terminal: shown } : { events };
  return tree.with(['outputs'], outputs, { where: 'built-in defaults', offset: -1 });
}

interface SchemaResult {
  readonly document: ConfigDocument | undefined;
  readonly sections: CheckedSections;
  readonly issues: readonly z.core.$ZodIssue[];
}

function checkSchema(tree: ConfigTree): SchemaResult {
  const result = configSchema.safeParse(tree.value);
  if (result.success) return { document: result.data, sections: result.data, issues: [] };
  return { document: undefined, sections: validSections(tree), issues: result.error.issues };
}

/** What can still be checked for relations: each section by itself, and of the outputs each by itself. */
function validSections(tree: ConfigTree): CheckedSections {
  // Each value comes out of the schema of its key.
  const valid: Record<string, unknown> = {};
  for (const [key, schema] of Object.entries(SECTIONS)) {
    const result = schema.safeParse(tree.get([key]));
    if (result.success) valid[key] = result.data;
  }
  const outputs = tree.get(['outputs']);
  if (valid['outputs'] === undefined && isSection(outputs) && Object.keys(outputs).length > 0) {
    const each = Object.entries(outputs).map(([name, output]) => ({ [name]: output }));
    const good = each
      .map((one) => SECTIONS.outputs.safeParse(one))
      .filter(({ success }) => success);
    if (good.length > 0) valid['outputs'] = Object.assign({}, ...good.map(({ data }) => data));
  }
  return valid;
}

/** In the order of the file. A value that could not be read at all is not also judged. */
function merged(syntax: readonly Problem[], found: readonly Problem[]): Problem[] {
  const unread = new Set(syntax.map(({ key }) => key).filter((key) => key !== ''));
  const judged = found.filter(({ key }) => !unread.has(key));
  return [...syntax, ...judged].toSorted((a, b) => a.offset - b.offset);
}
