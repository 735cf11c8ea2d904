/** Tables of text. Pure. */

/** Columns of equal width: the first `left_columns` to the left, the others, numbers, to the right. */
export function alignedTable(rows: readonly (readonly string[])[], left_columns: number): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows
    .map((row) =>
      widths
        .map((width, column) => {
          const cell = row[column] ?? '';
          return column < left_columns ? cell.padEnd(width) : cell.padStart(width);
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Four significant digits at most, thousands apart: `1,083,000`, `12.35`, `0.84`. */
export function numberText(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return '-';
  return value.toLocaleString('en-US', {
    maximumSignificantDigits: Math.abs(value) >= 1 ? 4 : 3,
  });
}

/** `1.08x`; empty where one of the two is missing. */
export function ratioText(value: number | undefined, reference: number | undefined): string {
  if (value === undefined || reference === undefined || reference === 0) return '-';
  return `${(value / reference).toFixed(2)}x`;
}
