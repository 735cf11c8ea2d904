import { plainPaint } from '../../status/text/style.ts';
import { type Column, tableLines } from '../../status/text/table.ts';

/** How figures look to a person; `--json` has them as they are. */

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `512 B`, `1.5 MiB`. */
export function sizeText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < BYTE_UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits)} ${BYTE_UNITS[unit]}`;
}

/** `1,234 events`, `1 event`. */
export function countText(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`;
}

/** `2026-11-23 10:00:00Z`; `-` for 0, which stands for none. */
export function timeText(time_ms: number): string {
  if (time_ms === 0) return '-';
  const date = new Date(time_ms);
  if (Number.isNaN(date.getTime())) return `${time_ms} ms`;
  return `${date.toISOString().slice(0, 19).replace('T', ' ')}Z`;
}

/**
 * Rows below their titles. Columns whose title begins with a `>` are right-aligned; the first
 * one is of names, which are cut where the table would be wider than `columns_max`. Control
 * characters that a peer chose are escaped.
 */
export function tableText(
  titles: readonly string[],
  rows: readonly (readonly string[])[],
  columns_max?: number,
): string {
  const columns = titles.map(
    (title, at): Column<readonly string[]> => ({
      title: title.replace(/^>/, ''),
      ...(title.startsWith('>') ? { align: 'right' } : {}),
      ...(at === 0 ? { shrinks: true } : {}),
      cell: (row) => visible(row[at] ?? ''),
    }),
  );
  return `${tableLines(columns, rows, plainPaint, columns_max).join('\n')}\n`;
}

/** A tag or name as it can be shown on a terminal. */
export function visible(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}
