// Inputs, journal and outputs, and what runs between them.

import { byId, View, Views } from './dom.js';
import { ago, bytes, count, counted, duration, rate } from './format.js';
import { JOURNAL_STATES, OUTPUT_STATES } from './words.js';

/** @import { ContainerStatus, InputsStatus, JournalStatus, OutputStatus, RelayStatus } from '../../types.ts' */

/** A journal that is full later than this is not worth a word. */
const FULL_SOON_MS = 7 * 86_400_000;

export class Flow {
  #inputs = new View(byId('inputs'));
  #journal = new View(byId('journal'));
  #arrow_in = new View(byId('arrow-in'));
  #arrow_out = new View(byId('arrow-out'));
  #outputs = new Views('output');
  /**
   * By output.
   *
   * @type {Map<string, Views>}
   */
  #details = new Map();

  /** @param {RelayStatus} status */
  show(status) {
    const { rates, inputs, containers, journal, outputs, now_ms } = status;
    this.#showInputs(inputs, containers);
    showArrow(this.#arrow_in, rates.events_in_per_s, rates.bytes_in_per_s);
    this.#showJournal(journal, rates.bytes_in_per_s - rates.bytes_out_per_s, now_ms);
    showArrow(this.#arrow_out, rates.events_out_per_s, rates.bytes_out_per_s);
    this.#arrow_out.write({ outputs: outputs.length > 1 ? `to ${outputs.length} outputs` : null });
    this.#outputs.show(
      byId('output-cards'),
      outputs,
      ({ name }) => name,
      (view, output) => this.#showOutput(view, output, rates.events_in_per_s, now_ms),
    );
    for (const name of this.#details.keys()) {
      if (!outputs.some((output) => output.name === name)) this.#details.delete(name);
    }
  }

  /**
   * @param {InputsStatus} inputs
   * @param {readonly ContainerStatus[]} containers
   */
  #showInputs(inputs, containers) {
    const view = this.#inputs;
    const { listeners, connections_open } = inputs;
    if (listeners.length > 0) view.badge('listening', 'ok', 'listening');
    else view.badge('listening', 'none', 'not listening');
    view.write({
      connections: count(connections_open),
      connections_word: connections_open === 1 ? 'connection open' : 'connections open',
      events: count(inputs.events),
      resends: orNothing(inputs.resends_dropped),
      refused: orNothing(inputs.connections_refused),
      broken: orNothing(inputs.connections_broken),
      failed: orNothing(inputs.connections_failed),
      tls: orNothing(inputs.tls_failures),
      handshakes: orNothing(inputs.handshake_failures),
    });
    fillList(
      view.slot('listeners'),
      listeners.map(({ url }) => url),
    );
    view.slot('files').hidden = containers.length === 0;
    if (containers.length === 0) return;
    const lines_per_s = containers.reduce((sum, container) => sum + container.lines_per_s, 0);
    view.write({
      containers: count(containers.length),
      containers_word: containers.length === 1 ? 'container' : 'containers',
      hows: howMany(containers),
      lines: rate(lines_per_s),
    });
  }

  /**
   * @param {JournalStatus} journal
   * @param {number} growth_per_s
   * @param {number} now_ms
   */
  #showJournal(journal, growth_per_s, now_ms) {
    const view = this.#journal;
    const [level, word] = JOURNAL_STATES[journal.state];
    const percent = Math.min(100, (100 * journal.bytes) / journal.max_bytes);
    const used = percent > 0 && percent < 1 ? 'under 1' : count(percent);
    const full_in_ms = (1000 * journal.room_left_bytes) / growth_per_s;
    const fills = growth_per_s > 0 && full_in_ms < FULL_SOON_MS && journal.room_left_bytes > 0;
    view.badge('state', level, word);
    view.write({
      used: bytes(journal.bytes),
      limit: `of ${bytes(journal.max_bytes)} (${used} %)`,
      room: bytes(journal.room_left_bytes),
      full_in: fills && percent >= 1 ? duration(full_in_ms) : null,
      oldest: journal.oldest_ms === null ? 'none' : ago(now_ms - journal.oldest_ms),
      on_full: journal.on_full === 'block' ? 'clients wait' : 'the oldest go',
      segments: count(journal.segments),
      quarantined: orNothing(journal.quarantined),
      cut: orNothing(journal.cut),
      dir: journal.dir,
    });
    /** @type {HTMLMeterElement} */ (view.slot('bar')).value = percent;
  }

  /**
   * @param {View} view
   * @param {OutputStatus} output
   * @param {number} in_per_s
   * @param {number} now_ms
   */
  #showOutput(view, output, in_per_s, now_ms) {
    const [level, word] = OUTPUT_STATES[output.state];
    const { lag_events, lag_bytes, oldest_age_ms } = output;
    const gain_per_s = output.events_per_s - in_per_s;
    const catches_up = (lag_events ?? 0) > output.events_per_s && gain_per_s > 0;
    view.badge('state', level, word);
    view.write({
      name: output.name,
      rate: rate(output.events_per_s),
      type: output.type,
      lag: waiting(lag_events, lag_bytes),
      age: oldest_age_ms === null ? null : waitOf(oldest_age_ms),
      caught_up: catches_up ? `about ${duration((1000 * (lag_events ?? 0)) / gain_per_s)}` : null,
      in_flight: counted(output.chunks_in_flight, 'chunk'),
      retries: output.retries === 0 ? null : counted(output.retries, 'chunk'),
      error: errorText(output, now_ms),
    });
    view.slot('error').dataset['level'] = output.state === 'retrying' ? 'error' : 'none';
    this.#showDetails(view, output);
  }

  /**
   * @param {View} view
   * @param {OutputStatus} output
   */
  #showDetails(view, { name, events_out, bytes_out, details }) {
    const views = this.#details.get(name) ?? new Views('detail');
    this.#details.set(name, views);
    /** @type {[string, string][]} */
    const rows = [['delivered', `${counted(events_out, 'event')}, ${bytes(bytes_out)}`]];
    for (const [word, value] of Object.entries(details)) {
      rows.push([word.replaceAll('_', ' '), typeof value === 'number' ? count(value) : value]);
    }
    /** @param {View} row @param {[string, string]} texts */
    const fill = (row, [word, value]) => row.write({ name: word, value });
    views.show(view.slot('details'), rows, ([word]) => word, fill);
  }
}

/**
 * @param {View} arrow
 * @param {number} events_per_s
 * @param {number} bytes_per_s
 */
function showArrow(arrow, events_per_s, bytes_per_s) {
  arrow.write({ events: `${rate(events_per_s)} events/s`, bytes: `${bytes(bytes_per_s)}/s` });
  arrow.root.dataset['flows'] = events_per_s > 0 ? 'yes' : 'no';
}

/**
 * @param {HTMLElement} list
 * @param {readonly string[]} texts
 */
function fillList(list, texts) {
  if (list.dataset['shown'] === texts.join('\n')) return;
  list.dataset['shown'] = texts.join('\n');
  list.replaceChildren(
    ...texts.map((text) => {
      const item = document.createElement('li');
      item.textContent = text;
      return item;
    }),
  );
}

/** @param {number} value */
function orNothing(value) {
  return value === 0 ? null : count(value);
}

/**
 * @param {number | null} events
 * @param {number | null} size
 */
function waiting(events, size) {
  if (events === 0) return 'nothing';
  if (events === null) return 'not known yet';
  return size === null ? counted(events, 'event') : `${counted(events, 'event')}, ${bytes(size)}`;
}

/** @param {number} ms */
function waitOf(ms) {
  return ms < 1000 ? 'under 1 s' : duration(ms);
}

/**
 * An error of before, while all goes well again, is history.
 *
 * @param {OutputStatus} output
 * @param {number} now_ms
 */
function errorText({ last_error, last_error_ms, has_recovered }, now_ms) {
  if (last_error === null) return null;
  const when = last_error_ms === null ? '' : `, ${ago(now_ms - last_error_ms)}`;
  return `Last error${when}${has_recovered ? ', since recovered' : ''}: ${last_error}`;
}

/**
 * `12 json-file, 3 merged`
 *
 * @param {readonly ContainerStatus[]} containers
 */
function howMany(containers) {
  /** @type {Map<string, number>} */
  const by_how = new Map();
  for (const { how } of containers) by_how.set(how, (by_how.get(how) ?? 0) + 1);
  return [...by_how].map(([how, number]) => `${count(number)} ${how}`).join(', ');
}
