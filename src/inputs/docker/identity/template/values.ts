/**
 * What a template computes with: Go's string, int, bool, []string and
 * map[string]string; undefined is what a map has under a key that is missing.
 */
export type Value =
  | string
  | number
  | boolean
  | undefined
  | readonly string[]
  | ReadonlyMap<string, string>;

/** Why a value cannot be had; the evaluator adds the place. */
export class ValueError extends Error {
  override readonly name = 'ValueError';
}

export function typeName(value: Value): string {
  if (value === undefined) return 'no value';
  if (isMap(value)) return 'a map';
  if (isList(value)) return 'a list';
  if (typeof value === 'number') return 'a number';
  return typeof value === 'string' ? 'a text' : 'a boolean';
}

export function isMap(value: Value): value is ReadonlyMap<string, string> {
  return value instanceof Map;
}

export function isList(value: Value): value is readonly string[] {
  return Array.isArray(value);
}

/** As Go's fmt prints it with %v. */
export function printed(value: Value): string {
  if (value === undefined) return '<no value>';
  if (isList(value)) return `[${value.join(' ')}]`;
  if (!isMap(value)) return String(value);
  return `map[${sortedEntries(value)
    .map(([key, item]) => `${key}:${item}`)
    .join(' ')}]`;
}

/** Whether `if` takes it for true: not empty, not zero, there. */
export function isTrue(value: Value): boolean {
  if (isMap(value)) return value.size > 0;
  return isList(value) ? value.length > 0 : Boolean(value);
}

/** By the bytes of their keys, as Go prints maps. */
export function sortedEntries(map: ReadonlyMap<string, string>): [string, string][] {
  return [...map].toSorted(([a], [b]) => compareText(a, b));
}

/** Go's runes, one text each. */
export function runesOf(text: string): readonly string[] {
  return Array.from(text);
}

/** Go compares strings by their bytes. */
export function compareText(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** Bytes `start` to `end` of the UTF-8 text. Throws where a character would be cut: a tag is text. */
export function sliceBytes(text: string, start: number, end: number): string {
  const bytes = Buffer.from(text);
  if (!(0 <= start && start <= end && end <= bytes.length)) {
    throw new ValueError(`cannot take bytes ${start} to ${end} of a text of ${bytes.length} bytes`);
  }
  const cut = bytes.subarray(start, end);
  const result = cut.toString();
  if (!Buffer.from(result).equals(cut)) {
    throw new ValueError(`${JSON.stringify(text)} would be cut inside of a character`);
  }
  return result;
}
