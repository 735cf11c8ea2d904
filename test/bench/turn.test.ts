import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Contestant } from '../../bench/contestants/contestant.ts';
import { parseArguments } from '../../bench/lib/arguments.ts';
import { familyOf } from '../../bench/lib/proc.ts';
import { TooLate } from '../../bench/lib/worker.ts';
import { Workspace } from '../../bench/lib/workspace.ts';
import { SCENARIOS } from '../../bench/scenarios/all.ts';
import { runScenario } from '../../bench/scenarios/rounds.ts';
import { arrivalOf } from '../../bench/scenarios/traffic.ts';
import { GaveUp, Turn } from '../../bench/scenarios/turn.ts';
import { tempDir } from '../support/temp-dir.ts';
import { until } from '../support/wait.ts';

/** Reads everything, and passes nothing on. It has a child, as supervisors have. */
const SWALLOWER = `
  const { spawn } = require('node:child_process');
  const { writeFileSync } = require('node:fs');
  spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  const server = require('node:net').createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', () => writeFileSync('has-read', ''));
  });
  server.listen(Number(process.argv[2]), '127.0.0.1');
`;

const swallower: Contestant = {
  name: 'fluentd',
  about: 'swallows',
  speaks: 'forward',
  follows: false,
  async command({ directory, port }) {
    const file = join(directory, 'swallower.cjs');
    await writeFile(file, SWALLOWER);
    return { file: process.execPath, args: [file, String(port)] };
  },
};

async function benchOf(turn_max_s: number, interrupted: AbortSignal) {
  const parent = await tempDir('bench');
  onTestFinished(() => parent.remove());
  const workspace = new Workspace(parent.path);
  onTestFinished(() => workspace.remove());
  const options = parseArguments(['--seconds', '0.1', '--turn-max', String(turn_max_s)]);
  return { options, workspace, interrupted };
}

/** What was killed may still wait for its parent to notice. */
function lives(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}

const [MESSAGE] = SCENARIOS;
if (MESSAGE === undefined) throw new Error('no scenarios');

describe("a contestant's turn", { timeout: 60_000 }, () => {
  it('is given up at its bound, and later rounds go without it', async () => {
    const bench = await benchOf(4, new AbortController().signal);
    const said: string[] = [];
    const runs = await runScenario(MESSAGE, [swallower], bench, (text) => said.push(text));
    const [run] = runs;
    expect(runs).toHaveLength(1);
    // How far it came by then is up to the machine.
    expect(run?.failure).toMatch(/^gave up after 4 s: ./);
    expect(said[0]).toBe('message 1/3: fluentd');
    expect(readdirSync(bench.workspace.path)).toEqual([]);
    expect(familyOf(process.pid)).toEqual([]);
  });

  it('that is given up while events are awaited says how many arrived', async () => {
    const asked: string[] = [];
    const sink = {
      send: ({ do: what }: { readonly do: string }) => asked.push(what),
      async next(did: string): Promise<never> {
        if (did === 'tell') return { did, count: 3 } as never;
        throw new TooLate('not in time');
      },
    };
    const turn = new Turn(4_000, new AbortController().signal);
    const arrival = arrivalOf(sink, 4, turn);
    await expect(arrival).rejects.toThrow(/^gave up after 4 s: 3 of 4 arrived$/);
    await expect(arrival).rejects.toBeInstanceOf(GaveUp);
    expect(asked).toEqual(['expect', 'tell']);
  });

  it('ends with all its processes and folders when the bench is interrupted', async () => {
    const interrupt = new AbortController();
    const bench = await benchOf(1000, interrupt.signal);
    const running = runScenario(MESSAGE, [swallower], bench, () => {});
    const outcome = expect(running).rejects.toThrow('interrupted');
    const { path } = bench.workspace;
    await until('it reads', () => {
      return readdirSync(path).some((run) => existsSync(join(path, run, 'has-read')));
    });
    const family = familyOf(process.pid);
    expect(family.filter(lives).length).toBeGreaterThan(3);
    interrupt.abort(new Error('interrupted'));
    await outcome;
    expect(readdirSync(path)).toEqual([]);
    await until('all are gone', () => !family.some(lives));
  });
});
