// What is wrong, what was dropped and what may be missing, each with what to do.

import { byId, setBadge, Views } from './dom.js';
import { count, counted } from './format.js';
import { adviceFor, dropMeaning, gapMeaning } from './words.js';

/** @import { GapStatus, Problem, RelayStatus } from '../../types.ts' */
/** @import { View } from './dom.js' */
/** @import { Meaning } from './words.js' */

/**
 * @typedef {object} Loss
 * @property {string} key
 * @property {string} amount
 * @property {string | null} places
 * @property {Meaning} meaning
 */

/** The largest places of a reason; the others are in status.json. */
const PLACES_SHOWN = 5;

export class Troubles {
  #problems = new Views('problem');
  #losses = new Views('loss');

  /** @param {RelayStatus} status */
  show(status) {
    this.#showVerdict(status);
    const losses = [...dropsOf(status.dropped), ...status.gaps.map(gapOf)];
    byId('losses-none').hidden = losses.length > 0;
    this.#losses.show(byId('loss-list'), losses, ({ key }) => key, fillLoss);
  }

  /** @param {RelayStatus} status */
  #showVerdict(status) {
    const { problems, state } = status;
    const verdict = byId('verdict');
    const is_bad = problems.some(({ level }) => level === 'error');
    const own = problems.filter((problem) => !isTold(problem, status));
    const told = own.length < problems.length;
    byId('see-losses').hidden = !told;
    if (problems.length > 0) {
      setBadge(verdict, is_bad ? 'error' : 'warning', toLookAt(own.length + Number(told)));
    } else if (state === 'stopping') {
      setBadge(verdict, 'none', 'The relay is stopping');
    } else {
      setBadge(verdict, 'ok', 'All is well');
    }
    this.#problems.show(
      byId('problems'),
      withPlaces(own),
      ({ key }) => key,
      (view, { problem: { level, where, text }, problem }) => {
        view.badge('level', level, level);
        view.write({ where, text: sentence(text), advice: adviceFor(problem, status) || null });
      },
    );
  }
}

/**
 * Drops and gaps have a list of their own, which tells more.
 *
 * @param {Problem} problem
 * @param {RelayStatus} status
 */
function isTold({ where }, { gaps }) {
  return where === 'dropped' || gaps.some(({ container }) => where === `container ${container}`);
}

/**
 * A problem's text changes as it gets older; what it is about, and how many there were
 * about that before it, do not.
 *
 * @param {readonly Problem[]} problems
 */
function withPlaces(problems) {
  /** @type {Map<string, number>} */
  const seen = new Map();
  return problems.map((problem) => {
    const nth = (seen.get(problem.where) ?? 0) + 1;
    seen.set(problem.where, nth);
    return { key: `${nth} ${problem.where}`, problem };
  });
}

/** @param {number} things */
function toLookAt(things) {
  return things === 1 ? '1 thing needs a look' : `${things} things need a look`;
}

/**
 * @param {RelayStatus['dropped']} dropped
 * @returns {Loss[]}
 */
function dropsOf(dropped) {
  return Object.entries(dropped).map(([reason, by_place]) => {
    const places = Object.entries(by_place).toSorted(([, a], [, b]) => b - a);
    const total = places.reduce((sum, [, events]) => sum + events, 0);
    const shown = places
      .slice(0, PLACES_SHOWN)
      .map(([name, events]) => `${name}: ${count(events)}`);
    const left_off = places.length - shown.length;
    if (left_off > 0) shown.push(`and ${left_off} more`);
    return {
      key: `drop ${reason}`,
      amount: counted(total, 'event'),
      places: shown.join(' · '),
      meaning: dropMeaning(reason),
    };
  });
}

/**
 * Gaps are only ever added, so the place of one in the list is its own.
 *
 * @param {GapStatus} gap
 * @param {number} at
 * @returns {Loss}
 */
function gapOf({ container, reason, times }, at) {
  return {
    key: `gap ${at}`,
    amount: `${container}:`,
    places: times === 1 ? null : `${count(times)} times`,
    meaning: gapMeaning(reason),
  };
}

/** @param {string} text */
function sentence(text) {
  return text.endsWith('.') ? text : `${text}.`;
}

/** @type {Readonly<Record<Meaning['level'], string>>} */
const LOSS_WORDS = { ok: 'harmless', warning: 'in doubt', error: 'not delivered', none: '' };

/**
 * @param {View} view
 * @param {Loss} loss
 */
function fillLoss(view, { amount, places, meaning }) {
  view.badge('level', meaning.level, LOSS_WORDS[meaning.level]);
  view.write({ amount, text: sentence(meaning.text), places, advice: meaning.advice });
}
