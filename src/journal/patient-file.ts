import type { Clock } from '../sys/clock.ts';
import { type FileSystem, withFile } from '../sys/fs.ts';
import type { Log } from '../sys/log.ts';
import { isUnreadable, type ReadableFile, SalvagedFile } from './salvaged-file.ts';

/** Pauses before a read that failed is taken for a bad sector. */
const PAUSES_MS: readonly number[] = [50, 100, 200];

/**
 * Opens a file as recovery reads it: what a disk does not read at once is asked for again,
 * and what it does not read then are zeros (SalvagedFile).
 */
export function withSalvagedFile<T>(
  { fs, clock, log }: { readonly fs: FileSystem; readonly clock: Clock; readonly log: Log },
  path: string,
  use: (file: SalvagedFile) => Promise<T>,
): Promise<T> {
  return withFile(fs, path, (file) =>
    use(new SalvagedFile(new PatientFile(file, clock), path, log)),
  );
}

/** A file whose disk gets a second and a third chance: once, so that many bad sectors do not hold up the start. */
class PatientFile implements ReadableFile {
  readonly #file: ReadableFile;
  readonly #clock: Clock;
  #pauses_ms = PAUSES_MS;

  constructor(file: ReadableFile, clock: Clock) {
    this.#file = file;
    this.#clock = clock;
  }

  async read(buffer: Buffer, position: number): Promise<number> {
    for (;;) {
      try {
        return await this.#file.read(buffer, position);
      } catch (error) {
        const [pause_ms, ...others_ms] = this.#pauses_ms;
        if (!isUnreadable(error) || pause_ms === undefined) throw error;
        this.#pauses_ms = others_ms;
        await new Promise<void>((resolve) => this.#clock.after(pause_ms, resolve));
      }
    }
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
