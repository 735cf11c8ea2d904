import type { Identities } from './identities.ts';
import type { MergeStates } from './merge/merge-states.ts';
import type { TroubleReport } from './trouble-report.ts';
import type { Container, ContainerSource } from './types.ts';

export interface EndingsDeps {
  readonly identities: Identities;
  readonly containers: ContainerSource;
  readonly merges: MergeStates;
  readonly trouble: TroubleReport;
  /** When logboom was last known to run on this journal. */
  readonly alive_ms: number;
}

/**
 * Which containers' ends are known, so that of those that are missing at the next start only
 * the ones are named whose lines may be gone with them.
 *
 *     removed before our eyes                       known
 *     ended, and its log was read to the end        known, until it is started again
 *     left out by now                               nobody asks
 *     else, and it is not there at the next start   removed while away: named
 */
export class Endings {
  readonly #deps: EndingsDeps;

  constructor(deps: EndingsDeps) {
    this.#deps = deps;
  }

  /** Containers that were read before, whose end is not known, and that are not there. */
  missing(): Pick<Container, 'id' | 'name'>[] {
    const { identities, containers } = this.#deps;
    return identities.unfinished().filter(({ id }) => containers.get(id) === undefined);
  }

  /** @param missing as it was before logboom looked at any container: what goes later is seen to go */
  async tellRemovedWhileAway(missing: readonly Pick<Container, 'id' | 'name'>[]): Promise<void> {
    const { containers, identities, merges, trouble, alive_ms } = this.#deps;
    const since = new Date(alive_ms).toISOString();
    for (const container of missing) {
      const { id } = container;
      if (!(await containers.isGone(id))) continue;
      const streamed = merges.get(id) === undefined ? '' : ' and its stream did not bring';
      const reason = `removed while logboom was away: what it wrote after ${since}${streamed} is gone`;
      trouble.once(container, reason, 'lines of a container may be lost');
      identities.finish(id);
    }
  }

  /**
   * A container is read, and was looked at again.
   *
   * @param readToEnd resolves with true once all that its log has now was read
   */
  async seen(container: Container, readToEnd: () => Promise<boolean>): Promise<void> {
    const { identities, containers } = this.#deps;
    const { id, running, started_ms } = container;
    if (running) {
      identities.goOn(id);
      return;
    }
    if (!(await readToEnd())) return;
    const now = containers.get(id);
    if (now?.running === false && now.started_ms === started_ms) identities.finish(id);
  }

  /** A container is not read, or is gone. */
  over(container_id: string): void {
    this.#deps.identities.finish(container_id);
  }
}
