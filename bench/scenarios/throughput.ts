import type { Contestant } from '../contestants/contestant.ts';
import type { Figures } from '../lib/results.ts';
import type { LoadSettings } from '../processes/load.ts';
import type { Bench, Outcome, Scenario } from './scenario.ts';
import { Site } from './site.ts';

const US_PER_MS = 1000;
const MS_PER_S = 1000;
/** Of the load's time, at least, before anything is measured: compilers and caches are warm then. */
const WARM_UP_SHARE = 0.25;

interface ThroughputOptions {
  /** false: without fdatasync, which only some can leave out. */
  readonly syncs?: boolean;
}

/** As fast as it goes, from a generator to a counting sink. */
class Throughput implements Scenario {
  readonly name: string;
  readonly about: string;
  readonly #settings: LoadSettings;
  readonly #syncs: boolean;

  constructor(
    name: string,
    about: string,
    settings: Partial<LoadSettings>,
    { syncs = true }: ThroughputOptions = {},
  ) {
    this.name = name;
    this.about = about;
    this.#settings = {
      mode: 'message',
      line_bytes: 100,
      tags_count: 1,
      connections_count: 1,
      ...settings,
    };
    this.#syncs = syncs;
  }

  takesPart({ name }: Contestant): boolean {
    return this.#syncs || name === 'logboom' || name === 'pump';
  }

  async run(contestant: Contestant, bench: Bench): Promise<readonly Outcome[]> {
    const { load_ms } = bench.options;
    const figures = await Site.within(bench, contestant, { syncs: this.#syncs }, async (site) => {
      const load = site.spawnLoad(this.#settings);
      const sink = await site.startSink();
      await site.startContestant();
      const traffic = await site.connect(load);
      const max_bytes = await traffic.calibrate(sink, load_ms * WARM_UP_SHARE, load_ms);
      const {
        cpu_us,
        result,
        bench: own,
      } = await site.cpuOf_us(async () => {
        const sent = await traffic.send(load_ms, max_bytes);
        const { last_ms } = await traffic.arrival(sink);
        return { events_count: sent.events_count, took_ms: last_ms - sent.begin_ms };
      });
      return { ...loadFigures(result, cpu_us, site.peak_mib), ...own };
    });
    return [{ contestant: contestant.name, figures }];
  }
}

/** The figures that all scenarios under load share. */
export function loadFigures(
  { events_count, took_ms }: { events_count: number; took_ms: number },
  cpu_us: number,
  peak_mib: number,
): Figures {
  return {
    events_per_s: (events_count / took_ms) * MS_PER_S,
    cpu_us_per_event: cpu_us / events_count,
    cpu_percent: (cpu_us / US_PER_MS / took_ms) * 100,
    peak_mib,
  };
}

export const THROUGHPUT: readonly Scenario[] = [
  new Throughput(
    'message',
    "Message mode as Docker's driver sends it: 100 B lines, 1 tag, 1 connection",
    {},
  ),
  new Throughput('message-64-connections', 'the same from 64 connections', {
    connections_count: 64,
  }),
  new Throughput('message-1000-tags', '1,000 tags, one event each in turn', { tags_count: 1000 }),
  new Throughput('message-1k', '1 KiB lines', { line_bytes: 1024 }),
  new Throughput('message-16k', '16 KiB lines', { line_bytes: 16 * 1024 }),
  new Throughput('forward', 'Forward mode, 500 events a message', { mode: 'forward' }),
  new Throughput('packed', 'PackedForward, 500 events a message', { mode: 'packed' }),
  new Throughput('packed-64-connections', 'the same from 64 connections', {
    mode: 'packed',
    connections_count: 64,
  }),
  new Throughput('gzip', 'PackedForward with gzip, 500 events a message', { mode: 'gzip' }),
  new Throughput('message-no-fsync', 'Message mode, without fdatasync', {}, { syncs: false }),
];
