// The last minutes of figures, as the plots draw them. Pure.

/** @import { RelayStatus } from '../../types.ts' */

export const HISTORY_S = 300;

/**
 * @typedef {object} Sample
 * @property {number} at_s
 * @property {number | null} in_per_s null: the page did not hear from the relay
 * @property {number | null} out_per_s
 * @property {number | null} lag_events of the output that is furthest behind
 * @property {number | null} oldest_age_s
 */

/** Samples by time, no older than `HISTORY_S`. */
export class History {
  /** @type {Sample[]} */
  #samples = [];

  /** @param {RelayStatus} status */
  add({ now_ms, rates, outputs }) {
    const lags = outputs.flatMap(({ lag_events }) => lag_events ?? []);
    const ages_ms = outputs.flatMap(({ oldest_age_ms }) => oldest_age_ms ?? []);
    this.#push({
      at_s: now_ms / 1000,
      in_per_s: rates.events_in_per_s,
      out_per_s: rates.events_out_per_s,
      lag_events: lags.length === 0 ? null : Math.max(...lags),
      oldest_age_s: Math.max(0, ...ages_ms) / 1000,
    });
  }

  /** Whatever comes next is not joined to what was before. */
  interrupt() {
    const last = this.#samples.at(-1);
    if (last === undefined || last.in_per_s === null) return;
    const nothing = { in_per_s: null, out_per_s: null, lag_events: null, oldest_age_s: null };
    this.#push({ at_s: last.at_s, ...nothing });
  }

  /**
   * The columns that a plot draws: first seconds before the last sample, then each named figure.
   *
   * @param {readonly (Exclude<keyof Sample, 'at_s'>)[]} names
   * @returns {[number[], ...(number | null)[][]]}
   */
  columns(names) {
    const end_s = this.#samples.at(-1)?.at_s ?? 0;
    const ages = this.#samples.map(({ at_s }) => at_s - end_s);
    return [ages, ...names.map((name) => this.#samples.map((sample) => sample[name]))];
  }

  /**
   * A clock that was set back begins a new history.
   *
   * @param {Sample} sample
   */
  #push(sample) {
    const last = this.#samples.at(-1);
    if (last !== undefined && sample.at_s < last.at_s) this.#samples = [];
    this.#samples.push(sample);
    const begin_s = sample.at_s - HISTORY_S;
    while ((this.#samples[0]?.at_s ?? begin_s) < begin_s) this.#samples.shift();
  }
}
