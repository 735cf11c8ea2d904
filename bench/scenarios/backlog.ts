import { statfs } from 'node:fs/promises';
import type { Contestant } from '../contestants/contestant.ts';
import type { Figures } from '../lib/results.ts';
import type { Bench, Outcome, Scenario } from './scenario.ts';
import { Site } from './site.ts';
import { loadFigures } from './throughput.ts';
import { beginningAt_ms } from './traffic.ts';

const LINE_BYTES = 1024;
/** Room for more than a few segments, however small the backlog is. */
const JOURNAL_MIN_BYTES = 1024 ** 3;
/** How long the relay runs on its backlog before its memory is looked at. */
const WAIT_MS = 1500;
/** No disk that is worth measuring writes and reads back less in a millisecond. */
const SLOWEST_BYTES_PER_MS = 16 * 1024;

/** A journal full of events that wait: how soon a relay accepts on it, what it takes in memory, and how fast it drains. */
class Backlog implements Scenario {
  readonly name = 'backlog';
  readonly about = 'a backlog of --backlog (1 KiB lines): start on it, wait, drain';

  takesPart({ name }: Contestant): boolean {
    return name === 'logboom';
  }

  async run(contestant: Contestant, bench: Bench): Promise<readonly Outcome[]> {
    const { backlog_bytes } = bench.options;
    await checkRoom(bench.workspace.path, 2 * backlog_bytes);
    const wishes = { journal_max_bytes: Math.max(JOURNAL_MIN_BYTES, 2 * backlog_bytes) };
    const max_ms = bench.options.turn_max_ms + backlog_bytes / SLOWEST_BYTES_PER_MS;
    const fillAndDrain = async (site: Site): Promise<Figures> => {
      const settings = {
        mode: 'packed',
        line_bytes: LINE_BYTES,
        tags_count: 10,
        connections_count: 4,
      } as const;
      const load = site.spawnLoad(settings);
      await site.startContestant();
      const traffic = await site.connect(load);
      await traffic.send(site.turn.left_ms, backlog_bytes);
      await traffic.close();
      await site.stopContestant();

      const open_ms = await site.startContestant();
      await site.turn.sleep(WAIT_MS);
      const waiting_peak_mib = site.peak_mib;
      const { cpu_us, result } = await site.cpuOf_us(async () => {
        const sink = await site.startSink();
        const at_ms = await beginningAt_ms(sink, site.turn);
        const { last_ms } = await traffic.arrival(sink);
        return { events_count: traffic.events_count, took_ms: last_ms - at_ms };
      });
      return { open_ms, waiting_peak_mib, ...loadFigures(result, cpu_us, site.peak_mib) };
    };
    const figures = await Site.within(bench, contestant, wishes, fillAndDrain, max_ms);
    return [{ contestant: contestant.name, figures }];
  }
}

async function checkRoom(directory: string, needed_bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  if (bavail * bsize < needed_bytes) {
    throw new Error(
      `${directory}: ${bavail * bsize} bytes free, ${needed_bytes} needed; see --backlog and --dir`,
    );
  }
}

export const BACKLOG: Scenario = new Backlog();
