import { Readable, Writable } from 'node:stream';
import type { Host, StopSignal } from '../../src/commands/host.ts';
import { runProgram } from '../../src/commands/program.ts';
import type { RelayModule } from '../../src/commands/run.ts';

export interface FakeWorld {
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  readonly terminal?: boolean;
  readonly relay?: RelayModule;
}

/** A process that is none: what was written and registered stays to be looked at. */
export class FakeHost implements Host {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd = '/srv';
  readonly version = '1.2.3';
  readonly pid = 4242;
  readonly stdin: Readable;
  readonly stdout_is_terminal: boolean;
  readonly stderr_is_terminal: boolean;
  readonly stdout = new Writable({
    write: (chunk, _encoding, done) => {
      this.out += String(chunk);
      done();
    },
  });
  readonly stderr = { write: (text: string) => (this.err += text) };
  out = '';
  err = '';
  stop: ((signal: StopSignal) => void) | undefined;
  reload: (() => void) | undefined;
  crash: ((error: unknown) => void) | undefined;
  readonly #files: Readonly<Record<string, string>>;

  constructor(argv: readonly string[], world: FakeWorld) {
    this.argv = argv;
    this.env = world.env ?? {};
    this.stdin = Readable.from([Buffer.from(world.stdin ?? '')]);
    this.stdout_is_terminal = world.terminal ?? false;
    this.stderr_is_terminal = world.terminal ?? false;
    this.#files = world.files ?? {};
  }

  readFile(path: string): string {
    const text = this.#files[path];
    if (text !== undefined) return text;
    throw Object.assign(new Error(`ENOENT: no such file, open '${path}'`), { code: 'ENOENT' });
  }

  onStop(stop: (signal: StopSignal) => void): void {
    this.stop = stop;
  }

  onReload(reload: () => void): void {
    this.reload = reload;
  }

  onCrash(crash: (error: unknown) => void): void {
    this.crash = crash;
  }
}

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in a fake process, to its end. */
export async function cli(line: string, world: FakeWorld = {}): Promise<Outcome> {
  const host = new FakeHost(line === '' ? [] : line.split(' '), world);
  const code = await runProgram(host, { relay: () => relayOf(world) });
  return { code, out: host.out, err: host.err };
}

function relayOf(world: FakeWorld): Promise<RelayModule> {
  if (world.relay === undefined) return Promise.reject(new Error('no relay was to be started'));
  return Promise.resolve(world.relay);
}
