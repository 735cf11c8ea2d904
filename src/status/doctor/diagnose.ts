import type { Container } from '../../inputs/docker/types.ts';
import type { ContainerFacts, DoctorFacts, LogDefaults } from './facts.ts';
import type { Finding, Severity, Subject, SubjectFindings } from './finding.ts';
import { addressFindings } from './rules/address.ts';
import { cacheFindings, ringFindings } from './rules/cache.ts';
import { fileFindings } from './rules/files.ts';
import { fluentdFindings } from './rules/fluentd.ts';
import { engineFindings, journalFindings, relayFindings } from './rules/surroundings.ts';

type ContainerRule = (facts: ContainerFacts, context: DoctorFacts) => Finding[];

const CONTAINER_RULES: readonly ContainerRule[] = [
  fluentdFindings,
  addressFindings,
  cacheFindings,
  ringFindings,
  fileFindings,
];

/** Those that hold for a container that does not exist yet. */
const DEFAULTS_RULES: readonly ContainerRule[] = [fluentdFindings, addressFindings, ringFindings];

const ORDER: readonly Severity[] = ['error', 'warning', 'note'];

/**
 * Everything in `facts` that can lose lines: the surroundings first, then the containers by
 * name. Subjects without a finding are in it, with none. Pure.
 */
export function diagnose(facts: DoctorFacts): SubjectFindings[] {
  const containers = facts.containers.toSorted((a, b) =>
    a.container.name < b.container.name ? -1 : 1,
  );
  return [
    { subject: subject('relay'), findings: worstFirst(relayFindings(facts)) },
    { subject: subject('journal'), findings: worstFirst(journalFindings(facts)) },
    { subject: subject('engine'), findings: worstFirst(engineFindings(facts)) },
    ...defaultsFindings(facts),
    ...containers.map((each) => ({
      subject: { kind: 'container', name: each.container.name, id: each.container.id } as const,
      findings: applied(CONTAINER_RULES, each, facts),
    })),
  ];
}

/** Whether a script should stop for it. */
export function hasTrouble(all: readonly SubjectFindings[]): boolean {
  return all.some(({ findings }) => findings.some(({ severity }) => severity !== 'note'));
}

function defaultsFindings(facts: DoctorFacts): SubjectFindings[] {
  const { defaults } = facts.engine;
  if (defaults === undefined) return [];
  const made: ContainerFacts = {
    container: containerOf(defaults),
    sends_here: true,
    rate: undefined,
    unreadable: undefined,
    tag_problem: undefined,
  };
  return [{ subject: subject('new containers'), findings: applied(DEFAULTS_RULES, made, facts) }];
}

function containerOf({ log_driver, log_options }: LogDefaults): Container {
  return {
    id: '',
    name: '',
    image_name: '',
    image_id: '',
    labels: {},
    env: [],
    hostname: '',
    command: [],
    tty: false,
    log_driver,
    log_options,
    created_ms: 0,
    started_ms: 0,
    running: false,
    directory: undefined,
    log_path: '',
  };
}

function applied(
  rules: readonly ContainerRule[],
  each: ContainerFacts,
  facts: DoctorFacts,
): Finding[] {
  return worstFirst(rules.flatMap((rule) => rule(each, facts)));
}

function worstFirst(findings: readonly Finding[]): Finding[] {
  return findings.toSorted((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));
}

function subject(kind: Subject['kind']): Subject {
  return { kind, name: '', id: '' };
}
