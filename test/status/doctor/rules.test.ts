import { describe, expect, it } from 'vitest';
import { diagnose, hasTrouble } from '../../../src/status/doctor/diagnose.ts';
import type { ContainerFacts, DoctorFacts } from '../../../src/status/doctor/facts.ts';
import { reportText } from '../../../src/status/doctor/report.ts';
import { briefly, containerWith, factsWith, findingsOf, NOW_MS, SOUND } from './facts.ts';

type Case = [
  what: string,
  each: ContainerFacts,
  expected: readonly string[],
  /** What else is not as usual. */
  more?: Partial<DoctorFacts>,
];

const fluentd = (options: Record<string, string>, more: Parameters<typeof containerWith>[2] = {}) =>
  containerWith('fluentd', { ...SOUND, ...options }, more);
const json = (options: Record<string, string>, more: Parameters<typeof containerWith>[2] = {}) =>
  containerWith('json-file', options, more);

const relay = factsWith().relay;
const engine = (version: string | undefined) => ({ engine: { version, defaults: undefined } });

/** A sync container waits for the relay, which is worth a note. */
const SYNC = 'note start-needs-relay';
const ASYNC = 'note async-discards-at-exit';
const QUEUE = 'note async-queue-bounded';

const FLUENTD: readonly Case[] = [
  ['sound options', fluentd({}), [SYNC]],
  [
    'no sub-second times',
    fluentd({ 'fluentd-sub-second-precision': 'false' }),
    ['warning whole-second-times', SYNC],
  ],
  ['async', fluentd({ 'fluentd-async': 'true' }), [QUEUE, ASYNC]],
  ['async by its old name', fluentd({ 'fluentd-async-connect': '1' }), [QUEUE, ASYNC]],
  [
    'a queue of 1000',
    fluentd({ 'fluentd-async': 'true', 'fluentd-buffer-limit': '1000' }),
    ['error async-small-queue', ASYNC],
  ],
  [
    'a queue of 64k messages, written as bytes',
    fluentd({ 'fluentd-async': 'true', 'fluentd-buffer-limit': '64KB' }),
    [QUEUE, ASYNC],
  ],
  [
    'a queue of 64k at 1 MB/s',
    fluentd({ 'fluentd-async': 'true', 'fluentd-buffer-limit': '64KB' }, { bytes_per_s: 1e6 }),
    ['error async-small-queue', 'warning cache-too-small', ASYNC],
  ],
  [
    'a queue of 0, which is 8192',
    fluentd({ 'fluentd-async': 'true', 'fluentd-buffer-limit': '0' }),
    ['error async-small-queue', ASYNC],
  ],
  [
    'acks without async on 20.10',
    fluentd({ 'fluentd-request-ack': 'true' }),
    ['error acks-without-async', SYNC],
  ],
  [
    'acks without async on 23.0',
    fluentd({ 'fluentd-request-ack': 'true' }),
    ['warning acks-without-async', SYNC],
    engine('23.0.1'),
  ],
  [
    'acks without async on some Engine',
    fluentd({ 'fluentd-request-ack': 'true' }),
    ['warning acks-without-async', SYNC],
    engine(undefined),
  ],
  [
    'acks with async',
    fluentd({ 'fluentd-request-ack': 'true', 'fluentd-async': 'true' }),
    [QUEUE, ASYNC],
  ],
  [
    'acks without a limit on 29',
    fluentd({ 'fluentd-request-ack': 'true' }),
    ['warning acks-without-timeout', SYNC],
    engine('29.1.0'),
  ],
  [
    'acks with a limit on 29',
    fluentd({ 'fluentd-request-ack': 'true', 'fluentd-read-timeout': '9s' }),
    [SYNC],
    engine('29.1.0'),
  ],
  ['few retries', fluentd({ 'fluentd-max-retries': '10' }), ['error few-retries', SYNC]],
  ['the cache off', fluentd({ 'cache-disabled': 'true' }), ['error cache-off', SYNC]],
  [
    'the cache off, with acks',
    fluentd({ 'cache-disabled': 'true', 'fluentd-request-ack': 'true', 'fluentd-async': 'true' }),
    ['error async-discards-at-exit', 'warning cache-off', QUEUE],
  ],
  [
    'a cache that nobody reads',
    fluentd({}),
    ['warning cache-not-read', SYNC],
    { relay: { ...relay, reads_docker: false } },
  ],
  ['mode not given, idle', fluentd({ mode: '' }), [SYNC, 'note cache-ring']],
  [
    'mode not given, busy',
    fluentd({ mode: '' }, { bytes_per_s: 200_000 }),
    ['warning cache-ring', SYNC],
  ],
  [
    'mode not given, no cache',
    fluentd({ mode: '', 'cache-disabled': 'true' }),
    ['error cache-off', SYNC],
  ],
  ['non-blocking', fluentd({ mode: 'non-blocking' }), ['warning non-blocking-ring', SYNC]],
  [
    'non-blocking, a large ring',
    fluentd({ mode: 'non-blocking', 'max-buffer-size': '10m' }, { bytes_per_s: 1000 }),
    [SYNC, 'note non-blocking-ring'],
  ],
  [
    'a host name',
    fluentd({ 'fluentd-address': 'aggregator:24224' }),
    ['warning address-host-name', SYNC],
  ],
  [
    "a container's address",
    fluentd({ 'fluentd-address': 'tcp://172.17.0.5:24224' }),
    ['warning address-container-ip', SYNC],
  ],
  ["the bridge's own address", fluentd({ 'fluentd-address': 'tcp://172.17.0.1:24224' }), [SYNC]],
  ['a fixed port', fluentd({ 'fluentd-address': '127.0.0.1:24224' }), [SYNC]],
  ['IPv6', fluentd({ 'fluentd-address': 'tcp://[::1]:24224' }), ['error address-ipv6', SYNC]],
  ['udp', fluentd({ 'fluentd-address': 'udp://127.0.0.1:24224' }), ['error address-invalid', SYNC]],
  ['another relay', fluentd({}, { sends_here: false }), [SYNC, 'note sends-elsewhere']],
  [
    'a tag that cannot be made',
    fluentd({}, { tag_problem: 'no .Nmae' }),
    ['error tag-unsupported', SYNC],
  ],
  [
    'a cache that cannot be read',
    fluentd({}, { unreadable: 'EACCES' }),
    ['error log-unreadable', SYNC],
  ],
];

const FILES: readonly Case[] = [
  ['never rotated', json({}), ['note log-unbounded']],
  [
    'rotation that bears the outage',
    json({ 'max-size': '10m', 'max-file': '3' }, { bytes_per_s: 1000 }),
    [],
  ],
  [
    'rotation that does not',
    json({ 'max-size': '10k', 'max-file': '3' }, { bytes_per_s: 1000 }),
    ['error rotation-too-small'],
  ],
  ['rotation, the rate not known', json({ 'max-size': '10k', 'max-file': '3' }), []],
  [
    'one file on 23.0',
    json({ 'max-size': '10m' }),
    ['warning rotation-too-small'],
    engine('23.0.0'),
  ],
  ['one file on 20.10, which keeps another', json({ 'max-size': '10m' }), []],
  ['local, at its defaults', containerWith('local', {}, { bytes_per_s: 1000 }), []],
  [
    'local, very busy',
    containerWith('local', {}, { bytes_per_s: 1e6 }),
    ['error rotation-too-small'],
  ],
  [
    'non-blocking',
    json({ mode: 'non-blocking' }),
    ['warning non-blocking-ring', 'note log-unbounded'],
  ],
  [
    'files that nobody reads',
    json({}),
    ['warning files-not-read'],
    { relay: { ...relay, reads_docker: false } },
  ],
  ['journald', containerWith('journald', {}), ['note driver-not-read']],
  ['none', containerWith('none', {}), ['warning driver-not-read']],
];

describe('a fluentd container with', () => {
  it.each(FLUENTD)('%s', (_, each, expected, more) => {
    expect(briefly(findingsOf(each, more))).toEqual(expected);
  });
});

describe('a container with files:', () => {
  it.each(FILES)('%s', (_, each, expected, more) => {
    expect(briefly(findingsOf(each, more))).toEqual(expected);
  });

  it('is told options with which the outage is survived', () => {
    const each = json({ 'max-size': '10k', 'max-file': '2' }, { bytes_per_s: 100_000 });
    const [finding] = findingsOf(each);
    const repaired = json({ ...finding?.log_opts }, { bytes_per_s: 100_000 });
    expect(briefly(findingsOf(repaired))).toEqual([]);
  });
});

describe('the surroundings', () => {
  const { journal } = factsWith();
  const busy = fluentd({}, { bytes_per_s: 1e6 });
  const cases: readonly (readonly [string, Partial<DoctorFacts>, readonly string[]])[] = [
    ['nothing wrong', {}, []],
    [
      'a listener that does not answer',
      { relay: { ...relay, listeners: [{ url: 'tcp://a:1', state: { failed: 'ECONNREFUSED' } }] } },
      ['warning listener-unreachable'],
    ],
    [
      'a listener that only systemd knows',
      { relay: { ...relay, listeners: [{ url: 'systemd://', state: 'not tried' }] } },
      [],
    ],
    [
      'a journal that is not writable',
      { journal: { ...journal, problem: 'EACCES' } },
      ['error journal-not-writable'],
    ],
    [
      'a journal from the future',
      { journal: { ...journal, newest_ms: NOW_MS + 3_600_000 } },
      ['warning journal-from-the-future'],
    ],
    [
      'a disk that is fuller than the limit',
      { journal: { ...journal, free_bytes: 1e9 } },
      ['warning disk-below-limit'],
    ],
    [
      'a journal too small for the outage',
      { containers: [busy], journal: { ...journal, max_bytes: 1e9 } },
      ['error journal-too-small', 'note reconnect-wedge'],
    ],
    [
      'a long outage',
      { containers: [fluentd({})], outage_ms: 2 * 3_600_000 },
      ['warning reconnect-wedge'],
    ],
  ];
  it.each(cases)('%s', (_, more, expected) => {
    const all = diagnose(factsWith(more)).filter(({ subject }) => subject.kind !== 'container');
    expect(briefly(all.flatMap(({ findings }) => findings))).toEqual(expected);
  });

  it('say that a clock was set back when a container starts in the future', () => {
    const web = json({});
    const container = { ...web.container, started_ms: NOW_MS + 3_600_000 };
    const all = diagnose(factsWith({ containers: [{ ...web, container }] }));
    expect(all.flatMap(({ findings }) => briefly(findings))).toContain('warning clock-was-ahead');
  });

  it("include the Engine's defaults for new containers", () => {
    const defaults = { log_driver: 'fluentd', log_options: {} };
    const all = diagnose(factsWith({ engine: { version: undefined, defaults } }));
    const found = all.find(({ subject }) => subject.kind === 'new containers');
    expect(briefly(found?.findings ?? [])).toEqual([
      'warning whole-second-times',
      SYNC,
      'note cache-ring',
    ]);
  });
});

describe('the report', () => {
  it('groups by container, and ends each group with the command that repairs it', () => {
    const each = containerWith('fluentd', { 'cache-disabled': 'true' });
    const text = reportText(diagnose(factsWith({ containers: [each] })));
    expect(text).toContain(
      'container web (aaaaaaaaaaaa)\n  error    cache-off: its cache is off\n',
    );
    expect(text).toContain(
      'docker run --log-opt cache-disabled=false --log-opt fluentd-sub-second-precision=true ...\n',
    );
    expect(text).toMatch(/\n1 container looked at: 1 error, 1 warning, \d notes\n$/);
  });

  it('is trouble for scripts unless it has nothing but notes', () => {
    expect(hasTrouble(diagnose(factsWith({ containers: [fluentd({})] })))).toBe(false);
    expect(hasTrouble(diagnose(factsWith({ containers: [containerWith('fluentd', {})] })))).toBe(
      true,
    );
  });
});
