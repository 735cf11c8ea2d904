import type { FileOutputOptions } from '../../src/outputs/file/file-output.ts';

/** One file that is never rotated, written at once and tried again at once; `more` goes over it. */
export function fileOptions(
  path: string,
  more: Partial<FileOutputOptions> = {},
): FileOutputOptions {
  return {
    name: 'archive',
    path,
    rotate_max_bytes: undefined,
    rotate_every_ms: undefined,
    rotate_keep_max: 100,
    compress: 'off',
    mode: 0o640,
    tag_prefix: '',
    add: {},
    interval_ms: 0,
    retry_min_ms: 0,
    retry_max_ms: 1,
    ...more,
  };
}
