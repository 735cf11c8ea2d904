import { createHash } from 'node:crypto';
import { LogboomError } from '../../errors.ts';

/** File systems allow 255 bytes; a rotated file's name is longer than the live one's. */
const TAG_NAME_MAX_BYTES = 160;
const HASH_CHARACTERS = 16;

/**
 * Where an event is written: a path, in which `{tag}` stands for its tag and `{date}`
 * for the day (UTC, `2026-11-23`) on which it is written.
 */
export class PathTemplate {
  readonly #pieces: readonly string[];
  /** More than one file may be open at a time. */
  readonly has_tag: boolean;

  /** Throws LB_CONFIG for a placeholder that is not known. */
  constructor(template: string) {
    // The pieces at odd places are placeholders.
    this.#pieces = template.split(/\{([^{}]*)\}/);
    const names = this.#pieces.filter((_piece, index) => index % 2 === 1);
    const unknown = names.find((name) => name !== 'tag' && name !== 'date');
    if (unknown !== undefined) {
      throw new LogboomError('LB_CONFIG', `the path has an unknown placeholder {${unknown}}`, {
        where: template,
        hint: 'Use {tag} and {date}.',
      });
    }
    this.has_tag = names.includes('tag');
  }

  path(tag: Buffer, now_ms: number): string {
    return this.#pieces
      .map((piece, index) => {
        if (index % 2 === 0) return piece;
        return piece === 'tag' ? tagFileName(tag) : new Date(now_ms).toISOString().slice(0, 10);
      })
      .join('');
  }
}

/**
 * A tag as one file name, whatever bytes are in it: letters, digits, `_`, `-` and dots
 * (but for one at the start) stay; every other byte becomes `%XX`, so different tags get different names
 * and none names another directory, a hidden file or, for want of `@`, a rotated file.
 * A long one is cut and ends in `~` and a hash of the whole. The empty tag is `%`.
 */
export function tagFileName(tag: Buffer): string {
  if (tag.length === 0) return '%';
  const name = tag
    .toString('latin1')
    .replace(/[^A-Za-z0-9._-]|^\./g, (byte) => `%${hexPair(byte.charCodeAt(0))}`);
  if (name.length <= TAG_NAME_MAX_BYTES) return name;
  const hash = createHash('sha256').update(tag).digest('hex').slice(0, HASH_CHARACTERS);
  return `${name.slice(0, TAG_NAME_MAX_BYTES - HASH_CHARACTERS - 1)}~${hash}`;
}

const hexPair = (byte: number): string => byte.toString(16).toUpperCase().padStart(2, '0');
