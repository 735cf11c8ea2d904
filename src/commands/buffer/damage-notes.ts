import type { Corruption } from '../../journal/inspect.ts';
import type { Host } from '../host.ts';
import { placeText } from './look.ts';
import { countText } from './text.ts';

/** More places are counted only. */
const SHOWN_MAX = 5;

/** Damage that a command passed over while it was about something else. */
export class DamageNotes {
  readonly #places: string[] = [];
  #count = 0;

  add({ path, offset, what, is_tail }: Corruption): void {
    // The last commit is being written, or never was: nothing of it was acked.
    if (is_tail) return;
    this.#count += 1;
    if (this.#places.length < SHOWN_MAX) this.#places.push(`${placeText(path, offset)} (${what})`);
  }

  /** Says on standard error what was passed over. False: nothing was. */
  report(host: Pick<Host, 'stderr'>): boolean {
    if (this.#count === 0) return false;
    const more = this.#count > this.#places.length ? ' ...' : '';
    host.stderr.write(
      `logboom: passed over ${countText(this.#count, 'damaged place')}: ` +
        `${this.#places.join(', ')}${more}; see logboom buffer verify\n`,
    );
    return true;
  }
}
