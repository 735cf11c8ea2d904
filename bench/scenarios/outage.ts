import type { Contestant } from '../contestants/contestant.ts';
import type { Bench, Outcome, Scenario } from './scenario.ts';
import { Site } from './site.ts';
import { loadFigures } from './throughput.ts';
import { beginningAt_ms } from './traffic.ts';

/**
 * The upstream is down while events come, then comes back, and as many come again while
 * what waited is sent. Speed counts from the first event that the upstream sees; CPU from
 * the first that was taken.
 */
class Outage implements Scenario {
  readonly name = 'outage';
  readonly about = 'upstream down, then drained while traffic goes on (Message mode)';

  /** The pump has nowhere to keep anything. */
  takesPart({ speaks }: Contestant): boolean {
    return speaks === 'forward';
  }

  async run(contestant: Contestant, bench: Bench): Promise<readonly Outcome[]> {
    const { load_ms } = bench.options;
    const figures = await Site.within(bench, contestant, {}, async (site) => {
      const settings = {
        mode: 'message',
        line_bytes: 100,
        tags_count: 1,
        connections_count: 1,
      } as const;
      const load = site.spawnLoad(settings);
      await site.startContestant();
      const traffic = await site.connect(load);
      const { cpu_us, result } = await site.cpuOf_us(async () => {
        await traffic.send(load_ms);
        const sink = await site.startSink();
        const at_ms = await beginningAt_ms(sink, site.turn);
        await traffic.send(load_ms);
        const { last_ms } = await traffic.arrival(sink);
        return { events_count: traffic.events_count, took_ms: last_ms - at_ms };
      });
      return loadFigures(result, cpu_us, site.peak_mib);
    });
    return [{ contestant: contestant.name, figures }];
  }
}

export const OUTAGE: Scenario = new Outage();
