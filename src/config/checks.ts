import { isAbsolute, relative, resolve } from 'node:path';
import { checkDocker } from './checks/docker.ts';
import { checkForwardOutput } from './checks/forward-output.ts';
import { checkListeners } from './checks/listeners.ts';
import { type CheckedSections, checkNotBoth, type Report } from './checks/report.ts';
import type { ConfigDocument, OutputDocument } from './schema.ts';
import type { Path } from './tree.ts';
import { formatSize } from './units.ts';

/** What the schema cannot say: relations between keys, sections and folders. */
export function checkRelations(sections: CheckedSections, cwd: string, report: Report): void {
  checkListeners(sections, report);
  checkDocker(sections, report);
  checkLimits(sections, report);
  checkJournal(sections, report);
  if (sections.status !== undefined) {
    checkNotBoth(sections.status, 'token', ['status'], report);
  }
  checkOutputs(sections, report);
  checkFolders(sections, cwd, report);
}

function checkLimits({ inputs }: CheckedSections, report: Report): void {
  if (inputs === undefined) return;
  const { event_size, message_size } = inputs.limits;
  if (event_size <= message_size) return;
  report(
    ['inputs', 'limits', 'event_size'],
    `expected at most message_size (${formatSize(message_size)}), found ${formatSize(event_size)}`,
    'One event comes in one message.',
  );
}

function checkJournal({ journal }: CheckedSections, report: Report): void {
  if (journal === undefined || 2 * journal.segment_size <= journal.max_size) return;
  report(
    ['journal', 'segment_size'],
    `expected at most half of max_size (${formatSize(journal.max_size)}), found ${formatSize(journal.segment_size)}`,
    'Space is given back a segment at a time, while another is written.',
  );
}

function checkOutputs({ outputs, journal }: CheckedSections, report: Report): void {
  if (outputs === undefined) return;
  if (Object.keys(outputs).length === 0) {
    const hint = 'Leave the key out to have events written to a file.';
    report(['outputs'], 'expected at least one output, found none', hint);
  }
  for (const [name, output] of Object.entries(outputs)) {
    checkLag(output, name, journal, report);
    if (output.type === 'forward') checkForwardOutput(output, ['outputs', name], report);
  }
}

function checkLag(
  output: OutputDocument,
  name: string,
  journal: ConfigDocument['journal'] | undefined,
  report: Report,
): void {
  if (output.max_lag === 'off' || journal === undefined) return;
  if (output.max_lag < journal.max_size) return;
  report(
    ['outputs', name, 'max_lag'],
    `expected less than journal.max_size (${formatSize(journal.max_size)}), found ${formatSize(output.max_lag)}`,
    'The journal would be full before this takes effect.',
  );
}

/** The journal's folder is its own, and no two outputs write to the same place. */
function checkFolders({ outputs, journal }: CheckedSections, cwd: string, report: Report): void {
  const owners = new Map<string, string>();
  for (const [name, output] of Object.entries(outputs ?? {})) {
    const [path, written] = writtenPath(output, name);
    if (written === undefined) continue;
    const place = resolve(cwd, written);
    if (journal !== undefined && isInside(place, resolve(cwd, journal.dir))) {
      const hint = 'Choose a place outside: that folder belongs to the journal alone.';
      const message = `expected a place outside of journal.dir (${journal.dir}), found ${written}`;
      report(path, message, hint);
    }
    const owner = owners.get(place);
    if (owner !== undefined) report(path, `outputs.${owner} writes to ${written} already`);
    owners.set(place, name);
  }
}

function writtenPath(output: OutputDocument, name: string): [Path, string | undefined] {
  if (output.type === 'file') return [['outputs', name, 'path'], output.path];
  if (output.type === 'forward')
    return [['outputs', name, 'dead_letter', 'dir'], output.dead_letter.dir];
  return [[], undefined];
}

function isInside(path: string, dir: string): boolean {
  const way = relative(dir, path);
  return way === '' || (!way.startsWith('..') && !isAbsolute(way));
}
