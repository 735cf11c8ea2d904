import type { FileStat } from '../../sys/fs.ts';

/** How far one file is durable and belongs to events before the cursor. */
export interface FileMark {
  readonly path: string;
  /** Which file that was: the path may lead to another one by now. */
  readonly device: number;
  readonly inode: number;
  readonly durable_bytes: number;
  /** Wall clock when the first event was written to it. */
  readonly begun_ms: number;
}

/**
 * The cursor's window of a file output: the marks of all files that are written
 * while the cursor stands where it stands. Whatever lies behind a mark was
 * written after the cursor was saved, and is written again.
 *
 * JSON: `{"version":1,"files":[FileMark, ...]}`
 */
export function encodeWindow(files: readonly FileMark[]): Buffer {
  return Buffer.from(JSON.stringify({ version: VERSION, files }));
}

/** Undefined for bytes that `encodeWindow` did not write. An empty window has no marks. */
export function decodeWindow(window: Buffer): readonly FileMark[] | undefined {
  if (window.length === 0) return [];
  let value: unknown;
  try {
    value = JSON.parse(window.toString('utf8'));
  } catch {
    return undefined;
  }
  if (!isObject(value) || value['version'] !== VERSION) return undefined;
  const files = value['files'];
  return Array.isArray(files) && files.every(isMark) ? files : undefined;
}

/** Is this the file of the mark? */
export function isSameFile(mark: FileMark, found: FileStat): boolean {
  return mark.inode === found.inode && mark.device === found.device;
}

const VERSION = 1;

function isMark(value: unknown): value is FileMark {
  return (
    isObject(value) &&
    typeof value['path'] === 'string' &&
    ['device', 'inode', 'durable_bytes', 'begun_ms'].every((key) => Number.isFinite(value[key]))
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
