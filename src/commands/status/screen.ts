import type { Writable } from 'node:stream';
import { clip } from '../../status/text/style.ts';

const ALTERNATE_ON = '\x1b[?1049h\x1b[?25l';
const ALTERNATE_OFF = '\x1b[?25h\x1b[?1049l';
/** So that a terminal that knows it shows a frame only when it is whole. */
const FRAME_BEGIN = '\x1b[?2026h\x1b[H';
const LINE_END = '\x1b[K';
const FRAME_END = '\x1b[J\x1b[?2026l';

const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

/** A terminal's whole screen; what was on it comes back with `close()`. */
export class Screen {
  readonly #terminal: Writable & { readonly columns?: number; readonly rows?: number };
  #lines: readonly string[] = [];
  readonly #resized = (): void => this.draw(this.#lines);

  constructor(terminal: Writable) {
    this.#terminal = terminal;
    terminal.write(ALTERNATE_ON);
    terminal.on('resize', this.#resized);
  }

  /** Draws over what is there, so that nothing flickers; what does not fit is cut off. */
  draw(lines: readonly string[]): void {
    this.#lines = lines;
    const { columns, rows } = this.#size();
    const drawn = fitting(lines, rows).map((line) => `${clip(line, columns)}${LINE_END}`);
    this.#terminal.write(`${FRAME_BEGIN}${drawn.join('\r\n')}${FRAME_END}`);
  }

  /** Some terminals say 0 when they do not know. */
  #size(): { columns: number; rows: number } {
    const { columns = 0, rows = 0 } = this.#terminal;
    return { columns: columns || DEFAULT_COLUMNS, rows: rows || DEFAULT_ROWS };
  }

  close(): void {
    this.#terminal.off('resize', this.#resized);
    this.#terminal.write(ALTERNATE_OFF);
  }
}

function fitting(lines: readonly string[], rows: number): readonly string[] {
  if (lines.length <= rows) return lines;
  const shown = Math.max(0, rows - 1);
  return [...lines.slice(0, shown), `… ${lines.length - shown} more lines`];
}
