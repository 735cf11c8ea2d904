/** Docker's text functions (daemon/logger/templates), character by character as Go has them. */
import {
  isList,
  isMap,
  runesOf,
  sliceBytes,
  sortedEntries,
  type Value,
  ValueError,
} from './values.ts';

const RESULT_MAX_CHARACTERS = 4096;

/** Spaces on both sides of a text that is not empty. */
export function padded(text: string, before: number, behind: number): string {
  if (before < 0 || behind < 0 || before + behind > RESULT_MAX_CHARACTERS) {
    throw new ValueError(
      `expected widths from 0 to ${RESULT_MAX_CHARACTERS}, found ${before} and ${behind}`,
    );
  }
  return text === '' ? '' : ' '.repeat(before) + text + ' '.repeat(behind);
}

/** The first `bytes` bytes. */
export function truncated(text: string, bytes: number): string {
  return Buffer.byteLength(text) < bytes ? text : sliceBytes(text, 0, bytes);
}

export function split(text: string, separator: string): readonly string[] {
  return separator === '' ? runesOf(text) : text.split(separator);
}

export function lower(text: string): string {
  return mapped(text, (character) => character.toLowerCase());
}

export function upper(text: string): string {
  return mapped(text, (character) => character.toUpperCase());
}

/** Go changes each character by itself; where JavaScript makes several of one, they may differ. */
function mapped(text: string, change: (character: string) => string): string {
  return runesOf(text)
    .map((character) => {
      const result = change(character);
      if (runesOf(result).length === 1) return result;
      throw new ValueError(`the case of ${character} cannot be changed as Go does`);
    })
    .join('');
}

/** Words begin behind anything but letters, digits and underscores. */
export function title(text: string): string {
  let before = ' ';
  return runesOf(text)
    .map((character) => {
      const begins = separates(before);
      before = character;
      return begins ? titleCase(character) : character;
    })
    .join('');
}

function separates(character: string): boolean {
  if ((character.codePointAt(0) ?? 0) < 0x80) return !/\w/.test(character);
  return /\p{White_Space}/u.test(character);
}

/** Letters whose title case is not their upper case: digraphs, and Georgian. */
const OWN_TITLE_CASE = /[\u01c4-\u01cc\u01f1-\u01f3\u10d0-\u10ff]/;

function titleCase(character: string): string {
  const result = character.toUpperCase();
  if (runesOf(result).length === 1 && !OWN_TITLE_CASE.test(character)) return result;
  throw new ValueError(`the case of ${character} cannot be changed as Go does`);
}

/** encoding/json with HTML left as it is. */
export function asJson(value: Value): string {
  if (value === undefined) return 'null';
  if (isMap(value)) {
    const entries = sortedEntries(value).map(([key, item]) => `${json(key)}:${json(item)}`);
    return `{${notEmpty(entries).join(',')}}`;
  }
  if (isList(value)) return `[${notEmpty(value).map(json).join(',')}]`;
  return typeof value === 'string' ? json(value) : String(value);
}

/** An empty map or list of Go's may be `null` as well; only Docker knows. */
function notEmpty(items: readonly string[]): readonly string[] {
  if (items.length > 0) return items;
  throw new ValueError('an empty map or list is {} or null, which cannot be told here');
}

function json(text: string): string {
  // \b and \f are written in another way by older versions of Go.
  if (/[\b\f]/.test(text)) throw new ValueError('control characters are not supported');
  return JSON.stringify(text).replaceAll(/[\u2028\u2029]/g, (character) =>
    character === '\u2028' ? '\\u2028' : '\\u2029',
  );
}
