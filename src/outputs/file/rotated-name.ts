import { basename, dirname, extname, join } from 'node:path';

/**
 * Names of the files that were rotated away from a live one. For `events.ndjson`:
 *
 *     events@20261123T100000Z-000001.ndjson
 *     events@20261123T100000Z-000001.ndjson.gz      once it is compressed
 *     events@20261123T100000Z-000001.ndjson.gz.tmp  while it is
 *
 * The number rises with each file; the time is when it was rotated, and says nothing about
 * order, since clocks step.
 */
export interface RotatedFile {
  readonly path: string;
  readonly number: number;
  readonly form: 'plain' | 'gzip' | 'unfinished';
}

export function rotatedPath(live_path: string, number: number, now_ms: number): string {
  const { dir, stem, ext } = partsOf(live_path);
  const time = new Date(now_ms).toISOString().replace(/[-:]|\.\d+/g, '');
  return join(dir, `${stem}@${time}-${String(number).padStart(6, '0')}${ext}`);
}

/** Those of `names`, the live file's directory, that were rotated away from it; oldest first. */
export function rotatedFiles(live_path: string, names: readonly string[]): RotatedFile[] {
  const { dir, stem, ext } = partsOf(live_path);
  const found: RotatedFile[] = [];
  for (const name of names) {
    if (!name.startsWith(`${stem}@`)) continue;
    const [, number, tail] =
      /^\d{8}T\d{6}Z-(\d{6,15})(.*)$/.exec(name.slice(stem.length + 1)) ?? [];
    if (number === undefined || !tail?.startsWith(ext)) continue;
    const form = FORMS.get(tail.slice(ext.length));
    if (form !== undefined) found.push({ path: join(dir, name), number: Number(number), form });
  }
  return found.toSorted((a, b) => a.number - b.number);
}

const FORMS: ReadonlyMap<string, RotatedFile['form']> = new Map([
  ['', 'plain'],
  ['.gz', 'gzip'],
  ['.gz.tmp', 'unfinished'],
]);

function partsOf(live_path: string): { dir: string; stem: string; ext: string } {
  const ext = extname(live_path);
  return { dir: dirname(live_path), stem: basename(live_path, ext), ext };
}
