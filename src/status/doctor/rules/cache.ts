import { ramSize } from '../../../inputs/docker/option-sizes.ts';
import { isTrue, rotationOf } from '../driver-options.ts';
import type { ContainerFacts, DoctorFacts } from '../facts.ts';
import type { Finding } from '../finding.ts';
import { durationWords, rateWords, sizeWords } from '../words.ts';

/** Docker's ring between a container and its log, in bytes of lines. */
const RING_DEFAULT_BYTES = 1_000_000;
/** From here on the ring may be full before the one who empties it gets the processor. */
const BUSY_BYTES_PER_S = 100_000;

/** What is lost between a container and its log driver, or its cache (formats.md 3.5). */
export function ringFindings(facts: ContainerFacts, context: DoctorFacts): Finding[] {
  const { log_driver, log_options } = facts.container;
  if (log_options['mode'] === 'non-blocking') return [nonBlocking(facts, context)];
  const has_cache = log_driver === 'fluentd' && !isTrue(log_options['cache-disabled']);
  if (!has_cache || log_options['mode'] === 'blocking') return [];
  const is_busy = (facts.rate?.bytes_per_s ?? 0) >= BUSY_BYTES_PER_S;
  const rate = facts.rate === undefined ? '' : ` (it writes ${rateWords(facts.rate.bytes_per_s)})`;
  return [
    {
      code: 'cache-ring',
      severity: is_busy ? 'warning' : 'note',
      what: `a ring of 1 MB stands in front of its cache${rate}`,
      why: 'while mode is not given, Docker drops lines from the cache under load, and what the stream loses cannot be recovered from it; with mode=blocking the cache is written at once',
      fix: 'say mode=blocking, which is the default for everything else',
      log_opts: { mode: 'blocking' },
    },
  ];
}

function nonBlocking({ container, rate }: ContainerFacts, { outage_ms }: DoctorFacts): Finding {
  const ring_bytes = ramSize(container.log_options['max-buffer-size']) ?? RING_DEFAULT_BYTES;
  const lasts_ms = rate === undefined ? undefined : (ring_bytes / rate.bytes_per_s) * 1000;
  const lasts = lasts_ms === undefined ? '' : `, full after ${durationWords(lasts_ms)} at its rate`;
  // With files nobody is away: the ring only has to bear bursts.
  const bears = container.log_driver === 'fluentd' ? outage_ms : 1000;
  const is_enough = lasts_ms !== undefined && lasts_ms >= bears;
  return {
    code: 'non-blocking-ring',
    severity: is_enough ? 'note' : 'warning',
    what: `its lines go through a ring of ${sizeWords(ring_bytes)}${lasts}`,
    why: 'with mode=non-blocking Docker drops the newest lines when the ring is full, and tells nobody',
    fix: 'let the container wait instead',
    log_opts: { mode: 'blocking' },
  };
}

/** What Docker's cache cannot give back. */
export function cacheFindings(facts: ContainerFacts, context: DoctorFacts): Finding[] {
  const { log_driver, log_options } = facts.container;
  if (log_driver !== 'fluentd' || !facts.sends_here) return [];
  if (isTrue(log_options['cache-disabled'])) {
    const has_acks = isTrue(log_options['fluentd-request-ack']);
    return [
      {
        code: 'cache-off',
        severity: has_acks ? 'warning' : 'error',
        what: 'its cache is off',
        why: has_acks
          ? 'a line that the driver gives up on is nowhere else'
          : 'the driver does not see a connection close: what it writes then is lost, and only the cache would still have it',
        fix: 'turn the cache on',
        log_opts: { 'cache-disabled': 'false' },
      },
    ];
  }
  if (!context.relay.reads_docker) {
    return [
      {
        code: 'cache-not-read',
        severity: 'warning',
        what: "this relay does not read Docker's cache of it",
        why: 'lines that a closing connection swallows stay lost, though the cache holds them',
        fix: "run logboom with --docker and Docker's data root",
      },
    ];
  }
  return cacheTooSmall(facts, context);
}

function cacheTooSmall({ container, rate }: ContainerFacts, { outage_ms }: DoctorFacts): Finding[] {
  const rotation = rotationOf('fluentd', container.log_options);
  const is_async = isTrue(container.log_options['fluentd-async']);
  // Without async the container waits for the relay, and writes nothing meanwhile.
  if (rate === undefined || rotation === undefined || !is_async) return [];
  const lasts_ms = ((rotation.max_bytes * (rotation.max_files - 1)) / rate.bytes_per_s) * 1000;
  if (lasts_ms >= outage_ms) return [];
  return [
    {
      code: 'cache-too-small',
      severity: 'warning',
      what: `at ${rateWords(rate.bytes_per_s)} its cache holds ${durationWords(lasts_ms)}, not ${durationWords(outage_ms)}`,
      why: 'Docker keeps five files of 20 MiB, whatever cache-max-size says',
      fix: 'use the json-file driver, whose size can be chosen, or keep outages shorter',
    },
  ];
}
