import { harmless } from '../text/style.ts';
import type { Finding, Subject, SubjectFindings } from './finding.ts';
import { countWords } from './words.ts';

const SHORT_ID_CHARACTERS = 12;

/**
 * Findings for a person, by what they are about:
 *
 *     container web (4f1c2a9b7e30)
 *       error    cache-off: its cache is off
 *                why: ...
 *                fix: ...
 *       docker run --log-opt cache-disabled=false ...
 */
export function reportText(all: readonly SubjectFindings[]): string {
  const parts = all
    .filter(({ findings }) => findings.length > 0)
    .map(({ subject, findings }) => {
      const head = `${subjectText(subject)}\n`;
      return head + findings.map(findingText).join('') + optionsText(subject, findings);
    });
  return [...parts, summaryText(all)].join('\n');
}

function subjectText({ kind, name, id }: Subject): string {
  switch (kind) {
    case 'container':
      return `container ${harmless(name)} (${id.slice(0, SHORT_ID_CHARACTERS)})`;
    case 'new containers':
      return 'containers created from now on (daemon.json)';
    case 'engine':
      return 'Docker Engine';
    default:
      return kind;
  }
}

const INDENT = ' '.repeat(11);

function findingText({ severity, code, what, why, fix }: Finding): string {
  return (
    `  ${severity.padEnd(7)}  ${code}: ${harmless(what)}\n` +
    `${INDENT}why: ${harmless(why)}\n` +
    `${INDENT}fix: ${harmless(fix)}\n`
  );
}

/** All log options of the fixes, as they are given. */
function optionsText({ kind }: Subject, findings: readonly Finding[]): string {
  const options = Object.assign({}, ...findings.map(({ log_opts }) => log_opts)) as Readonly<
    Record<string, string>
  >;
  const entries = Object.entries(options);
  if (entries.length === 0) return '';
  if (kind === 'new containers') return `  "log-opts": ${JSON.stringify(options)}\n`;
  const flags = entries.map(([name, value]) => `--log-opt ${name}=${quoted(value)}`);
  return `  create it again with: docker run ${flags.join(' ')} ...\n`;
}

function quoted(value: string): string {
  return /^[\w.:/@-]+$/.test(value) ? value : `'${value}'`;
}

function summaryText(all: readonly SubjectFindings[]): string {
  const containers = all.filter(({ subject }) => subject.kind === 'container').length;
  const found = all.flatMap(({ findings }) => findings);
  const counts = (['error', 'warning', 'note'] as const).map((severity) =>
    countWords(found.filter((each) => each.severity === severity).length, severity),
  );
  return `${countWords(containers, 'container')} looked at: ${counts.join(', ')}\n`;
}
