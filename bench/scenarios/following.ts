import { setTimeout as sleep } from 'node:timers/promises';
import type { Contestant } from '../contestants/contestant.ts';
import { machineTime_ms } from '../lib/proc.ts';
import { FakeContainers } from './containers.ts';
import { type Bench, type Outcome, RUN_MAX_MS, type Scenario } from './scenario.ts';
import { Site } from './site.ts';
import { loadFigures } from './throughput.ts';
import type { Sink } from './traffic.ts';

const FILES = 20;
const IDLE_CONTAINERS = 200;
/** About a quarter of what a relay reads in a second. */
const LINES_PER_LOAD_MS = 200;
/** After the first lines, before an idle process is watched. */
const SETTLE_MS = 2000;
const US_PER_MS = 1000;

/** Starts a contestant on containers with a line each; resolves when these have arrived. */
function following<T>(
  bench: Bench,
  contestant: Contestant,
  count: number,
  use: (site: Site, containers: FakeContainers, sink: Sink) => Promise<T>,
): Promise<T> {
  return bench.workspace.within(async (directory) => {
    const containers = await FakeContainers.create(directory, count);
    return Site.within(bench, contestant, { containers: containers.directory }, async (site) => {
      const sink = await site.startSink();
      await site.startContestant();
      await arrival(sink, count);
      return use(site, containers, sink);
    });
  });
}

async function arrival(sink: Sink, count: number): Promise<number> {
  sink.send({ do: 'expect', count });
  const reached = await sink.next('reach', RUN_MAX_MS);
  if (reached.count !== count) throw new Error(`${reached.count} lines arrived of ${count}`);
  return reached.last_ms;
}

export const JSON_FILE: Scenario = {
  name: 'json-file',
  about: `${FILES} json-file logs that grow, 100 B lines`,
  takesPart: ({ follows }) => follows,
  async run(contestant, bench): Promise<readonly Outcome[]> {
    const lines_each = Math.ceil((bench.options.load_ms * LINES_PER_LOAD_MS) / FILES);
    const figures = await following(bench, contestant, FILES, async (site, containers, sink) => {
      const { cpu_us, result } = await site.cpuOf_us(async () => {
        const begin_ms = machineTime_ms();
        const events_count = await containers.write(lines_each);
        const last_ms = await arrival(sink, FILES + events_count);
        return { events_count, took_ms: last_ms - begin_ms };
      });
      return loadFigures(result, cpu_us, site.peak_mib);
    });
    return [{ contestant: contestant.name, figures }];
  },
};

export const IDLE: Scenario = {
  name: `idle-${IDLE_CONTAINERS}`,
  about: `${IDLE_CONTAINERS} json-file containers that write nothing`,
  takesPart: ({ follows }) => follows,
  async run(contestant, bench): Promise<readonly Outcome[]> {
    const { idle_ms } = bench.options;
    const figures = await following(bench, contestant, IDLE_CONTAINERS, async (site) => {
      await sleep(SETTLE_MS);
      const begin_ms = machineTime_ms();
      const { cpu_us } = await site.cpuOf_us(() => sleep(idle_ms));
      const took_ms = machineTime_ms() - begin_ms;
      return { cpu_percent: (cpu_us / US_PER_MS / took_ms) * 100, peak_mib: site.peak_mib };
    });
    return [{ contestant: contestant.name, figures }];
  },
};
