import { LogboomError } from '../errors.ts';
import { type Path, type Place, showPath } from './tree.ts';

/** One mistake in a configuration: where, what was expected and found, and what may have been meant. */
export interface Problem {
  /** `logboom.yaml:7:13`, a flag, or the file alone. */
  readonly where: string;
  readonly offset: number;
  /** `journal.max_size`; empty when it concerns the file as a whole. */
  readonly key: string;
  readonly message: string;
  readonly hint: string | undefined;
  readonly excerpt: Place['excerpt'];
}

export function problemAt(
  place: Place | undefined,
  path: Path,
  message: string,
  hint?: string,
): Problem {
  return {
    where: place?.where ?? 'built-in defaults',
    offset: place?.offset ?? -1,
    key: showPath(path),
    message,
    hint,
    excerpt: place?.excerpt,
  };
}

/** `Did you mean X?`, if there is an X. */
export function didYouMean(suggestion: string | undefined): string | undefined {
  return suggestion === undefined ? undefined : `Did you mean ${suggestion}?`;
}

/**
 * A problem for a person, without a newline at the end:
 *
 *     logboom.yaml:7:13: journal.max_size: expected a size with its unit, found "8 gigs"
 *         max_size: 8 gigs
 *                   ^^^^^^
 *       Did you mean 8GiB?
 */
export function renderProblem(problem: Problem): string {
  const key = problem.key === '' ? '' : `${problem.key}: `;
  const lines = [`${problem.where}: ${key}${problem.message}`];
  if (problem.excerpt !== undefined && !mayHoldSecret(problem.excerpt.line)) {
    lines.push(...underlined(problem.excerpt));
  }
  if (problem.hint !== undefined) lines.push(`  ${problem.hint}`);
  return lines.join('\n');
}

/** All problems as one error, whose message lists them. */
export function configError(problems: readonly Problem[]): LogboomError {
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
  const list = problems.map(renderProblem).join('\n');
  return new LogboomError('LB_CONFIG', `the configuration has ${count}\n${list}`);
}

/** A line is shown only when it cannot hold a password: neither by its key nor inside a URL. */
function mayHoldSecret(line: string): boolean {
  return /key|pass|secret|token|:\/\/[^\s/]*@/i.test(line);
}

const EXCERPT_MAX_CHARACTERS = 100;

function underlined(excerpt: NonNullable<Place['excerpt']>): string[] {
  const from = Math.max(0, excerpt.start - EXCERPT_MAX_CHARACTERS / 2);
  const line = excerpt.line.slice(from, from + EXCERPT_MAX_CHARACTERS);
  const start = excerpt.start - from;
  const length = Math.max(1, Math.min(excerpt.end - from, line.length) - start);
  const indent = line.slice(0, start).replaceAll(/[^\t]/g, ' ');
  return [`    ${line}`, `    ${indent}${'^'.repeat(length)}`];
}
