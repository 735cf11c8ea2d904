import {
  type File,
  type FileStat,
  type FileSystem,
  nodeFs,
  type OpenMode,
} from '../../src/sys/fs.ts';

/** One call as a fault sees it: `writev events.ndjson`. */
export interface FileCall {
  readonly operation: keyof FileSystem | keyof File;
  readonly path: string;
}

/** Decides what happens to a call: an error to throw, or for writes how many bytes at most are written. */
export type Fault = (call: FileCall) => Error | { readonly write_max_bytes: number } | undefined;

export const systemError = (code: string): Error =>
  Object.assign(new Error(`${code}: injected`), { code });

/** The real file system, with faults. */
export class FaultFs implements FileSystem {
  fault: Fault = () => undefined;
  readonly calls: FileCall[] = [];
  #killed_at = Number.POSITIVE_INFINITY;

  /** From the call with this number on nothing works any more; a write in that place is torn. */
  killAt(call_number: number): void {
    this.#killed_at = call_number;
  }

  get killed(): boolean {
    return this.calls.length > this.#killed_at;
  }

  /** Counts a call, and throws if its turn to fail has come. Returns how many bytes it may write. */
  step(operation: FileCall['operation'], path: string): number {
    const call = { operation, path };
    this.calls.push(call);
    if (this.calls.length > this.#killed_at) throw new Error('killed');
    const outcome = this.fault(call);
    if (outcome instanceof Error) throw outcome;
    if (outcome !== undefined) return outcome.write_max_bytes;
    return Number.POSITIVE_INFINITY;
  }

  /** The call that comes next is the last one. */
  get isLast(): boolean {
    return this.calls.length + 1 === this.#killed_at;
  }

  async open(path: string, mode: OpenMode, permissions?: number): Promise<File> {
    this.step('open', path);
    return new FaultFile(this, path, await nodeFs.open(path, mode, permissions));
  }

  async stat(path: string): Promise<FileStat> {
    this.step('stat', path);
    return nodeFs.stat(path);
  }

  statNow(path: string): FileStat | undefined {
    this.step('statNow', path);
    return nodeFs.statNow(path);
  }

  async rename(from: string, to: string): Promise<void> {
    this.step('rename', from);
    await nodeFs.rename(from, to);
  }

  async unlink(path: string): Promise<void> {
    this.step('unlink', path);
    await nodeFs.unlink(path);
  }

  async readdir(path: string): Promise<string[]> {
    this.step('readdir', path);
    return nodeFs.readdir(path);
  }

  async mkdir(path: string): Promise<void> {
    this.step('mkdir', path);
    await nodeFs.mkdir(path);
  }

  async remove(path: string): Promise<void> {
    this.step('remove', path);
    await nodeFs.remove(path);
  }

  async syncDirectory(path: string): Promise<void> {
    this.step('syncDirectory', path);
    await nodeFs.syncDirectory(path);
  }
}

class FaultFile implements File {
  readonly #fs: FaultFs;
  readonly #path: string;
  readonly #file: File;

  constructor(fs: FaultFs, path: string, file: File) {
    this.#fs = fs;
    this.#path = path;
    this.#file = file;
  }

  get fd(): number {
    return this.#file.fd;
  }

  async read(buffer: Buffer, position: number): Promise<number> {
    this.#fs.step('read', this.#path);
    return this.#file.read(buffer, position);
  }

  async writev(buffers: readonly Buffer[], position: number): Promise<number> {
    const torn = this.#fs.isLast;
    const write_max_bytes = this.#fs.step('writev', this.#path);
    const all = Buffer.concat(buffers);
    const bytes = torn ? Math.ceil(all.length / 2) : Math.min(all.length, write_max_bytes);
    const written_bytes = await this.#file.writev([all.subarray(0, bytes)], position);
    if (torn) throw new Error('killed');
    return written_bytes;
  }

  async datasync(): Promise<void> {
    this.#fs.step('datasync', this.#path);
    await this.#file.datasync();
  }

  async truncate(bytes: number): Promise<void> {
    this.#fs.step('truncate', this.#path);
    await this.#file.truncate(bytes);
  }

  async stat(): Promise<FileStat> {
    this.#fs.step('stat', this.#path);
    return this.#file.stat();
  }

  /** Always works: a dead process lets go of its files too. */
  async close(): Promise<void> {
    await this.#file.close();
  }
}
