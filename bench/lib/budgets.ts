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
  /** How far the figure is from the limit, as a share of the limit; on the good side it is positive. */
  readonly spare: number | undefined;
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

/** Scenarios that keep a relay busy with live traffic. */
const LOADS = [
  'message',
  'message-64-connections',
  'message-1000-tags',
  'message-1k',
  'message-16k',
  'forward',
  'packed',
  'packed-64-connections',
  'gzip',
  'json-file',
] as const;

/** The largest of logboom's figures in those of some scenarios that were measured. */
const largest =
  (scenarios: readonly string[], figure: string) =>
  (of: Lookup): number | undefined => {
    const values = scenarios.flatMap((scenario) => of(scenario, 'logboom', figure) ?? []);
    return values.length === 0 ? undefined : Math.max(...values);
  };

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
  atMost('Memory at full load, where it takes most', 128, 'MiB', largest(LOADS, 'peak_mib')),
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
      ...judge(measured, limit, sense),
    };
  });
}

function judge(
  measured: number | undefined,
  limit: number,
  sense: Budget['sense'],
): Pick<BudgetResult, 'verdict' | 'spare'> {
  if (measured === undefined) return { verdict: 'not measured', spare: undefined };
  const spare = (sense === 'at_most' ? limit - measured : measured - limit) / limit;
  return { verdict: spare >= 0 ? 'met' : 'missed', spare };
}

/** @param all also those that nothing was measured for; they are all in JSON anyway */
export function budgetTable(results: readonly BudgetResult[], { all }: { all: boolean }): string {
  const shown = results.filter(({ verdict }) => all || verdict !== 'not measured');
  if (shown.length === 0) return '';
  const rows = shown.map(({ what, budget, measured, unit, verdict, spare }) => [
    what,
    spare === undefined ? verdict : `${verdict} by ${percentText(Math.abs(spare))}`,
    measured === undefined ? '-' : `${numberText(measured)} ${unit}`,
    budget,
  ]);
  return alignedTable([['budget', '', 'measured', 'limit'], ...rows], 2);
}

/** `7 %`; a miss by less than half a percent is one all the same. */
const percentText = (share: number): string =>
  `${numberText(Number((share * 100).toPrecision(2)))} %`;
