import type { AppendedCount } from '../journal/committer.ts';
import type { JournalRecord } from '../journal/types.ts';
import { compileTagPatterns, type TagMatcher } from '../outputs/glob.ts';
import { countUnrouted, type Route, Router } from '../outputs/router.ts';
import { DropLedger } from '../sys/ledger.ts';

/** A route, in force for events from this place in the journal on (`JournalRecord.events_before`). */
export interface RouteSpan {
  readonly from_events: number;
  readonly match: string;
}

/** By output, oldest span first. */
export type RouteSpans = ReadonlyMap<string, readonly RouteSpan[]>;

interface Trial {
  readonly name: string;
  readonly match: string;
  readonly matches: TagMatcher;
  /** What only this output would take, in case that it cannot start after all. */
  readonly held: DropLedger;
}

interface History {
  readonly spans: RouteSpan[];
  readonly matchers: TagMatcher[];
  /** What lies before was counted; an output may read it again. */
  counted_events: number;
}

/** Of one output: a bound for those whose place never moves while their route changes. */
const SPANS_MAX_COUNT = 64;

/**
 * Who takes which events: now, and when they came. Routes are asked when events are read, so
 * what no output takes is counted in two places:
 *
 *     appended ──► no output takes it ────────────────────────► `unrouted`, by tag
 *     read ──────► its route was narrowed since it came ──────► `no_longer_routed`, by output
 *
 * While an output is about to start, what only it takes is held: nothing if it starts,
 * `unrouted` if it does not.
 */
export class Routes {
  readonly #ledger: DropLedger;
  readonly #in_force = new Map<string, string>();
  readonly #router: Router;
  readonly #histories = new Map<string, History>();
  #trial: Trial | undefined;

  /** @throws LB_CONFIG for a pattern that is not valid */
  constructor(routes: readonly Route[], ledger: DropLedger) {
    this.#ledger = ledger;
    this.#router = new Router(routes, ledger);
    for (const { output, match } of routes) this.#in_force.set(output, match);
  }

  /** Takes in what earlier processes noted. */
  restore(spans: RouteSpans): void {
    for (const [name, own] of spans) {
      const matchers = own.map(({ match }) => compileTagPatterns(match));
      this.#histories.set(name, { spans: [...own], matchers, counted_events: 0 });
    }
  }

  appended(counts: readonly AppendedCount[]): void {
    for (const { tag, count } of counts) {
      if (this.#router.match(tag).size > 0) continue;
      const drops = this.#trial?.matches(tag) === true ? this.#trial.held : this.#ledger;
      countUnrouted(drops, tag, count);
    }
  }

  /** An output is about to start: call it before its place in the journal is made. One at a time. */
  tryOut(name: string, match: string): void {
    const matches = compileTagPatterns(match);
    this.#trial = { name, match, matches, held: new DropLedger() };
  }

  /** It has started; its route is in force from here on. */
  keep(at_events: number): void {
    const trial = this.#trial;
    if (trial === undefined) return;
    this.#trial = undefined;
    this.#note(trial, at_events);
    this.#in_force.set(trial.name, trial.match);
    this.#replace();
  }

  /** It cannot start: routes are as before. */
  drop(): void {
    const held = this.#trial?.held.toJSON()['unrouted'] ?? {};
    this.#trial = undefined;
    for (const [tag, events] of Object.entries(held)) this.#ledger.count('unrouted', tag, events);
  }

  /** The output is gone for good. */
  remove(name: string): void {
    this.#in_force.delete(name);
    this.#histories.delete(name);
    this.#replace();
  }

  /** An output has read a record that is not for it: counted if it was, when it came. */
  passedOver(name: string, { tag, count, events_before }: JournalRecord): void {
    const history = this.#histories.get(name);
    if (history === undefined || events_before < history.counted_events) return;
    history.counted_events = events_before + count;
    const at = history.spans.findLastIndex((span) => span.from_events <= events_before);
    if (history.matchers[at]?.(tag) === true) this.#ledger.count('no_longer_routed', name, count);
  }

  /** What is still needed when outputs have done with everything before `done_events`. */
  spans(done_events: (name: string) => number): RouteSpans {
    const kept = [...this.#histories].map(([name, { spans }]) => {
      const oldest = spans.findLastIndex((span) => span.from_events <= done_events(name));
      return [name, spans.slice(Math.max(0, oldest)).slice(-SPANS_MAX_COUNT)] as const;
    });
    return new Map(kept);
  }

  #note({ name, match, matches }: Trial, at_events: number): void {
    const history = this.#histories.get(name) ?? { spans: [], matchers: [], counted_events: 0 };
    this.#histories.set(name, history);
    if (history.spans.at(-1)?.match === match) return;
    history.spans.push({ from_events: at_events, match });
    history.matchers.push(matches);
  }

  #replace(): void {
    this.#router.replace([...this.#in_force].map(([output, match]) => ({ output, match })));
  }
}
