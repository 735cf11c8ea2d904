// The page: hands each status to its parts, and says how fresh it is.

import { Containers } from './containers.js';
import { byId, setBadge } from './dom.js';
import { Feed } from './feed.js';
import { Flow } from './flow.js';
import { bytes, duration } from './format.js';
import { History } from './history.js';
import { Plots } from './plots.js';
import { savedToken, TokenForm } from './token.js';
import { Troubles } from './troubles.js';

/** @import { RelayStatus } from '../../types.ts' */
/** @import { FeedState } from './feed.js' */
/** @import { Level } from './words.js' */

/** The relay sends every second; figures older than this are called stale. */
const STALE_AFTER_MS = 3000;

/** @typedef {FeedState | 'stale'} Freshness */

/** @type {Readonly<Record<Freshness, readonly [Level, string]>>} */
const WORDS = {
  connecting: ['none', 'connecting'],
  live: ['ok', 'live'],
  stale: ['warning', 'stale'],
  gone: ['error', 'no answer from the relay'],
  locked: ['none', 'locked'],
};

const history = new History();
const parts = [new Troubles(), new Flow(), new Containers()];
const plots = new Plots(history);
const form = new TokenForm((token) => void feed.unlock(token));

let token_was_tried = savedToken() !== null;
/** @type {FeedState} */
let feed_state = 'connecting';
let gone_reason = '';
let heard_at_ms = performance.now();

const feed = new Feed(savedToken(), { onStatus: show, onState: enter });
setInterval(sayFreshness, 500);
sayFreshness();
void feed.follow();

/** @param {RelayStatus} status */
function show(status) {
  heard_at_ms = performance.now();
  byId('figures').hidden = false;
  byId('relay').textContent = whatItIs(status);
  for (const part of parts) part.show(status);
  history.add(status);
  plots.draw();
  sayFreshness();
}

/** @param {RelayStatus} status */
function whatItIs({ version, started_ms, now_ms, pid, node, resident_bytes }) {
  const up = duration(now_ms - started_ms);
  return `${version}, up ${up}, process ${pid}, ${bytes(resident_bytes)} of memory, Node.js ${node}`;
}

/**
 * @param {FeedState} state
 * @param {string} reason
 */
function enter(state, reason) {
  feed_state = state;
  gone_reason = reason.trim();
  if (state === 'gone') history.interrupt();
  if (state === 'live') form.hide();
  if (state === 'locked') {
    form.ask(token_was_tried);
    token_was_tried = true;
  }
  sayFreshness();
}

function sayFreshness() {
  const silent_ms = performance.now() - heard_at_ms;
  const is_stale = feed_state === 'live' && silent_ms > STALE_AFTER_MS;
  /** @type {Freshness} */
  const freshness = is_stale ? 'stale' : feed_state;
  const [level, word] = WORDS[freshness];
  setBadge(byId('feed-word'), level, word);
  document.body.dataset['feed'] = freshness;
  byId('feed-note').textContent = noteOn(freshness, silent_ms);
}

/**
 * @param {Freshness} freshness
 * @param {number} silent_ms
 */
function noteOn(freshness, silent_ms) {
  if (freshness === 'stale') return `figures of ${duration(silent_ms)} ago`;
  if (freshness !== 'gone') return '';
  const reason = gone_reason === '' ? '' : `${gone_reason}; `;
  if (byId('figures').hidden) return `${reason}trying again`;
  return `${reason}figures of ${duration(silent_ms)} ago, trying again`;
}
