import { type Paint, widthOf } from './style.ts';

const BETWEEN = '  ';

export interface Column<T> {
  readonly title: string;
  readonly align?: 'right';
  cell(row: T): string;
}

/** Titles and rows, each column as wide as its widest cell. No rows: no lines. */
export function tableLines<T>(
  columns: readonly Column<T>[],
  rows: readonly T[],
  paint: Paint,
): string[] {
  if (rows.length === 0) return [];
  const titles = columns.map(({ title }) => paint('dim', title));
  const cells = rows.map((row) => columns.map((column) => column.cell(row)));
  const widths = columns.map((_, at) =>
    Math.max(...[titles, ...cells].map((line) => widthOf(line[at] ?? ''))),
  );
  return [titles, ...cells].map((line) =>
    line
      .map((cell, at) => padded(cell, widths[at] ?? 0, columns[at]?.align))
      .join(BETWEEN)
      .trimEnd(),
  );
}

/** The column left out where no row has anything to say in it. */
export function needed<T>(columns: readonly Column<T>[], rows: readonly T[]): Column<T>[] {
  return columns.filter((column) => rows.some((row) => column.cell(row) !== ''));
}

function padded(cell: string, width: number, align: 'right' | undefined): string {
  const space = ' '.repeat(width - widthOf(cell));
  return align === 'right' ? `${space}${cell}` : `${cell}${space}`;
}
