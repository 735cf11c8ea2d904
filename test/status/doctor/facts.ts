import type { Container } from '../../../src/inputs/docker/types.ts';
import { diagnose } from '../../../src/status/doctor/diagnose.ts';
import type { ContainerFacts, DoctorFacts } from '../../../src/status/doctor/facts.ts';
import type { Finding } from '../../../src/status/doctor/finding.ts';

export const NOW_MS = Date.parse('2026-11-23T10:00:00Z');
const MINUTE_MS = 60_000;

/** Options of a fluentd container that nothing is wrong with. */
export const SOUND = {
  'fluentd-address': 'unix:///run/logboom.sock',
  'fluentd-sub-second-precision': 'true',
  mode: 'blocking',
};

/** A container that writes `bytes_per_s`, with these log options. */
export function containerWith(
  log_driver: string,
  log_options: Readonly<Record<string, string>>,
  { bytes_per_s, ...more }: Partial<ContainerFacts> & { readonly bytes_per_s?: number } = {},
): ContainerFacts {
  const container: Container = {
    id: 'a'.repeat(64),
    name: 'web',
    image_name: 'bb:1',
    image_id: '',
    labels: {},
    env: [],
    hostname: '',
    command: [],
    tty: false,
    log_driver,
    log_options,
    created_ms: NOW_MS - 60 * MINUTE_MS,
    started_ms: NOW_MS - 60 * MINUTE_MS,
    running: true,
    directory: undefined,
    log_path: '',
  };
  return {
    container,
    sends_here: log_driver === 'fluentd',
    rate: bytes_per_s === undefined ? undefined : { bytes_per_s, over_ms: MINUTE_MS },
    unreadable: undefined,
    tag_problem: undefined,
    ...more,
  };
}

/** A host that nothing is wrong with, but for what is given. */
export function factsWith(more: Partial<DoctorFacts> = {}): DoctorFacts {
  return {
    now_ms: NOW_MS,
    outage_ms: 10 * MINUTE_MS,
    engine: { version: '20.10.24', defaults: undefined },
    relay: {
      listeners: [{ url: 'unix:///run/logboom.sock', state: 'answers' }],
      reads_docker: true,
      interfaces: ['127.0.0.1', '172.17.0.1'],
    },
    journal: {
      dir: '/journal',
      max_bytes: 8e9,
      used_bytes: 0,
      free_bytes: 100e9,
      newest_ms: NOW_MS,
      problem: undefined,
    },
    containers: [],
    ...more,
  };
}

/** What is found of one container, surroundings left out. */
export function findingsOf(each: ContainerFacts, more: Partial<DoctorFacts> = {}): Finding[] {
  const all = diagnose(factsWith({ ...more, containers: [each] }));
  return all
    .filter(({ subject }) => subject.kind === 'container')
    .flatMap(({ findings }) => findings);
}

/** `severity code` of each. */
export const briefly = (findings: readonly Finding[]): string[] =>
  findings.map(({ severity, code }) => `${severity} ${code}`);
