import { isBefore, type Rotation, rotationOf } from '../driver-options.ts';
import type { ContainerFacts, DoctorFacts } from '../facts.ts';
import type { Finding } from '../finding.ts';
import { countWords, durationWords, rateWords, sizeWords } from '../words.ts';

const READ_DRIVERS = ['json-file', 'local'];

/** What of a container's files can be gone, or out of reach, when logboom comes back. */
export function fileFindings(facts: ContainerFacts, context: DoctorFacts): Finding[] {
  const { container, unreadable, tag_problem } = facts;
  const findings: Finding[] = [];
  if (unreadable !== undefined) {
    findings.push({
      code: 'log-unreadable',
      severity: 'error',
      what: `its log files cannot be read: ${unreadable}`,
      why: 'what cannot be read cannot be relayed or recovered',
      fix: "run logboom as root, or in a group that may read Docker's folder",
    });
  }
  if (tag_problem !== undefined) {
    findings.push({
      code: 'tag-unsupported',
      severity: 'error',
      what: `its tag cannot be made: ${tag_problem}`,
      why: 'logboom never guesses a tag: lines from its files would go under another name than those of its stream',
      fix: 'use a simpler template',
      log_opts: { tag: '{{.Name}}' },
    });
  }
  if (READ_DRIVERS.includes(container.log_driver)) findings.push(...readDriver(facts, context));
  else if (container.log_driver !== 'fluentd') findings.push(notRead(container.log_driver));
  return findings;
}

function notRead(log_driver: string): Finding {
  const is_none = log_driver === 'none';
  return {
    code: 'driver-not-read',
    severity: is_none ? 'warning' : 'note',
    what: `its log driver is ${log_driver || 'not known'}`,
    why: is_none ? 'Docker throws its lines away' : 'its lines go past logboom',
    fix: 'use fluentd, json-file or local with logboom',
  };
}

function readDriver(facts: ContainerFacts, context: DoctorFacts): Finding[] {
  const { container } = facts;
  if (!context.relay.reads_docker) {
    return [
      {
        code: 'files-not-read',
        severity: 'warning',
        what: 'this relay does not read its log files',
        why: 'its lines stay on this host, until rotation deletes them',
        fix: "run logboom with --docker and Docker's data root",
      },
    ];
  }
  const rotation = rotationOf(container.log_driver, container.log_options);
  if (rotation === undefined) {
    return [
      {
        code: 'log-unbounded',
        severity: 'note',
        what: 'its log is never rotated',
        why: 'it survives any outage, and grows until the disk is full',
        fix: 'bound it generously',
        log_opts: { 'max-size': '100m', 'max-file': '5' },
      },
    ];
  }
  return rotationTooSmall(facts, rotation, context);
}

/**
 * The file that holds logboom's place lives through `max_files - 1` rotations, however little
 * was to go until the first. Engine 20.10 keeps one file more than `max-file=1` says.
 */
function rotationTooSmall(
  { rate }: ContainerFacts,
  { max_bytes, max_files }: Rotation,
  { outage_ms, engine }: DoctorFacts,
): Finding[] {
  const keeps_one_more = max_files === 1 && isBefore(engine.version, '23.0') === true;
  const safe_bytes = max_bytes * (keeps_one_more ? 1 : max_files - 1);
  const lasts_ms = rate === undefined ? undefined : (safe_bytes / rate.bytes_per_s) * 1000;
  if (lasts_ms === undefined ? safe_bytes > 0 : lasts_ms >= outage_ms) return [];
  const kept = `${countWords(max_files, 'file')} of ${sizeWords(max_bytes)}`;
  const measured =
    rate === undefined || lasts_ms === undefined
      ? 'the first rotation during an outage deletes what was not read'
      : `at ${rateWords(rate.bytes_per_s)}, what is sure to be kept is gone after ${durationWords(lasts_ms)}, not ${durationWords(outage_ms)}`;
  return [
    {
      code: 'rotation-too-small',
      severity: lasts_ms === undefined ? 'warning' : 'error',
      what: `Docker keeps ${kept}: ${measured}`,
      why: 'what rotation deletes while logboom is away is lost',
      fix: 'keep more of it',
      log_opts: largerRotation(max_bytes, ((rate?.bytes_per_s ?? 0) * outage_ms) / 1000),
    },
  ];
}

/** Five files at least, of which four are sure to be kept; twice what is needed. */
function largerRotation(max_bytes: number, needed_bytes: number): Record<string, string> {
  const megabytes = Math.max(
    Math.ceil(max_bytes / 1e6),
    Math.ceil((2 * needed_bytes) / 4 / 1e6),
    10,
  );
  return { 'max-size': `${megabytes}m`, 'max-file': '5' };
}
