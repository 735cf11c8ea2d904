import { figureOf, type Summary } from './results.ts';
import { alignedTable, numberText } from './table.ts';

/** What logboom is to keep to, as a figure of one run on one machine. */
interface Budget {
  readonly what: string;
  readonly limit: number;
  readonly unit: string;
  /** at_most: less is better; at_least: more is. */
  readonly sense: 'at_most' | 'at_least';
  /** Undefined where something that it needs was not measured. */
  readonly measure: (of: Lookup) => number | undefined;
}

type Lookup = (scenario: string, contestant: string, figure: string) => number | undefined;

type Verdict = 'met' | 'missed' | 'not measured';

export interface BudgetResult {
  readonly what: string;
  readonly budget: string;
  readonly measured: number | undefined;
  readonly unit: string;
  readonly verdict: Verdict;
}

const CPU = 'cpu_us_per_event';
const SPEED = 'events_per_s';

const ratio = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined || b === 0 ? undefined : a / b;

/** A figure of logboom's as a multiple of another contestant's in the same scenario. */
const against =
  (scenario: string, contestant: string, figure: string) =>
  (of: Lookup): number | undefined =>
    ratio(of(scenario, 'logboom', figure), of(scenario, contestant, figure));

/** How often logboom's CPU for an event goes into a peer's: events per CPU second, compared. */
const timesAsCheapAs =
  (scenario: string, peer: string) =>
  (of: Lookup): number | undefined =>
    ratio(of(scenario, peer, CPU), of(scenario, 'logboom', CPU));

const own =
  (scenario: string, figure: string) =>
  (of: Lookup): number | undefined =>
    of(scenario, 'logboom', figure);

const atMost = (what: string, limit: number, unit: string, measure: Budget['measure']): Budget => ({
  what,
  limit,
  unit,
  sense: 'at_most',
  measure,
});

const atLeast = (
  what: string,
  limit: number,
  unit: string,
  measure: Budget['measure'],
): Budget => ({ what, limit, unit, sense: 'at_least', measure });

/** The design's budgets, each over the scenario that shows it. */
const BUDGETS: readonly Budget[] = [
  atMost('Message: CPU per event, to the pump', 1.1, 'x', against('message', 'pump', CPU)),
  atLeast('Message: throughput, to the pump', 1, 'x', against('message', 'pump', SPEED)),
  atLeast(
    'Message: events per CPU second, to Fluent Bit',
    3.5,
    'x',
    timesAsCheapAs('message', 'fluent-bit'),
  ),
  atMost('PackedForward: CPU per event, to the pump', 1, 'x', against('packed', 'pump', CPU)),
  atMost('PackedForward: CPU per event, to Fluentd', 1, 'x', against('packed', 'fluentd', CPU)),
  atLeast(
    'PackedForward: events per CPU second, to Fluent Bit',
    2.5,
    'x',
    timesAsCheapAs('packed', 'fluent-bit'),
  ),
  atMost('1,000 tags: CPU per event, to one tag', 1.5, 'x', (of) =>
    ratio(of('message-1000-tags', 'logboom', CPU), of('message', 'logboom', CPU)),
  ),
  atMost('100 clients that await acks: p99, to the p99 of one fdatasync', 3, 'x', (of) =>
    ratio(of('acks-100', 'logboom', 'p99_ms'), of('acks-100', 'fdatasync', 'p99_ms')),
  ),
  atMost('Memory at full load', 128, 'MiB', own('message', 'peak_mib')),
  atMost('Memory with a backlog', 100, 'MiB', own('backlog', 'waiting_peak_mib')),
  atMost('Accepting with a backlog', 1000, 'ms', own('backlog', 'open_ms')),
  atLeast('Drain after an outage, under traffic, to live traffic', 1, 'x', (of) =>
    ratio(of('outage', 'logboom', SPEED), of('message', 'logboom', SPEED)),
  ),
  atMost('json-file: CPU per line, to a Message event', 1.5, 'x', (of) =>
    ratio(of('json-file', 'logboom', CPU), of('message', 'logboom', CPU)),
  ),
  atMost('200 idle containers', 0.5, '% of a core', own('idle-200', 'cpu_percent')),
  atMost('Start to accepting', 300, 'ms', own('start', 'accepting_ms')),
];

export function judgeBudgets(summaries: readonly Summary[]): BudgetResult[] {
  const of: Lookup = (...key) => figureOf(summaries, ...key);
  return BUDGETS.map(({ what, limit, unit, sense, measure }) => {
    const measured = measure(of);
    return {
      what,
      budget: `${sense === 'at_most' ? '<=' : '>='} ${limit} ${unit}`,
      measured,
      unit,
      verdict: verdictOf(measured, limit, sense),
    };
  });
}

function verdictOf(measured: number | undefined, limit: number, sense: Budget['sense']): Verdict {
  if (measured === undefined) return 'not measured';
  const kept = sense === 'at_most' ? measured <= limit : measured >= limit;
  return kept ? 'met' : 'missed';
}

/** The budgets of which something was measured; all are named in JSON. */
export function budgetTable(results: readonly BudgetResult[]): string {
  const measured = results.filter(({ verdict }) => verdict !== 'not measured');
  if (measured.length === 0) return '';
  const rows = measured.map(({ what, budget, measured: value, unit, verdict }) => [
    what,
    verdict,
    `${numberText(value)} ${unit}`,
    budget,
  ]);
  return alignedTable([['budget', '', 'measured', 'limit'], ...rows], 2);
}
