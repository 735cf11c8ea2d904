import { statfs } from 'node:fs/promises';
import type { Clock } from '../sys/clock.ts';

const LOOK_EVERY_MS = 5_000;

/** What is free on a file system, looked at now and then; a disk that hangs is asked once. */
export class DiskSpace {
  readonly #path: string;
  readonly #clock: Clock;
  #free_bytes: number | undefined;
  #cancel: () => void = () => {};
  #stopped = false;

  constructor(path: string, clock: Clock) {
    this.#path = path;
    this.#clock = clock;
  }

  /** Undefined as long as it is not known. */
  get free_bytes(): number | undefined {
    return this.#free_bytes;
  }

  start(): void {
    statfs(this.#path).then(
      ({ bavail, bsize }) => this.#took(bavail * bsize),
      () => this.#took(undefined),
    );
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  #took(free_bytes: number | undefined): void {
    this.#free_bytes = free_bytes;
    if (!this.#stopped) this.#cancel = this.#clock.after(LOOK_EVERY_MS, () => this.start());
  }
}
