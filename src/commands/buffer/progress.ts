import { type Clock, systemClock } from '../../sys/clock.ts';
import type { Host } from '../host.ts';
import { sizeText } from './text.ts';

/** Shorter work has no bar. */
const SHOWN_AFTER_MS = 500;
const REDRAWN_AFTER_MS = 100;
const WIDTH = 30;

/**
 * A bar on standard error for work that takes long, if that is a terminal:
 *
 *     [███████████████···············]  51 %  5.1 GiB of 10.0 GiB
 */
export class Progress {
  readonly #host: Pick<Host, 'stderr' | 'stderr_is_terminal'>;
  readonly #total_bytes: number;
  readonly #clock: Clock;
  readonly #begun_ms: number;
  #drawn_ms: number | undefined;

  constructor(
    host: Pick<Host, 'stderr' | 'stderr_is_terminal'>,
    total_bytes: number,
    clock: Clock = systemClock,
  ) {
    this.#host = host;
    this.#total_bytes = total_bytes;
    this.#clock = clock;
    this.#begun_ms = clock.monotonic_ms();
  }

  at(done_bytes: number): void {
    if (!this.#host.stderr_is_terminal) return;
    const now_ms = this.#clock.monotonic_ms();
    if (now_ms - this.#begun_ms < SHOWN_AFTER_MS) return;
    if (now_ms - (this.#drawn_ms ?? Number.NEGATIVE_INFINITY) < REDRAWN_AFTER_MS) return;
    this.#drawn_ms = now_ms;
    this.#host.stderr.write(`\r${progressText(done_bytes, this.#total_bytes)}\x1b[K`);
  }

  /** Takes the bar away. */
  end(): void {
    if (this.#drawn_ms !== undefined) this.#host.stderr.write('\r\x1b[K');
  }
}

export function progressText(done_bytes: number, total_bytes: number): string {
  const part = total_bytes === 0 ? 1 : Math.min(1, done_bytes / total_bytes);
  const bar = '█'.repeat(Math.floor(part * WIDTH)).padEnd(WIDTH, '·');
  const percent = String(Math.floor(part * 100)).padStart(3);
  return `[${bar}] ${percent} %  ${sizeText(done_bytes)} of ${sizeText(total_bytes)}`;
}
