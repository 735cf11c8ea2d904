import { describe, expect, it } from 'vitest';
import { closest } from '../../src/config/suggest.ts';

const KEYS = ['dir', 'max_size', 'on_full', 'sync', 'segment_size', 'linger'];

describe('the closest key', () => {
  it.each([
    ['max_sise', 'max_size'],
    ['maxSize', 'max_size'],
    ['max-size', 'max_size'],
    ['MAX_SIZE', 'max_size'],
    ['dirr', 'dir'],
    ['dri', 'dir'],
    ['snyc', 'sync'],
    ['segmentsize', 'segment_size'],
    ['segment', 'segment_size'],
    ['directory', 'dir'],
  ])('to %s is %s', (word, meant) => {
    expect(closest(word, KEYS)).toBe(meant);
  });

  it.each(['path', 'xyz', 'maximum', 'on', ''])('to %j is none', (word) => {
    expect(closest(word, KEYS)).toBeUndefined();
  });

  it('is none when there are no candidates', () => {
    expect(closest('dir', [])).toBeUndefined();
  });
});
