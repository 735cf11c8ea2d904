/** How text looks on a terminal: select-graphic-rendition sequences (ECMA-48 8.3.117). */
const SGR = {
  bold: ['\x1b[1m', '\x1b[22m'],
  dim: ['\x1b[2m', '\x1b[22m'],
  red: ['\x1b[31m', '\x1b[39m'],
  yellow: ['\x1b[33m', '\x1b[39m'],
  green: ['\x1b[32m', '\x1b[39m'],
} as const;

export type Look = keyof typeof SGR;

/** Gives text a look, or leaves it as it is where there are no colours. */
export type Paint = (look: Look, text: string) => string;

export const plainPaint: Paint = (_look, text) => text;

export const colourPaint: Paint = (look, text) => {
  const [on, off] = SGR[look];
  return text === '' ? '' : `${on}${text}${off}`;
};

const SEQUENCE_TEXT = '\u001b\\[[\\d;]*m';
const SEQUENCE = new RegExp(SEQUENCE_TEXT, 'g');
/** A sequence, or one character. */
const PIECE = new RegExp(`${SEQUENCE_TEXT}|[^]`, 'gu');
/** Also what turns the direction of text around. */
const CONTROLS = /[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu;

/** Text of somebody else's, such as an error: it cannot drive the terminal, nor end the line. */
export function harmless(text: string): string {
  return text.replace(CONTROLS, (character) => {
    const code = character.charCodeAt(0).toString(16).padStart(4, '0');
    return `\\u${code}`;
  });
}

/** Columns that the text takes; looks take none. */
export function widthOf(text: string): number {
  return Array.from(text.replace(SEQUENCE, '')).length;
}

/** The beginning of the line that fits into `columns`; what is left out shows as an ellipsis. */
export function clip(line: string, columns: number): string {
  if (widthOf(line) <= columns) return line;
  let left = Math.max(0, columns - 1);
  let clipped = '';
  for (const [piece] of line.matchAll(PIECE)) {
    const is_look = piece.startsWith('\x1b[');
    if (!is_look && left === 0) continue;
    clipped += !is_look && left === 1 ? `${piece}…` : piece;
    if (!is_look) left--;
  }
  return clipped;
}

/** A name, without looks, that keeps its beginning and its end where `columns` are too few for it. */
export function cutMiddle(name: string, columns: number): string {
  const characters = Array.from(name);
  if (characters.length <= columns) return name;
  const kept = Math.max(0, columns - 1);
  const begin = Math.floor(kept / 2);
  return [
    ...characters.slice(0, begin),
    '…',
    ...characters.slice(characters.length - (kept - begin)),
  ].join('');
}
