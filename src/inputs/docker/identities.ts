import type { JournalWriter } from '../../journal/types.ts';
import { decodeEvents } from '../../protocol/event.ts';
import type { Clock } from '../../sys/clock.ts';
import { POSITION_SPACE, type Positions } from '../logfile/positions.ts';
import { type IdentityOptions, identityOf, RESERVED_FIELDS } from './identity/identity.ts';
import type { StreamedIdentity } from './merge/stream-filter.ts';
import type { Container, Identity } from './types.ts';

/** What a container's lines carry in one run of it. */
interface RunIdentity {
  readonly started_ms: number;
  readonly identity: Identity;
  /** Taken from its stream; else made from its configuration. */
  readonly is_streamed: boolean;
}

export interface IdentitiesDeps {
  readonly journal: JournalWriter;
  readonly positions: Positions;
  readonly clock: Clock;
}

/** The lead byte that makes `time record` an entry. */
const ENTRY_LEAD = Buffer.of(0x92);

/** Under what a container's identity is kept among the positions. */
export const identityKey = (container_id: string): string => `run/${container_id}`;

/**
 * What each container's lines carry: fixed for a run of the container as it was streamed
 * first, else as it was first seen, and kept with the positions, so that neither a rename
 * nor a restart of the relay changes it half way (DESIGN 7).
 */
export class Identities {
  readonly #options: IdentityOptions;
  readonly #deps: IdentitiesDeps;
  readonly #runs = new Map<string, RunIdentity>();
  /** Of the run before, for its lines that are still to be read. */
  readonly #earlier = new Map<string, Identity>();

  constructor(options: IdentityOptions, deps: IdentitiesDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** @throws LB_CONTAINER for a tag template or expression that cannot be done as Docker does it */
  of(container: Container): Identity {
    const known = this.#known(container.id);
    if (known?.started_ms === container.started_ms) return known.identity;
    const identity = identityOf(container, this.#options);
    this.#begin(container, { identity, is_streamed: false });
    return identity;
  }

  /** As the container streams now. */
  streamed(container: Container, line: StreamedIdentity): Identity {
    const known = this.#known(container.id);
    if (known?.started_ms === container.started_ms && known.is_streamed) return known.identity;
    const identity = readIdentity(line, known?.identity ?? identityOf(container, this.#options));
    this.#begin(container, { identity, is_streamed: true });
    return identity;
  }

  /** Of the run that wrote a line at this time. */
  at(container: Container, time_s: number): Identity {
    const earlier = this.#earlier.get(container.id);
    const is_earlier = (time_s + 1) * 1000 <= container.started_ms;
    return earlier !== undefined && is_earlier ? earlier : this.of(container);
  }

  #begin(container: Container, found: Omit<RunIdentity, 'started_ms'>): void {
    const { journal, positions, clock } = this.#deps;
    const { id, started_ms } = container;
    const known = this.#known(id);
    if (known !== undefined && known.started_ms !== started_ms) {
      this.#earlier.set(id, known.identity);
    }
    const run: RunIdentity = { started_ms, ...found };
    this.#runs.set(id, run);
    const now_s = Math.floor(clock.now_ms() / 1000);
    const value = Buffer.from(JSON.stringify(run));
    journal.note(POSITION_SPACE, positions.entry(identityKey(id), value, now_s));
  }

  #known(id: string): RunIdentity | undefined {
    const live = this.#runs.get(id);
    if (live !== undefined) return live;
    const stored = this.#deps.positions.get(identityKey(id));
    if (stored === undefined) return undefined;
    // Written by `#begin`, and covered by the journal's checksums.
    const run = JSON.parse(stored.toString()) as RunIdentity;
    this.#runs.set(id, run);
    return run;
  }
}

/** What the driver sends with every line of a run: all that is not the line's own. */
function readIdentity({ tag, body, sub_second }: StreamedIdentity, made: Identity): Identity {
  const [event] = decodeEvents([ENTRY_LEAD, body]);
  if (event === undefined) return made;
  const fields = Object.entries(event.record).filter(
    (field): field is [string, string] => typeof field[1] === 'string',
  );
  const extra = fields.filter(
    ([name]) => name !== 'container_name' && !RESERVED_FIELDS.includes(name),
  );
  const name = event.record['container_name'];
  return {
    container_id: made.container_id,
    container_name: typeof name === 'string' ? name : made.container_name,
    tag: tag.toString(),
    extra: Object.fromEntries(extra),
    sub_second,
  };
}
