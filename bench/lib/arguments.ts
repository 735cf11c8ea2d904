import { parseArgs } from 'node:util';
import { parseSize } from '../../src/config/units.ts';

export interface BenchOptions {
  readonly rounds_count: number;
  /** How long each run is under load. */
  readonly load_ms: number;
  /** What a contestant has for one run, from its start to the last arrival; then it is given up. */
  readonly turn_max_ms: number;
  /** How long idle processes are watched. */
  readonly idle_ms: number;
  readonly backlog_bytes: number;
  /** Names, or their beginnings with a `*`; empty: all. */
  readonly only: readonly string[];
  readonly quick: boolean;
  readonly micro: boolean;
  /** Where journals and files are written: the disk that is measured. */
  readonly directory: string | undefined;
  readonly json_file: string | undefined;
  readonly svg_file: string | undefined;
  /** The README between whose markers the table is written. */
  readonly readme_file: string | undefined;
  readonly profile: boolean;
  readonly list: boolean;
  readonly help: boolean;
}

export const HELP = `npm run bench -- [options]

A whole run takes about a quarter of an hour. Ctrl-C ends it and tidies up.

  --quick            one short round of everything: about two minutes, ratios only, no budgets
  --only SCENARIO    this one, or with a * at its end all that begin so; may be repeated
  --list             name the scenarios
  --rounds N         rounds of each, in turn (default 3)
  --seconds S        load of each run (default 2)
  --turn-max S       give up a contestant in a scenario when a run takes it longer (default 60 + 10 x --seconds)
  --backlog SIZE     what waits in the journal in the scenario "backlog" (default 1GiB)
  --dir DIR          write journals there: its disk is what is measured (default: the temporary folder)
  --no-micro         leave out the measurements of single parts
  --json FILE        all runs, with machine and settings
  --svg FILE         throughput and CPU per event as a plot
  --readme           put the tables into README.md
  --profile          only logboom, once, with a CPU profile of each run
`;

const DEFAULT = { rounds: 3, seconds: 2, idle_ms: 15_000, backlog: '1GiB' };
const QUICK = { rounds: 1, seconds: 0.4, idle_ms: 3000, backlog: '128MiB' };

/** Starting and warming up of the slowest peer, and what a multiple of the load's time takes it. */
const TURN_MAX = { base_s: 60, loads: 10 };
const ARGUMENT_MAX = 100_000;
const MS_PER_S = 1000;

/** @throws TypeError or RangeError for arguments that mean nothing */
export function parseArguments(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    allowNegative: true,
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
      list: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      'turn-max': { type: 'string' },
      backlog: { type: 'string' },
      dir: { type: 'string' },
      micro: { type: 'boolean', default: true },
      json: { type: 'string' },
      svg: { type: 'string' },
      readme: { type: 'boolean', default: false },
      profile: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const defaults = values.quick ? QUICK : DEFAULT;
  const rounds_count = numberIn('--rounds', values.rounds, values.profile ? 1 : defaults.rounds);
  if (!Number.isInteger(rounds_count)) throw new RangeError('--rounds: expected a whole number');
  const load_s = numberIn('--seconds', values.seconds, defaults.seconds);
  const turn_max_s = TURN_MAX.base_s + TURN_MAX.loads * load_s;
  return {
    rounds_count,
    load_ms: load_s * MS_PER_S,
    turn_max_ms: numberIn('--turn-max', values['turn-max'], turn_max_s) * MS_PER_S,
    idle_ms: defaults.idle_ms,
    backlog_bytes: sizeIn('--backlog', values.backlog ?? defaults.backlog),
    only: values.only,
    quick: values.quick,
    micro: values.micro && !values.profile,
    directory: values.dir,
    json_file: values.json,
    svg_file: values.svg,
    readme_file: values.readme ? 'README.md' : undefined,
    profile: values.profile,
    list: values.list,
    help: values.help,
  };
}

function numberIn(flag: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!(value > 0 && value <= ARGUMENT_MAX)) {
    throw new RangeError(`${flag}: expected a number from 0 to ${ARGUMENT_MAX}, found ${text}`);
  }
  return value;
}

function sizeIn(flag: string, text: string): number {
  const size = parseSize(text);
  if (size.ok && size.value > 0) return size.value;
  throw new RangeError(`${flag}: expected a size such as 10GiB, found ${text}`);
}

/** Whether a scenario was asked for: by its name, or by the beginning of it and a `*`. */
export function isWanted(name: string, only: readonly string[]): boolean {
  if (only.length === 0) return true;
  return only.some((wanted) =>
    wanted.endsWith('*') ? name.startsWith(wanted.slice(0, -1)) : name === wanted,
  );
}
