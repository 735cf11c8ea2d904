import type { Contestant } from '../contestants/contestant.ts';
import { sampleFdatasync } from '../lib/fdatasync.ts';
import type { Figures } from '../lib/results.ts';
import { quantile, sorted } from '../lib/statistics.ts';
import { ackedMessage } from '../lib/wire.ts';
import { Worker } from '../lib/worker.ts';
import type { AckClientsProtocol } from '../processes/ack-clients.ts';
import type { Bench, Outcome, Scenario } from './scenario.ts';
import { Site } from './site.ts';
import { inTime } from './traffic.ts';

const LINE_BYTES = 100;
/** Of the load's time: before anything is noted, and on each side for the disk by itself. */
const WARM_UP_SHARE = 0.75;
const DISK_SHARE = 0.25;
const MS_PER_S = 1000;
const US_PER_MS = 1000;

/**
 * Clients that await each ack, and what one fdatasync of their events takes on the same disk
 * just before and after.
 *
 * With many clients an ack takes as long as a round of all of them, in the relay and in the
 * process of the clients: the pump, which answers the same clients, shows how much of that
 * nobody can avoid.
 */
class Latency implements Scenario {
  readonly name: string;
  readonly about: string;
  readonly #clients_count: number;

  constructor(clients_count: number) {
    this.name = `acks-${clients_count}`;
    this.about = `${clients_count} client(s) with one event in flight each, awaiting its ack`;
    this.#clients_count = clients_count;
  }

  takesPart(): boolean {
    return true;
  }

  async run(contestant: Contestant, bench: Bench): Promise<readonly Outcome[]> {
    return Site.within(bench, contestant, { acks: true }, async (site) => {
      await site.startSink();
      await site.startContestant();
      const disk_before_ms = this.#sampleDisk(site, bench);
      const figures = await this.#measure(site, bench);
      const outcome: Outcome = { contestant: contestant.name, figures };
      if (contestant.name !== 'logboom') return [outcome];
      const disk = latencyFigures([...disk_before_ms, ...this.#sampleDisk(site, bench)]);
      return [outcome, { contestant: 'fdatasync', figures: disk }];
    });
  }

  async #measure(site: Site, { options: { load_ms } }: Bench): Promise<Figures> {
    const settings = { clients_count: this.#clients_count, line_bytes: LINE_BYTES };
    const clients: Worker<AckClientsProtocol> = site.add(new Worker('ack-clients.ts', settings));
    const next = <D extends AckClientsProtocol['report']['did']>(did: D) =>
      inTime(clients.next(did, site.turn.left_ms), site.turn, async () => `clients: not "${did}"`);
    const warm_up_ms = load_ms * WARM_UP_SHARE;
    clients.send({ do: 'run', port: site.task.port, warm_up_ms, for_ms: load_ms });
    await next('warmed_up');
    const clients_before_us = clients.cpu_us;
    const { cpu_us, result } = await site.cpuOf_us(() => next('measured'));
    const clients_us = clients.cpu_us - clients_before_us;
    if (result.events_count === 0) throw new Error('no acks came');
    return {
      ...latencyFigures(result.latencies_ms),
      events_per_s: (result.events_count / load_ms) * MS_PER_S,
      cpu_us_per_event: cpu_us / result.events_count,
      generator_percent: (clients_us / US_PER_MS / load_ms) * 100,
    };
  }

  /** All clients' events at once are what a commit holds. */
  #sampleDisk(site: Site, { options: { load_ms } }: Bench): readonly number[] {
    const commit_bytes = this.#clients_count * ackedMessage(LINE_BYTES).bytes.length;
    return sampleFdatasync(site.task.directory, commit_bytes, load_ms * DISK_SHARE);
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
