import { ObjectScanner } from './object-scanner.ts';

const LEVELS_MAX = 512;

/**
 * The entries `from` to before `to` of a body, as views of its pieces. Pieces may
 * be cut anywhere; nothing is copied.
 */
export function sliceEntries(body: readonly Buffer[], from: number, to: number): Buffer[] {
  const slice: Buffer[] = [];
  const scanner = newScanner();
  let entry = 0;
  for (const piece of body) {
    let at = 0;
    let slice_start = entry >= from ? 0 : -1;
    while (at < piece.length && entry < to) {
      if (entry === from && slice_start < 0) slice_start = at;
      at = scanner.scan(piece, at, piece.length);
      if (scanner.whole) {
        entry += 1;
        restart(scanner);
      }
    }
    if (slice_start >= 0 && at > slice_start) slice.push(piece.subarray(slice_start, at));
    if (entry >= to) break;
  }
  return slice;
}

/** How many whole entries a body has. */
export function countEntries(body: readonly Buffer[]): number {
  const scanner = newScanner();
  let entries = 0;
  for (const piece of body) {
    for (let at = 0; at < piece.length; ) {
      at = scanner.scan(piece, at, piece.length);
      if (scanner.whole) {
        entries += 1;
        restart(scanner);
      }
    }
  }
  return entries;
}

function newScanner(): ObjectScanner {
  const scanner = new ObjectScanner(LEVELS_MAX);
  restart(scanner);
  return scanner;
}

/** Entries of a stored body were held to the limits when they came. */
function restart(scanner: ObjectScanner): void {
  scanner.restart(Number.MAX_SAFE_INTEGER, 'none');
}
