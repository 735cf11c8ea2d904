import { ramSize } from '../../../inputs/docker/option-sizes.ts';
import { isBefore, isTrue, type LogOptions, wholeNumber } from '../driver-options.ts';
import type { ContainerFacts, DoctorFacts } from '../facts.ts';
import type { Finding } from '../finding.ts';
import { durationWords } from '../words.ts';

/** Messages, though the option is written as a size (formats.md 2.2). */
const QUEUE_DEFAULT_MESSAGES = 1_048_576;
const QUEUE_SMALL_MESSAGES = 65_536;
/** A line of a log is about so long; the queue counts lines, the rate bytes. */
const LINE_BYTES = 150;

/** With waits of up to a minute, so many retries bridge a day. */
const RETRIES_MIN = 1440;

/** What the options of a container with the fluentd driver can lose (formats.md 2, 3). */
export function fluentdFindings(facts: ContainerFacts, context: DoctorFacts): Finding[] {
  const { container } = facts;
  if (container.log_driver !== 'fluentd') return [];
  const options = container.log_options;
  const is_async = isTrue(options['fluentd-async']) || isTrue(options['fluentd-async-connect']);
  return [
    ...wholeSeconds(options),
    ...(is_async ? asyncQueue(facts, context) : startNeedsRelay()),
    ...acks(options, is_async, context),
    ...fewRetries(options),
  ];
}

function wholeSeconds(options: LogOptions): Finding[] {
  if (isTrue(options['fluentd-sub-second-precision'])) return [];
  return [
    {
      code: 'whole-second-times',
      severity: 'warning',
      what: 'its times are cut to whole seconds',
      why: 'lines of one second cannot be put in order at the aggregator, and equal ones are harder to tell apart when gaps are filled',
      fix: 'turn sub-second times on',
      log_opts: { 'fluentd-sub-second-precision': 'true' },
    },
  ];
}

function asyncQueue(facts: ContainerFacts, { outage_ms }: DoctorFacts): Finding[] {
  const options = facts.container.log_options;
  const findings: Finding[] = [];
  // 0 means the library's own default.
  const limit = ramSize(options['fluentd-buffer-limit']) ?? QUEUE_DEFAULT_MESSAGES;
  const queue = limit === 0 ? 8192 : limit;
  const lines_per_s = facts.rate === undefined ? undefined : facts.rate.bytes_per_s / LINE_BYTES;
  const lasts_ms = lines_per_s === undefined ? undefined : (queue / lines_per_s) * 1000;
  const is_small = lasts_ms === undefined ? queue < QUEUE_SMALL_MESSAGES : lasts_ms < outage_ms;
  const lasts =
    lasts_ms === undefined ? '' : `, full after about ${durationWords(lasts_ms)} at its rate`;
  const what = `its async queue holds ${queue} messages${lasts}`;
  const why = 'a full queue rejects lines, and those are not in its cache either';
  if (is_small) {
    const wanted = Math.max(QUEUE_DEFAULT_MESSAGES, wholeQueue(lines_per_s ?? 0, outage_ms));
    findings.push({
      code: 'async-small-queue',
      severity: 'error',
      what,
      why,
      fix: 'give it a larger queue, or no async at all',
      log_opts: { 'fluentd-buffer-limit': String(wanted) },
    });
  } else {
    findings.push({
      code: 'async-queue-bounded',
      severity: 'note',
      what,
      why,
      fix: 'nothing, as long as the relay is not away until it is full',
    });
  }
  const is_cached = !isTrue(options['cache-disabled']);
  findings.push({
    code: 'async-discards-at-exit',
    severity: is_cached ? 'note' : 'error',
    what: 'its queue is thrown away when the container stops',
    why: is_cached
      ? "Docker's async driver does so even with a healthy relay; logboom recovers those lines from the container's cache"
      : "Docker's async driver does so even with a healthy relay, and without a cache nothing else has those lines",
    fix: is_cached ? 'nothing, as long as logboom reads its cache' : 'turn the cache on',
    ...(is_cached ? {} : { log_opts: { 'cache-disabled': 'false' } }),
  });
  return findings;
}

const wholeQueue = (lines_per_s: number, outage_ms: number): number =>
  Math.ceil((lines_per_s * outage_ms) / 1000);

function startNeedsRelay(): Finding[] {
  return [
    {
      code: 'start-needs-relay',
      severity: 'note',
      what: 'it does not start while the relay is down, and waits while the relay is away',
      why: 'without async the driver connects before the container starts, and each line waits for the one before it',
      fix: 'start logboom first (a systemd socket is there even before it), or use async',
    },
  ];
}

function acks(options: LogOptions, is_async: boolean, { engine }: DoctorFacts): Finding[] {
  if (!isTrue(options['fluentd-request-ack'])) return [];
  const is_before_29 = isBefore(engine.version, '29.0');
  if (is_before_29 === false) {
    if (options['fluentd-read-timeout'] !== undefined) return [];
    return [
      {
        code: 'acks-without-timeout',
        severity: 'warning',
        what: 'it waits for acks without a time limit',
        why: 'since Engine 29 a container that stops while an ack is outstanding hangs, unless there is a read timeout',
        fix: 'set a read timeout',
        log_opts: { 'fluentd-read-timeout': '30s' },
      },
    ];
  }
  if (is_async) return [];
  const is_2010 = isBefore(engine.version, '23.0') === true;
  return [
    {
      code: 'acks-without-async',
      severity: is_2010 ? 'error' : 'warning',
      what: 'it asks for acks without async',
      why: 'stdout and stderr then share one connection and read the acks of each other: lines are doubled, and dockerd may crash',
      fix: 'use async, whose queue has one sender',
      log_opts: { 'fluentd-async': 'true' },
    },
  ];
}

function fewRetries(options: LogOptions): Finding[] {
  const retries = wholeNumber(options['fluentd-max-retries']);
  if (retries === undefined || retries >= RETRIES_MIN) return [];
  return [
    {
      code: 'few-retries',
      severity: 'error',
      what: `a line is dropped after ${retries === 0 ? 13 : retries} failed connections`,
      why: 'such a line is not in the cache either',
      fix: "leave Docker's default, which retries without end",
      log_opts: { 'fluentd-max-retries': '2147483647' },
    },
  ];
}
