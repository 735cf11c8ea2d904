import type { Scenario } from './scenario.ts';
import { Site } from './site.ts';

/** From the spawn of the process to the first connection that it accepts and serves, with nothing to read. */
export const START: Scenario = {
  name: 'start',
  about: 'from spawn to accepting, on an empty folder',
  takesPart: () => true,
  async run(contestant, bench) {
    const figures = await Site.within(bench, contestant, {}, async (site) => {
      await site.startSink();
      const accepting_ms = await site.startContestant();
      return { accepting_ms, peak_mib: site.peak_mib };
    });
    return [{ contestant: contestant.name, figures }];
  },
};
