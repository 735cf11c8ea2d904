import { LRUCache } from 'lru-cache';
import type { DropLedger } from '../sys/ledger.ts';
import { compileTagPatterns, type TagMatcher } from './glob.ts';

/** Which tags an output takes. */
export interface Route {
  readonly output: string;
  /** fluentd's tag patterns, as glob.ts explains them. */
  readonly match: string;
}

/** Answers kept, by tag. Peers choose tags: both their number and their bytes are bounded. */
const MEMO_MAX_TAGS = 4096;
const MEMO_MAX_BYTES = 1024 * 1024;
/** A tag as a place in the ledger. */
const PLACE_MAX_CHARACTERS = 64;

/**
 * Decides by tag which outputs an event goes to: to each whose pattern matches,
 * a copy. Tags are compared as bytes, so one that is not UTF-8 is a tag like others.
 *
 * Asked when records are read, not when they arrive: new routes hold for
 * everything that an output has not read yet.
 */
export class Router {
  readonly #drops: DropLedger;
  readonly #memo = new LRUCache<string, ReadonlySet<string>>({
    max: MEMO_MAX_TAGS,
    maxSize: MEMO_MAX_BYTES,
    sizeCalculation: (_outputs, tag) => tag.length + 1,
  });
  #routes: readonly { readonly output: string; readonly matches: TagMatcher }[] = [];

  /** Throws LB_CONFIG for a pattern that is not valid. `unrouted` events are counted in `drops`. */
  constructor(routes: readonly Route[], drops: DropLedger) {
    this.#drops = drops;
    this.replace(routes);
  }

  /** Puts other routes in place of all the old ones; after LB_CONFIG the old ones stay. */
  replace(routes: readonly Route[]): void {
    this.#routes = routes.map(({ output, match }) => ({
      output,
      matches: compileTagPatterns(match),
    }));
    this.#memo.clear();
  }

  /** The names of the outputs that take events with this tag. */
  match(tag: Buffer): ReadonlySet<string> {
    // latin1 gives every byte a character of its own, so different tags stay different.
    const key = tag.toString('latin1');
    let outputs = this.#memo.get(key);
    if (outputs === undefined) {
      const taking = this.#routes.filter((route) => route.matches(tag));
      outputs = new Set(taking.map((route) => route.output));
      this.#memo.set(key, outputs);
    }
    return outputs;
  }

  /** Call it once for each durable record: events that no output takes are counted `unrouted`, by tag. */
  routed(tag: Buffer, events: number): void {
    if (this.match(tag).size === 0) countUnrouted(this.#drops, tag, events);
  }
}

export function countUnrouted(drops: DropLedger, tag: Buffer, events: number): void {
  drops.count('unrouted', tag.toString('utf8').slice(0, PLACE_MAX_CHARACTERS), events);
}
