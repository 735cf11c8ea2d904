import type { Contestant } from '../contestants/contestant.ts';
import { machineTime_ms } from '../lib/proc.ts';
import { calibrate } from './calibration.ts';
import { FakeContainers } from './containers.ts';
import type { Bench, Outcome, Scenario } from './scenario.ts';
import { Site } from './site.ts';
import { loadFigures } from './throughput.ts';
import { arrivalOf, type Sink } from './traffic.ts';

const FILES = 20;
const IDLE_CONTAINERS = 200;
/** All the logs together. */
const FIRST_BATCH_LINES = 20_000;
const WARM_UP_SHARE = 0.25;
/** More than a relay reads in the time would only fill the disk. */
const LINES_MAX_PER_LOAD_MS = 1000;
/** After the first lines, before an idle process is watched: V8 collects what the start left behind about 15 s after it. */
const SETTLE_MS = 25_000;
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
      await arrivalOf(sink, count, site.turn);
      return use(site, containers, sink);
    });
  });
}

export const JSON_FILE: Scenario = {
  name: 'json-file',
  about: `${FILES} json-file logs that grow, 100 B lines`,
  takesPart: ({ follows }) => follows,
  async run(contestant, bench): Promise<readonly Outcome[]> {
    const { load_ms } = bench.options;
    const figures = await following(bench, contestant, FILES, async (site, containers, sink) => {
      let lines_count = FILES;
      const write = async (wanted: number): Promise<{ size: number; took_ms: number }> => {
        const begin_ms = machineTime_ms();
        const size = await containers.write(wanted / FILES);
        lines_count += size;
        const { last_ms } = await arrivalOf(sink, lines_count, site.turn);
        return { size, took_ms: last_ms - begin_ms };
      };
      const lines = await calibrate(
        {
          first: FIRST_BATCH_LINES,
          max: load_ms * LINES_MAX_PER_LOAD_MS,
          for_ms: load_ms * WARM_UP_SHARE,
          load_ms,
        },
        write,
      );
      const { cpu_us, result } = await site.cpuOf_us(() => write(lines));
      const { size: events_count, took_ms } = result;
      return loadFigures({ events_count, took_ms }, cpu_us, site.peak_mib);
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
      await site.turn.sleep(SETTLE_MS);
      const begin_ms = machineTime_ms();
      const { cpu_us } = await site.cpuOf_us(() => site.turn.sleep(idle_ms));
      const took_ms = machineTime_ms() - begin_ms;
      return { cpu_percent: (cpu_us / US_PER_MS / took_ms) * 100, peak_mib: site.peak_mib };
    });
    return [{ contestant: contestant.name, figures }];
  },
};
