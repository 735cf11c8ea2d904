import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../test/support/ports.ts';
import {
  begin,
  type Contestant,
  type Contesting,
  end,
  type Task,
} from '../contestants/contestant.ts';
import { cpuTime_us, peakMemory_mib } from '../lib/proc.ts';
import { Worker } from '../lib/worker.ts';
import type { LoadSettings } from '../processes/load.ts';
import { type Bench, RUN_MAX_MS } from './scenario.ts';
import { type Load, type Sink, Traffic } from './traffic.ts';

/** What follows the last ack, such as saving a place, belongs to the work. */
const SETTLE_MS = 100;

/** A folder, two ports and the processes of one run. */
export class Site {
  readonly contestant: Contestant;
  readonly task: Task;
  readonly #workers: { stop(): Promise<void> }[] = [];
  #contesting: Contesting | undefined;

  private constructor(contestant: Contestant, task: Task) {
    this.contestant = contestant;
    this.task = task;
  }

  /** Gives `use` a site, and ends everything on it afterwards. */
  static within<T>(
    bench: Bench,
    contestant: Contestant,
    wishes: Partial<Task>,
    use: (site: Site) => Promise<T>,
  ): Promise<T> {
    return bench.workspace.within(async (directory) => {
      const { profiles } = bench;
      const [port, upstream_port] = [await freePort(), await freePort()];
      const profiling = profiles === undefined ? {} : { profiles };
      const site = new Site(contestant, {
        directory,
        port,
        upstream_port,
        ...profiling,
        ...wishes,
      });
      try {
        return await use(site);
      } finally {
        await site.#end();
      }
    });
  }

  /** Starts the contestant, or starts it again after `stopContestant()`. Returns how long it took to accept. */
  async startContestant(): Promise<number> {
    this.#contesting = await begin(this.contestant, this.task);
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
    await sink.next('listen', RUN_MAX_MS);
    return sink;
  }

  /** The generator makes its bytes while the others start; `connect` it then. */
  spawnLoad(settings: LoadSettings): Load {
    return this.add(new Worker('load.ts', settings));
  }

  async connect(load: Load): Promise<Traffic> {
    load.send({ do: 'connect', port: this.task.port });
    await load.next('connected', RUN_MAX_MS);
    return new Traffic(this.contestant, load);
  }

  /** Has a worker ended with the site. */
  add<W extends { stop(): Promise<void> }>(worker: W): W {
    this.#workers.push(worker);
    return worker;
  }

  get pid(): number {
    if (this.#contesting === undefined) throw new Error('the contestant does not run');
    return this.#contesting.child.pid;
  }

  get peak_mib(): number {
    return peakMemory_mib(this.pid);
  }

  /** CPU time that the contestant takes for `work`, and a moment longer. */
  async cpuOf_us<T>(work: () => Promise<T>): Promise<{ cpu_us: number; result: T }> {
    const before_us = cpuTime_us(this.pid);
    const result = await work();
    await sleep(SETTLE_MS);
    return { cpu_us: cpuTime_us(this.pid) - before_us, result };
  }

  async #end(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.stop()));
    if (this.#contesting !== undefined) await end(this.#contesting, this.task);
  }
}
