/**
 * The candidate that a person most likely meant by `word`, or nothing when none
 * is close: at most one edit per three characters, counting a swap of two
 * neighbours as one edit; a word that begins like a candidate, or the other way
 * around, is one edit away.
 */
export function closest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = fold(word);
  let best: string | undefined;
  let best_edits = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    const edits = distance(wanted, fold(candidate));
    if (edits < best_edits) {
      best = candidate;
      best_edits = edits;
    }
  }
  return best;
}

/** `maxSize`, `max-size` and `max_size` are the same word. */
function fold(word: string): string {
  return word.toLowerCase().replaceAll(/[-_ ]/g, '');
}

const BEGINNING_MIN_CHARACTERS = 3;

function distance(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  const begins = shorter >= BEGINNING_MIN_CHARACTERS && a.slice(0, shorter) === b.slice(0, shorter);
  return begins && a.length !== b.length ? 1 : editDistance(a, b);
}

/** Optimal string alignment distance: insertions, deletions, replacements, swaps of neighbours. */
function editDistance(a: string, b: string): number {
  let before_last: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let edits = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + (same ? 0 : 1),
      );
      const swapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) edits = Math.min(edits, at(before_last, column - 2) + 1);
      current.push(edits);
    }
    before_last = last;
    last = current;
  }
  return at(last, b.length);
}

/** Cells outside the table are unreachable. */
function at(cells: readonly number[], column: number): number {
  return cells[column] ?? Number.POSITIVE_INFINITY;
}
