// The table of containers: sorted by its headers, filtered, kept up in place.

import { COLUMNS, containerRows } from './container-rows.js';
import { arrange, byId, View, Views } from './dom.js';
import { ago, count, rate, UNKNOWN } from './format.js';

/** @import { ContainerStatus, RelayStatus } from '../../types.ts' */
/** @import { Column, ColumnKey } from './container-rows.js' */

export class Containers {
  #rows = new Views('container');
  #filter = /** @type {HTMLInputElement} */ (byId('filter'));
  /** @type {Map<ColumnKey, View>} */
  #headers = new Map();
  /** @type {ColumnKey} */
  #key = 'name';
  /** @type {'ascending' | 'descending'} */
  #order = 'ascending';
  /** @type {RelayStatus | undefined} */
  #status;

  constructor() {
    for (const column of COLUMNS) this.#addHeader(column);
    this.#markOrder();
    this.#filter.addEventListener('input', () => this.#arrange());
  }

  /** @param {RelayStatus} status */
  show(status) {
    this.#status = status;
    this.#arrange();
  }

  #arrange() {
    if (this.#status === undefined) return;
    const { containers, now_ms } = this.#status;
    byId('containers').hidden = containers.length === 0;
    const views = this.#rows.of(
      containers,
      ({ id }) => id,
      (view, container) => fillRow(view, container, now_ms),
    );
    const shown = containerRows(containers, this.#filter.value, this.#key, this.#order);
    arrange(
      byId('container-rows'),
      shown.flatMap(({ id }) => views.get(id)?.root ?? []),
    );
    const all = count(containers.length);
    const text = shown.length === containers.length ? all : `${count(shown.length)} of ${all}`;
    const node = byId('containers-shown');
    if (node.textContent !== text) node.textContent = text;
  }

  /** @param {Column} column */
  #addHeader({ key, title, first }) {
    const view = View.stamp('column');
    view.write({ title });
    view.slot('sort').addEventListener('click', () => {
      this.#order = this.#key === key ? opposite(this.#order) : first;
      this.#key = key;
      this.#markOrder();
      this.#arrange();
    });
    this.#headers.set(key, view);
    byId('container-columns').append(view.root);
  }

  #markOrder() {
    for (const [key, { root }] of this.#headers) {
      root.setAttribute('aria-sort', key === this.#key ? this.#order : 'none');
    }
  }
}

/** @param {'ascending' | 'descending'} order */
function opposite(order) {
  return order === 'ascending' ? 'descending' : 'ascending';
}

/**
 * @param {View} view
 * @param {ContainerStatus} container
 * @param {number} now_ms
 */
function fillRow(view, container, now_ms) {
  const { last_line_s } = container;
  view.write({
    name: container.name,
    removed: container.is_removed ? ' (removed)' : null,
    how: container.how,
    lines_per_s: rate(container.lines_per_s),
    last_line_s: last_line_s === null ? UNKNOWN : ago(now_ms - 1000 * last_line_s),
    recovered: count(container.recovered),
    dropped_doubled: count(container.dropped_doubled),
    late: count(container.late),
  });
}
