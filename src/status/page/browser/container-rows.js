// Which containers the table shows, and in which order. Pure.

/** @import { ContainerStatus } from '../../types.ts' */

/** @typedef {'name' | 'how' | 'lines_per_s' | 'last_line_s' | 'recovered' | 'dropped_doubled' | 'late'} ColumnKey */
/** @typedef {{ readonly key: ColumnKey, readonly title: string, readonly first: 'ascending' | 'descending' }} Column */

/**
 * `first`: the order that a first click asks for.
 *
 * @type {readonly Column[]}
 */
export const COLUMNS = [
  { key: 'name', title: 'Name', first: 'ascending' },
  { key: 'how', title: 'How', first: 'ascending' },
  { key: 'lines_per_s', title: 'Lines/s', first: 'descending' },
  { key: 'last_line_s', title: 'Last line', first: 'descending' },
  { key: 'recovered', title: 'From cache', first: 'descending' },
  { key: 'dropped_doubled', title: 'Repeats', first: 'descending' },
  { key: 'late', title: 'Late', first: 'descending' },
];

const NAMES = new Intl.Collator('en', { numeric: true });

/**
 * Those that have all words of `filter` in their name, id or how, sorted; equal ones by name.
 *
 * @param {readonly ContainerStatus[]} containers
 * @param {string} filter
 * @param {ColumnKey} key
 * @param {'ascending' | 'descending'} order
 * @returns {ContainerStatus[]}
 */
export function containerRows(containers, filter, key, order) {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const sign = order === 'ascending' ? 1 : -1;
  return containers
    .filter(({ name, id, how }) => {
      const text = `${name} ${id} ${how}`.toLowerCase();
      return words.every((word) => text.includes(word));
    })
    .toSorted((a, b) => sign * compare(a[key], b[key]) || NAMES.compare(a.name, b.name));
}

/**
 * Numbers by size, a null before all of them; texts as people sort them.
 *
 * @param {string | number | null} a
 * @param {string | number | null} b
 */
function compare(a, b) {
  if (typeof a === 'string' && typeof b === 'string') return NAMES.compare(a, b);
  if (a === b) return 0;
  return Number(a ?? -1) - Number(b ?? -1);
}
