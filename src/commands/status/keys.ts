import type { Readable } from 'node:stream';

const CTRL_C = '\x03';
const ENDING: readonly string[] = ['q', 'Q', CTRL_C];

type Terminal = Readable & { setRawMode?(is_raw: boolean): unknown };

/** Calls `end` at q or Ctrl-C, if `input` is a terminal. Returns what puts it back as it was. */
export function onEndKey(input: Terminal, end: () => void): () => void {
  if (input.setRawMode === undefined) return () => {};
  const take = (bytes: Buffer | string): void => {
    const text = bytes.toString();
    if (ENDING.some((key) => text.includes(key))) end();
  };
  input.setRawMode(true);
  input.on('data', take);
  return () => {
    input.off('data', take);
    input.pause();
    input.setRawMode?.(false);
  };
}
