import { LogFeed } from '../../../src/inputs/docker/log-feed.ts';
import type { Identity } from '../../../src/inputs/docker/types.ts';
import { Poller } from '../../../src/inputs/logfile/follow/poller.ts';
import { JsonFileFormat } from '../../../src/inputs/logfile/formats/json-file.ts';
import { POSITION_SPACE, Positions } from '../../../src/inputs/logfile/positions.ts';
import { LIMITS } from '../../../src/limits.ts';
import { decodeEvents, type Event } from '../../../src/protocol/event.ts';
import { type Entry, jsonFileLine } from '../docker-entries.ts';
import { ManualClock } from '../manual-clock.ts';
import { MemoryJournal } from '../memory-journal.ts';
import { RecordingLog } from '../recording-log.ts';
import { MemoryCache, turns } from './memory-cache.ts';

export const FED_ID = 'fe'.repeat(32);
export const FEED_KEY = `log/${FED_ID}`;

export const FEED_IDENTITY: Identity = {
  container_id: FED_ID,
  container_name: '/web',
  tag: 'docker.web',
  extra: { team: 'x' },
  sub_second: true,
};

/** A json-file log in memory, a feed that reads it, and a journal that is cut at will. */
export class FeedRig {
  readonly clock = new ManualClock();
  readonly files = new MemoryCache();
  readonly positions = new Positions();
  readonly journal = new MemoryJournal({
    automatic: false,
    spaces: [[POSITION_SPACE, this.positions]],
  });
  readonly log = new RecordingLog();
  identity = FEED_IDENTITY;
  /** Undefined: all lines are `identity`'s. */
  identityAt: ((time_s: number) => Identity) | undefined;
  start_at: 'newest' | 'oldest' = 'oldest';
  readonly #poller = new Poller(this.clock);
  #feed: LogFeed | undefined;

  get feed(): LogFeed {
    if (this.#feed === undefined) throw new Error('the feed is not started');
    return this.#feed;
  }

  async start(): Promise<this> {
    const { journal, positions, clock, log, start_at } = this;
    this.#feed = new LogFeed(
      {
        key: FEED_KEY,
        format: new JsonFileFormat(),
        open: this.files.open,
        start_at,
        identity: () => this.identity,
        ...(this.identityAt === undefined ? {} : { identityAt: this.identityAt }),
      },
      { journal, positions, poller: this.#poller, clock, log },
    );
    this.#feed.start();
    await this.look();
    return this;
  }

  write(...entries: Entry[]): void {
    for (const entry of entries) this.files.appendFrame(jsonFileLine(entry));
  }

  /** Lets the log be looked at. */
  async look(): Promise<void> {
    this.clock.advance(LIMITS.poll_idle_ms);
    await turns(10);
  }

  async restart({ is_killed }: { is_killed: boolean }): Promise<void> {
    await this.feed.stop();
    if (is_killed) this.journal.fail(new Error('killed'));
    else this.journal.commit();
    await this.start();
  }

  /** Everything that is durable. */
  events(): Event[] {
    return this.journal.records.flatMap(({ body }) => [...decodeEvents([body])]);
  }

  logs(): unknown[] {
    return this.events().map(({ record }) => record['log']);
  }

  async close(): Promise<void> {
    await this.#feed?.stop();
    await this.#poller.close();
  }
}
