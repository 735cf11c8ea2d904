import type { ContainerStatus, OutputStatus, RelayStatus } from '../../src/status/types.ts';

/** 2026-03-01 12:00:00 UTC. */
export const SAMPLE_NOW_MS = 1_772_366_400_000;

const MIB = 1024 * 1024;

/** A relay that carries traffic, all well; `more` replaces parts of it. */
export function sampleStatus(more: Partial<RelayStatus> = {}): RelayStatus {
  return {
    version: '0.1.0',
    pid: 4242,
    node: 'v22.14.0',
    started_ms: SAMPLE_NOW_MS - 7_500_000,
    now_ms: SAMPLE_NOW_MS,
    state: 'running',
    resident_bytes: 96 * MIB,
    problems: [],
    rates: {
      over_ms: 5000,
      events_in_per_s: 8214,
      bytes_in_per_s: 1.9 * MIB,
      events_out_per_s: 8190,
      bytes_out_per_s: 1.9 * MIB,
    },
    inputs: {
      listeners: [{ url: 'tcp://127.0.0.1:24224' }, { url: 'unix:///run/logboom.sock?mode=0660' }],
      connections_open: 12,
      connections_total: 40,
      connections_refused: 0,
      connections_broken: 0,
      connections_failed: 0,
      connections_empty: 3,
      tls_failures: 0,
      handshake_failures: 0,
      messages: 9_000_000,
      events: 61_605_000,
      bytes: 14_000 * MIB,
      messages_cut_off: 0,
      acks: 120_000,
      resends_dropped: 0,
    },
    journal: {
      dir: '/var/lib/logboom',
      state: 'writable',
      writable: true,
      on_full: 'block',
      bytes: 1240 * MIB,
      max_bytes: 8192 * MIB,
      room_left_bytes: 6952 * MIB,
      disk_free_bytes: 91_000 * MIB,
      segments: 20,
      oldest_ms: SAMPLE_NOW_MS - 754_000,
      first_seq: 1000,
      durable_seq: 90_000,
      events: 61_605_000,
      event_bytes: 14_000 * MIB,
      quarantined: 0,
      cut: 0,
    },
    outputs: [sampleOutput(), sampleOutput({ name: 'archive', type: 'file', retries: 0 })],
    containers: [sampleContainer(1), sampleContainer(2), sampleContainer(3)],
    dropped: {},
    gaps: [],
    ...more,
  };
}

export function sampleOutput(more: Partial<OutputStatus> = {}): OutputStatus {
  return {
    name: 'aggregator',
    type: 'forward',
    state: 'running',
    lag_events: 1204,
    lag_bytes: 0.3 * MIB,
    oldest_age_ms: 140,
    chunks_in_flight: 3,
    retries: 2,
    last_error: null,
    last_error_ms: null,
    has_recovered: false,
    events_out: 61_603_800,
    bytes_out: 14_000 * MIB,
    events_per_s: 8190,
    bytes_per_s: 1.9 * MIB,
    details: { possibly_doubled: 0, chunks_pending: 3, 'tcp://aggregator-a:24224': 'up' },
    ...more,
  };
}

/** An output whose upstream is down since four minutes. */
export function failingOutput(): OutputStatus {
  return sampleOutput({
    state: 'retrying',
    lag_events: 1_971_360,
    lag_bytes: 455 * MIB,
    oldest_age_ms: 240_000,
    chunks_in_flight: 0,
    events_per_s: 0,
    bytes_per_s: 0,
    last_error: '10.0.4.17:24224: connect ECONNREFUSED (LB_UPSTREAM).',
    last_error_ms: SAMPLE_NOW_MS - 3000,
    details: { possibly_doubled: 0, chunks_pending: 12, 'tcp://aggregator-a:24224': 'down' },
  });
}

/** Its upstream is down, and some events were dropped. */
export function troubledStatus(): RelayStatus {
  const failing = failingOutput();
  const text = `${failing.last_error}; 1,971,360 events wait, the oldest for 4 min`;
  return sampleStatus({
    problems: [
      { level: 'error', where: 'output aggregator', text },
      { level: 'warning', where: 'dropped', text: '12 events: no output takes their tag' },
      { level: 'warning', where: 'container web-2', text: 'lines may be missing' },
    ],
    outputs: [failing, sampleOutput({ name: 'archive', type: 'file' })],
    dropped: { unrouted: { 'debug.app': 9, 'debug.db': 3 } },
    gaps: [{ container: 'web-2', reason: 'place_lost', times: 2 }],
  });
}

const HOWS = ['json-file', 'merged', 'local'] as const;

/** The nth of many, each with figures of its own. */
export function sampleContainer(nth: number, more: Partial<ContainerStatus> = {}): ContainerStatus {
  return {
    id: String(nth).padStart(64, '0'),
    name: `web-${nth}`,
    how: HOWS[nth % HOWS.length] ?? 'local',
    is_removed: false,
    lines: 1000 * nth,
    lines_per_s: (nth * 37) % 101,
    last_line_s: SAMPLE_NOW_MS / 1000 - nth,
    torn: 0,
    recovered: nth % 3 === 1 ? 5 : 0,
    dropped_doubled: nth % 3 === 1 ? 2 : 0,
    late: 0,
    ambiguous: 0,
    unanchored: 0,
    uncached: 0,
    ...more,
  };
}
