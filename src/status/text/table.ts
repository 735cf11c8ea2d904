import { cutMiddle, type Paint, widthOf } from './style.ts';

const BETWEEN = '  ';
/** A name is not cut to less, however narrow the terminal. */
const NAME_MIN_COLUMNS = 12;
/** What a cell that runs on is sure to have. */
const RUNS_ON_MIN_COLUMNS = 16;

export interface Column<T> {
  readonly title: string;
  readonly align?: 'right';
  /** Names that somebody chose, without looks: cut in the middle where the table would be too wide. */
  readonly shrinks?: true;
  /** The last column, of texts of any length: no other gives way to them. */
  readonly runs_on?: true;
  cell(row: T): string;
}

/**
 * Titles and rows, each column as wide as its widest cell, if `columns_max` allows. No rows:
 * no lines.
 */
export function tableLines<T>(
  columns: readonly Column<T>[],
  rows: readonly T[],
  paint: Paint,
  columns_max = Number.POSITIVE_INFINITY,
): string[] {
  if (rows.length === 0) return [];
  const titles = columns.map(({ title }) => paint('dim', title));
  const cells = rows.map((row) => columns.map((column) => column.cell(row)));
  const widest = columns.map((_, at) =>
    Math.max(...[titles, ...cells].map((line) => widthOf(line[at] ?? ''))),
  );
  const widths = shrunk(columns, widest, columns_max);
  const names_cut = cells.map((line) =>
    line.map((cell, at) =>
      columns[at]?.shrinks === true ? cutMiddle(cell, widths[at] ?? 0) : cell,
    ),
  );
  return [titles, ...names_cut].map((line) =>
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

/** The widths with which the table fits, or comes as near as it can: the widest name gives way first. */
function shrunk<T>(
  columns: readonly Column<T>[],
  widest: readonly number[],
  columns_max: number,
): number[] {
  const widths = [...widest];
  const taken = widths.map((width, at) =>
    columns[at]?.runs_on === true ? Math.min(width, RUNS_ON_MIN_COLUMNS) : width,
  );
  let over = taken.reduce((sum, width) => sum + width, BETWEEN.length * (widths.length - 1));
  over -= columns_max;
  for (; over > 0; over--) {
    const names = widths.map((width, at) => (columns[at]?.shrinks === true ? width : 0));
    const most = Math.max(...names);
    if (most <= NAME_MIN_COLUMNS) break;
    widths[names.indexOf(most)] = most - 1;
  }
  return widths;
}

function padded(cell: string, width: number, align: 'right' | undefined): string {
  const space = ' '.repeat(width - widthOf(cell));
  return align === 'right' ? `${space}${cell}` : `${cell}${space}`;
}
