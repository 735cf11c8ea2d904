/**
 * The one place where events that will not arrive are counted (guarantee G8).
 *
 * A reason is a short stable word (`invalid_event`, `unrouted`, `drop_oldest`,
 * `dead_letter` ...); a place is what it happened to: an output's name, a peer's
 * address, a container's name. Places are bounded: beyond the cap, further ones
 * share the place `(other)`, so hostile peers cannot grow the table.
 */
export class DropLedger {
  readonly #by_reason = new Map<string, Map<string, number>>();
  readonly #places_max_count: number;

  constructor(places_max_count = 256) {
    this.#places_max_count = places_max_count;
  }

  count(reason: string, place: string, events: number): void {
    if (events === 0) return;
    let places = this.#by_reason.get(reason);
    if (places === undefined) {
      places = new Map();
      this.#by_reason.set(reason, places);
    }
    const known = places.has(place) || places.size < this.#places_max_count;
    const key = known ? place : '(other)';
    places.set(key, (places.get(key) ?? 0) + events);
  }

  total(reason: string): number {
    let sum = 0;
    for (const events of this.#by_reason.get(reason)?.values() ?? []) sum += events;
    return sum;
  }

  /** `{reason: {place: events}}`, for status and metrics. */
  toJSON(): Record<string, Record<string, number>> {
    const out: Record<string, Record<string, number>> = {};
    for (const [reason, places] of this.#by_reason) out[reason] = Object.fromEntries(places);
    return out;
  }
}
