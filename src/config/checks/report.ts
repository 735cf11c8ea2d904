import type { ConfigDocument } from '../schema.ts';
import type { Path } from '../tree.ts';

/** Takes one complaint about the value at `path`. */
export type Report = (path: Path, message: string, hint?: string) => void;

/** Those sections that passed the schema; the others have problems of their own. */
export type CheckedSections = Partial<ConfigDocument>;

/** A secret is given as text or as a file, not as both. */
export function checkNotBoth(section: object, name: string, path: Path, report: Report): void {
  const given: Record<string, unknown> = { ...section };
  if (given[name] === undefined || given[`${name}_file`] === undefined) return;
  report([...path, `${name}_file`], `${name} and ${name}_file are both given`, 'Keep one of them.');
}
