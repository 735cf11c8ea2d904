import type { JournalWriter } from '../../journal/types.ts';
import { LIMITS } from '../../limits.ts';
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
  /** The container is gone or has ended, and its log was read to the end, or it was said what was not. */
  readonly is_over: boolean;
  /** Of the run before, as long as lines of it may still be to be read. */
  readonly earlier?: Identity | undefined;
}

export interface IdentitiesDeps {
  readonly journal: JournalWriter;
  readonly positions: Positions;
  readonly clock: Clock;
}

/** The lead byte that makes `time record` an entry. */
const ENTRY_LEAD = Buffer.of(0x92);

const KEY_LEAD = 'run/';

/** Under what a container's identity is kept among the positions. */
export const identityKey = (container_id: string): string => KEY_LEAD + container_id;

/**
 * What each container's lines carry: fixed for a run of the container as it was streamed
 * first, else as it was first seen, and kept with the positions, so that neither a rename
 * nor a restart of the relay changes it half way (DESIGN 7).
 */
export class Identities {
  readonly #options: IdentityOptions;
  readonly #deps: IdentitiesDeps;
  readonly #runs = new Map<string, RunIdentity>();

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

  /**
   * Of the run that wrote a line at this time. Docker's files do not show where a run begins,
   * so it is told by the clock: what was written before the second of the last start is of the
   * run before, as far as that was seen. Ask in the order of the log (see `passed`).
   */
  at(container: Container, time_s: number): Identity {
    const present = this.of(container);
    const run = this.#known(container.id);
    if (run?.earlier === undefined) return present;
    if (isBeforeStart(container, time_s)) return run.earlier;
    this.passed(container, time_s);
    return present;
  }

  /**
   * A line of this time was read. The first one of the present run ends the one before for
   * good: later lines are of this run, also when the clock was set back.
   */
  passed(container: Container, time_s: number): void {
    const run = this.#known(container.id);
    if (run?.earlier === undefined || run.started_ms !== container.started_ms) return;
    if (!isBeforeStart(container, time_s)) {
      this.#note(container.id, { ...run, earlier: undefined });
    }
  }

  /** Containers that were read before now and whose end was never seen. */
  unfinished(): Pick<Container, 'id' | 'name'>[] {
    const unfinished: Pick<Container, 'id' | 'name'>[] = [];
    for (const key of this.#deps.positions.keys()) {
      if (!key.startsWith(KEY_LEAD)) continue;
      const id = key.slice(KEY_LEAD.length);
      const run = this.#runs.get(id) ?? this.#stored(id);
      if (run === undefined || run.is_over) continue;
      unfinished.push({ id, name: run.identity.container_name.replace(/^\//, '') });
    }
    return unfinished;
  }

  /** Writes down that nothing more will come of a container. */
  finish(container_id: string): void {
    this.#setOver(container_id, true);
  }

  /** Writes down that more may come. */
  goOn(container_id: string): void {
    this.#setOver(container_id, false);
  }

  /** Lets go of what is not kept among the positions any more. */
  forgetExpired(): void {
    for (const id of this.#runs.keys()) {
      if (this.#deps.positions.get(identityKey(id)) !== undefined) continue;
      this.#runs.delete(id);
    }
  }

  #begin(container: Container, found: Pick<RunIdentity, 'identity' | 'is_streamed'>): void {
    const { id, started_ms } = container;
    const known = this.#known(id);
    const is_same_run = known?.started_ms === started_ms;
    const earlier = is_same_run ? known.earlier : known?.identity;
    this.#note(id, { started_ms, ...found, earlier, is_over: is_same_run && known.is_over });
  }

  #setOver(id: string, is_over: boolean): void {
    const run = this.#known(id);
    if (run !== undefined && run.is_over !== is_over) this.#note(id, { ...run, is_over });
  }

  #note(id: string, run: RunIdentity): void {
    const { journal, positions, clock } = this.#deps;
    this.#runs.set(id, run);
    const now_s = Math.floor(clock.now_ms() / 1000);
    const value = Buffer.from(JSON.stringify(run));
    journal.note(POSITION_SPACE, positions.entry(identityKey(id), value, now_s));
  }

  #known(id: string): RunIdentity | undefined {
    const live = this.#runs.get(id);
    if (live !== undefined) return live;
    const stored = this.#stored(id);
    if (stored !== undefined) this.#runs.set(id, stored);
    return stored;
  }

  #stored(id: string): RunIdentity | undefined {
    const stored = this.#deps.positions.get(identityKey(id));
    if (stored === undefined) return undefined;
    // Written by `#note`, and covered by the journal's checksums.
    return JSON.parse(stored.toString()) as RunIdentity;
  }
}

/** By the second: lines go out with whole seconds, and a start is noted when its first line may be written already. */
function isBeforeStart({ started_ms }: Container, time_s: number): boolean {
  return (time_s + 1) * 1000 <= started_ms;
}

/** Whoever reaches the port can claim to be a container's stream: what it says is repeated with each recovered line. */
const EXTRA_MAX_BYTES = 16 * 1024;

/**
 * What the driver sends with every line of a run: all that is not the line's own. Beyond a
 * bound the configuration's word is taken instead.
 */
function readIdentity({ tag, body, sub_second }: StreamedIdentity, made: Identity): Identity {
  const [event] =
    body.length > EXTRA_MAX_BYTES + LIMITS.log_piece_max_bytes
      ? []
      : decodeEvents([ENTRY_LEAD, body]);
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
