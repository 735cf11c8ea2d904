import type { Clock } from '../sys/clock.ts';
import { problemsOf } from './problems.ts';
import { RateSampler } from './rate-sampler.ts';
import type { ContainerFigures, OutputFigures, StatusSource } from './source.ts';
import type {
  ContainerStatus,
  InputsStatus,
  JournalStatus,
  OutputStatus,
  RelayStatus,
} from './types.ts';

/** Makes the relay's snapshots, and watches its rates from `start()` to `stop()`. */
export class Snapshots {
  readonly #source: StatusSource;
  readonly #clock: Clock;
  readonly #rates: RateSampler;

  constructor(source: StatusSource, clock: Clock) {
    this.#source = source;
    this.#clock = clock;
    this.#rates = new RateSampler(source, clock);
  }

  start(): void {
    this.#rates.start();
  }

  stop(): void {
    this.#rates.stop();
  }

  /** The relay as it is now. */
  take(): RelayStatus {
    const source = this.#source;
    const now_ms = this.#clock.now_ms();
    const status = {
      ...source.about,
      now_ms,
      state: source.isStopping() ? 'stopping' : 'running',
      resident_bytes: process.memoryUsage.rss(),
      rates: this.#rates.totals,
      inputs: inputsStatus(source),
      journal: journalStatus(source),
      outputs: this.#outputs(now_ms),
      containers: source.containers().map((figures) => this.#container(figures)),
      dropped: source.dropped(),
      gaps: source.gaps(),
    } as const;
    return { ...status, problems: problemsOf(status) };
  }

  #outputs(now_ms: number): OutputStatus[] {
    const { journal } = this.#source;
    const { events } = journal.totals();
    const cursors = new Map(journal.cursors().map((cursor) => [cursor.name, cursor]));
    return this.#source.outputs().map((figures) => {
      const cursor = cursors.get(figures.name);
      const { cursor_events } = figures.stats;
      const lag_events =
        cursor_events === undefined ? cursor?.events_behind : Math.max(0, events - cursor_events);
      const lag_bytes = lag_events === 0 ? 0 : cursor?.bytes_behind;
      return this.#output(figures, lag_events, lag_bytes, now_ms);
    });
  }

  #output(
    { name, type, stats }: OutputFigures,
    lag_events: number | undefined,
    lag_bytes: number | undefined,
    now_ms: number,
  ): OutputStatus {
    const { cursor_committed_ms } = stats;
    const waits = lag_events !== undefined && lag_events > 0 && cursor_committed_ms !== undefined;
    const rate = this.#rates.output(name);
    return {
      name,
      type,
      state: stats.state,
      lag_events: lag_events ?? null,
      lag_bytes: lag_bytes ?? null,
      oldest_age_ms: waits ? Math.max(0, now_ms - cursor_committed_ms) : null,
      chunks_in_flight: stats.chunks_in_flight,
      retries: stats.retries,
      last_error: stats.last_error ?? null,
      last_error_ms: stats.last_error_ms ?? null,
      has_recovered: stats.last_error !== undefined && stats.state === 'running',
      events_out: stats.events_out,
      bytes_out: stats.bytes_out,
      events_per_s: rate.events,
      bytes_per_s: rate.bytes,
      details: stats.details,
    };
  }

  #container(figures: ContainerFigures): ContainerStatus {
    const last_line_ms = this.#rates.lastLineMs(figures.id);
    return {
      recovered: 0,
      dropped_doubled: 0,
      late: 0,
      ambiguous: 0,
      unanchored: 0,
      uncached: 0,
      ...figures,
      lines_per_s: this.#rates.linesPerSecond(figures.id),
      last_line_s: last_line_ms === undefined ? null : Math.floor(last_line_ms / 1000),
    };
  }
}

function inputsStatus(source: StatusSource): InputsStatus {
  const { input } = source;
  return {
    listeners: source.listening().map((url) => ({ url })),
    connections_open: input.connections_open,
    connections_total: input.connections_total,
    connections_refused: input.connections_refused,
    connections_broken: input.connections_broken,
    connections_failed: input.connections_failed,
    connections_empty: input.connections_empty,
    tls_failures: input.tls_failures,
    handshake_failures: input.handshake_failures,
    messages: input.messages_in,
    events: input.events_in,
    bytes: input.bytes_in,
    messages_cut_off: input.messages_cut_off,
    acks: input.acks_sent,
    resends_dropped: input.resends_dropped,
  };
}

function journalStatus(source: StatusSource): JournalStatus {
  const { journal, journal_options } = source;
  const totals = journal.totals();
  const { dir, on_full, max_bytes } = journal_options;
  const below_limit_bytes = Math.max(0, max_bytes - totals.disk_bytes);
  const disk_free_bytes = source.diskFree() ?? null;
  const has_events = journal.oldest_seq <= journal.durable_seq;
  return {
    dir,
    state: journal.state,
    writable: journal.state === 'writable' || journal.state === 'commit_full',
    on_full,
    bytes: totals.disk_bytes,
    max_bytes,
    room_left_bytes: Math.min(below_limit_bytes, disk_free_bytes ?? below_limit_bytes),
    disk_free_bytes,
    segments: totals.segments,
    oldest_ms: has_events ? totals.oldest_ms : null,
    first_seq: journal.oldest_seq,
    durable_seq: journal.durable_seq,
    events: totals.events,
    event_bytes: totals.body_bytes,
    quarantined: totals.quarantined,
    cut: totals.cut,
  };
}
