import type { DoctorFacts } from '../facts.ts';
import type { Finding } from '../finding.ts';
import { countWords, durationWords, rateWords, sizeWords } from '../words.ts';

/** What the driver's reconnects last before their wait overflows (formats.md 2.4). */
const WEDGE_AFTER_MS = 82 * 60_000;
/** Clocks differ by this much without anything being wrong. */
const CLOCK_SLACK_MS = 60_000;
/** An event in the journal carries its container's id and names beside the line. */
const JOURNAL_PER_LOG_BYTE = 2;

export function engineFindings({ containers, outage_ms, engine, now_ms }: DoctorFacts): Finding[] {
  const findings: Finding[] = [];
  const streams = containers.some(({ container }) => container.log_driver === 'fluentd');
  if (streams) {
    const version = engine.version === undefined ? '' : ` (this one is ${engine.version})`;
    findings.push({
      code: 'reconnect-wedge',
      severity: outage_ms >= WEDGE_AFTER_MS ? 'warning' : 'note',
      what: 'a container whose relay refuses connections for about 84 minutes never connects again',
      why: `the driver's wait between two tries overflows, in every Engine so far${version}; only a restart of the container helps`,
      fix: 'keep the listener open whatever happens: logboom does while its upstream is down, and a systemd socket does while logboom is',
    });
  }
  const ahead = containers.filter(
    ({ container }) => container.started_ms > now_ms + CLOCK_SLACK_MS,
  );
  if (ahead.length > 0) {
    const names = ahead.map(({ container }) => container.name).join(', ');
    findings.push({
      code: 'clock-was-ahead',
      severity: 'warning',
      what: `by this clock, ${names} will only start in the future`,
      why: 'the clock was set back since: lines before and after bear times in the wrong order',
      fix: 'keep the clock with NTP, which slews instead of stepping',
    });
  }
  return findings;
}

export function relayFindings({ relay, containers }: DoctorFacts): Finding[] {
  const expected = containers.filter(({ sends_here }) => sends_here).length;
  return relay.listeners.flatMap(({ url, state }): Finding[] => {
    if (typeof state === 'string') return [];
    return [
      {
        code: 'listener-unreachable',
        severity: expected > 0 ? 'error' : 'warning',
        what: `nothing answers at ${url}: ${state.failed}`,
        why:
          expected > 0
            ? `what sends there waits, or loses lines: ${countWords(expected, 'container')}`
            : 'a container that is to send there does not start',
        fix: 'start logboom, or correct the address',
      },
    ];
  });
}

export function journalFindings(facts: DoctorFacts): Finding[] {
  const { journal, now_ms } = facts;
  const findings = [...diskFindings(facts)];
  if (journal.problem !== undefined) {
    findings.push({
      code: 'journal-not-writable',
      severity: 'error',
      what: `the journal folder ${journal.dir} cannot be written: ${journal.problem}`,
      why: 'without its journal logboom takes no event',
      fix: 'give the folder to the user that logboom runs as',
    });
  }
  if (journal.newest_ms !== undefined && journal.newest_ms > now_ms + CLOCK_SLACK_MS) {
    findings.push({
      code: 'journal-from-the-future',
      severity: 'warning',
      what: `the newest commit in the journal is ${durationWords(journal.newest_ms - now_ms)} ahead of this clock`,
      why: 'the clock was set back: ages, time limits and retention go by it',
      fix: 'keep the clock with NTP',
    });
  }
  return findings;
}

function diskFindings({ journal, containers, outage_ms, relay }: DoctorFacts): Finding[] {
  const { max_bytes, used_bytes, free_bytes } = journal;
  const findings: Finding[] = [];
  const to_limit_bytes = Math.max(0, max_bytes - used_bytes);
  if (free_bytes !== undefined && free_bytes < to_limit_bytes) {
    findings.push({
      code: 'disk-below-limit',
      severity: 'warning',
      what: `the disk has ${sizeWords(free_bytes)} free, and the journal may grow by ${sizeWords(to_limit_bytes)}`,
      why: 'the disk is full before the limit is reached, for everything else on it too',
      fix: 'lower journal.max_size, or give the journal a disk of its own',
    });
  }
  const coming = containers.filter(
    ({ container, sends_here }) =>
      sends_here || (relay.reads_docker && container.log_driver !== 'fluentd'),
  );
  const rate = coming.reduce((sum, { rate: own }) => sum + (own?.bytes_per_s ?? 0), 0);
  const needed_bytes = ((rate * outage_ms) / 1000) * JOURNAL_PER_LOG_BYTE;
  const room_bytes = Math.min(to_limit_bytes, free_bytes ?? to_limit_bytes);
  if (needed_bytes > room_bytes) {
    findings.push({
      code: 'journal-too-small',
      severity: 'error',
      what: `the journal has room for ${sizeWords(room_bytes)}; ${durationWords(outage_ms)} without the upstream need about ${sizeWords(needed_bytes)}`,
      why: `the containers write ${rateWords(rate)} together when they are busiest, and an event takes about twice its line`,
      fix: 'raise journal.max_size, or give it a larger disk',
    });
  }
  return findings;
}
