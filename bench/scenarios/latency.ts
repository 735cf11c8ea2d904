import type { Contestant } from '../contestants/contestant.ts';
import { sampleFdatasync } from '../lib/fdatasync.ts';
import type { Figures } from '../lib/results.ts';
import { quantile, sorted } from '../lib/statistics.ts';
import { Worker } from '../lib/worker.ts';
import type { AckClientsProtocol } from '../processes/ack-clients.ts';
import { type Bench, type Outcome, RUN_MAX_MS, type Scenario } from './scenario.ts';
import { Site } from './site.ts';

const LINE_BYTES = 100;
/** Of the load's time: before anything is noted, and on each side for the disk by itself. */
const WARM_UP_SHARE = 0.25;
const DISK_SHARE = 0.25;
const MS_PER_S = 1000;

/** Clients that await each ack, and what one fdatasync takes on the same disk just before and after. */
class Latency implements Scenario {
  readonly name: string;
  readonly about: string;
  readonly #clients_count: number;

  constructor(clients_count: number) {
    this.name = `acks-${clients_count}`;
    this.about = `${clients_count} client(s) with one event in flight each, awaiting its ack`;
    this.#clients_count = clients_count;
  }

  takesPart({ speaks }: Contestant): boolean {
    return speaks === 'forward';
  }

  async run(contestant: Contestant, bench: Bench): Promise<readonly Outcome[]> {
    return Site.within(bench, contestant, {}, async (site) => {
      const { load_ms } = bench.options;
      await site.startSink();
      await site.startContestant();
      const sampleDisk = (): number[] => sampleFdatasync(site.task.directory, load_ms * DISK_SHARE);
      const disk_before_ms = sampleDisk();
      const settings = { clients_count: this.#clients_count, line_bytes: LINE_BYTES };
      const clients: Worker<AckClientsProtocol> = site.add(new Worker('ack-clients.ts', settings));
      const warm_up_ms = load_ms * WARM_UP_SHARE;
      clients.send({ do: 'run', port: site.task.port, warm_up_ms, for_ms: load_ms });
      await clients.next('warmed_up', RUN_MAX_MS);
      const { cpu_us, result } = await site.cpuOf_us(() => clients.next('measured', RUN_MAX_MS));
      const figures = {
        ...latencyFigures(result.latencies_ms),
        events_per_s: (result.events_count / load_ms) * MS_PER_S,
        cpu_us_per_event: cpu_us / result.events_count,
      };
      const outcome: Outcome = { contestant: contestant.name, figures };
      if (contestant.name !== 'logboom') return [outcome];
      const disk = latencyFigures([...disk_before_ms, ...sampleDisk()]);
      return [outcome, { contestant: 'fdatasync', figures: disk }];
    });
  }
}

function latencyFigures(latencies_ms: readonly number[]): Figures {
  const ascending = sorted(latencies_ms);
  return {
    p50_ms: quantile(ascending, 0.5),
    p99_ms: quantile(ascending, 0.99),
    'p99.9_ms': quantile(ascending, 0.999),
  };
}

export const LATENCY: readonly Scenario[] = [new Latency(1), new Latency(100)];
