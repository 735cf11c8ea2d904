import { freePort } from '../../test/support/ports.ts';
import {
  begin,
  type Contestant,
  type Contesting,
  end,
  type Task,
} from '../contestants/contestant.ts';
import { cpuTime_us, machineTime_ms, peakMemory_mib } from '../lib/proc.ts';
import type { Figures } from '../lib/results.ts';
import { Worker } from '../lib/worker.ts';
import type { LoadSettings } from '../processes/load.ts';
import type { Bench } from './scenario.ts';
import { inTime, type Load, type Sink, Traffic } from './traffic.ts';
import { Turn } from './turn.ts';

/** What follows the last ack, such as saving a place, belongs to the work. */
const SETTLE_MS = 100;

const US_PER_MS = 1000;

interface Stoppable {
  stop(): Promise<void>;
}

interface Measured<T> {
  readonly cpu_us: number;
  readonly result: T;
  /** Of a core each, by the generator and the sink: near 100 they would be the limit. */
  readonly bench: Figures;
}

/** A folder, two ports and the processes of one run. */
export class Site {
  readonly contestant: Contestant;
  readonly task: Task;
  readonly turn: Turn;
  readonly #workers: Stoppable[] = [];
  #load: Load | undefined;
  #sink: Sink | undefined;
  #contesting: Contesting | undefined;

  private constructor(contestant: Contestant, task: Task, turn: Turn) {
    this.contestant = contestant;
    this.task = task;
    this.turn = turn;
  }

  /** Gives `use` a site, and ends everything on it afterwards, or when the bench is interrupted. */
  static within<T>(
    bench: Bench,
    contestant: Contestant,
    wishes: Partial<Task>,
    use: (site: Site) => Promise<T>,
    max_ms = bench.options.turn_max_ms,
  ): Promise<T> {
    return bench.workspace.within(async (directory) => {
      const { profiles, interrupted } = bench;
      const [port, upstream_port] = [await freePort(), await freePort()];
      const profiling = profiles === undefined ? {} : { profiles };
      const task = { directory, port, upstream_port, ...profiling, ...wishes };
      const site = new Site(contestant, task, new Turn(max_ms, interrupted));
      // What is awaited of them fails then, and the rest of `use` with it.
      const endAll = (): void => void site.#end().catch(() => {});
      interrupted.addEventListener('abort', endAll, { once: true });
      try {
        return await use(site);
      } finally {
        interrupted.removeEventListener('abort', endAll);
        await site.#end();
      }
    });
  }

  /** Starts the contestant, or starts it again after `stopContestant()`. Returns how long it took to accept. */
  async startContestant(): Promise<number> {
    this.#contesting = await begin(this.contestant, this.task, this.turn.interrupted);
    return this.#contesting.accepting_ms;
  }

  /** As a user would: what it took must be safe. */
  async stopContestant(): Promise<void> {
    await this.#contesting?.child.stop('SIGTERM');
    this.#contesting = undefined;
  }

  /** The upstream; it may be started before the contestant or later. */
  async startSink(): Promise<Sink> {
    const { speaks } = this.contestant;
    const port = this.task.upstream_port;
    const sink: Sink = this.add(new Worker('sink.ts', { port, speaks }));
    this.#sink = sink;
    await inTime(sink.next('listen', this.turn.left_ms), this.turn, async () => 'no sink');
    return sink;
  }

  /** The generator makes its bytes while the others start; `connect` it then. */
  spawnLoad(settings: LoadSettings): Load {
    this.#load = this.add(new Worker('load.ts', settings));
    return this.#load;
  }

  async connect(load: Load): Promise<Traffic> {
    load.send({ do: 'connect', port: this.task.port });
    const connected = load.next('connected', this.turn.left_ms);
    await inTime(connected, this.turn, async () => 'not all connections were accepted');
    return new Traffic(this.contestant, load, this.turn);
  }

  /** Has a worker ended with the site. */
  add<W extends Stoppable>(worker: W): W {
    this.#workers.push(worker);
    this.turn.interrupted.throwIfAborted();
    return worker;
  }

  get pid(): number {
    if (this.#contesting === undefined) throw new Error('the contestant does not run');
    return this.#contesting.child.pid;
  }

  get peak_mib(): number {
    return peakMemory_mib(this.pid);
  }

  /** CPU time that the contestant takes for `work`, and a moment longer; and what the bench itself takes meanwhile. */
  async cpuOf_us<T>(work: () => Promise<T>): Promise<Measured<T>> {
    const before_us = cpuTime_us(this.pid);
    const [load_us, sink_us] = [this.#load?.cpu_us ?? 0, this.#sink?.cpu_us ?? 0];
    const begin_ms = machineTime_ms();
    const result = await work();
    const took_us = (machineTime_ms() - begin_ms) * US_PER_MS;
    const bench = {
      generator_percent: (((this.#load?.cpu_us ?? 0) - load_us) / took_us) * 100,
      sink_percent: (((this.#sink?.cpu_us ?? 0) - sink_us) / took_us) * 100,
    };
    await this.turn.sleep(SETTLE_MS);
    return { cpu_us: cpuTime_us(this.pid) - before_us, result, bench };
  }

  async #end(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.stop()));
    if (this.#contesting !== undefined) await end(this.#contesting, this.task);
  }
}
