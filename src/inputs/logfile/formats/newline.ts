/** What the formats that end an entry with a newline share. */

const NEWLINE = 0x0a;
const NUL = 0;

/** The offset behind the next newline, or -1. */
export function endOfLine(buf: Buffer, start: number, end: number): number {
  const newline = buf.indexOf(NEWLINE, start);
  return newline === -1 || newline >= end ? -1 : newline + 1;
}

/**
 * Behind the NULs at `start` (formats.md 4.1: a file that was truncated and then written
 * on), if an entry can begin there; else behind the next newline; else `end`.
 */
export function resyncAtLine(
  buf: Buffer,
  start: number,
  end: number,
  canBegin: (byte: number) => boolean,
): number {
  let at = start;
  while (at < end && buf[at] === NUL) at += 1;
  const behind_nuls = buf[at];
  if (at > start && at < end && behind_nuls !== undefined && canBegin(behind_nuls)) return at;
  const next = endOfLine(buf, at, end);
  return next === -1 ? end : next;
}
