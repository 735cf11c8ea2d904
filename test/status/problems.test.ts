import { describe, expect, it } from 'vitest';
import { problemsOf } from '../../src/status/problems.ts';
import type { OutputStatus, RelayStatus } from '../../src/status/types.ts';
import { SAMPLE_NOW_MS, sampleStatus } from '../support/status-samples.ts';

const WELL = sampleStatus({ dropped: {}, gaps: [] });
const QUIET_INPUTS = {
  ...WELL.inputs,
  connections_refused: 0,
  connections_broken: 0,
  connections_failed: 0,
  tls_failures: 0,
  handshake_failures: 0,
};

const [OUTPUT] = WELL.outputs as [OutputStatus];
const RUNNING: OutputStatus = {
  ...OUTPUT,
  name: 'up',
  state: 'running',
  lag_events: 0,
  oldest_age_ms: null,
};

function said(more: Partial<RelayStatus>): string[] {
  const status = { ...WELL, inputs: QUIET_INPUTS, outputs: [RUNNING], ...more };
  return problemsOf(status).map(({ level, where, text }) => `${level} ${where}: ${text}`);
}

describe('problems', () => {
  it('are none while all is well', () => {
    expect(said({})).toEqual([]);
  });

  it('name an output that is stuck, why, and what waits for it', () => {
    const outputs: OutputStatus[] = [
      {
        ...RUNNING,
        state: 'retrying',
        last_error: 'connect ECONNREFUSED',
        last_error_ms: SAMPLE_NOW_MS - 3_000,
        lag_events: 12_345,
        oldest_age_ms: 125_000,
      },
    ];
    expect(said({ outputs })).toEqual([
      'error output up: 3 s ago: connect ECONNREFUSED; 12,345 events wait, the oldest for 2 min 5 s',
    ]);
  });

  it('name an output that runs and is behind', () => {
    const behind = { ...RUNNING, lag_events: 1, oldest_age_ms: 61_000 };
    expect(said({ outputs: [behind] })).toEqual([
      'warning output up: it is behind: 1 event waits, the oldest for 1 min 1 s',
    ]);
    expect(said({ outputs: [{ ...behind, oldest_age_ms: 59_000 }] })).toEqual([]);
  });

  it('say why the journal takes nothing, ahead of all warnings', () => {
    const journal = { ...WELL.journal, state: 'disk_full', quarantined: 2 } as const;
    expect(said({ journal })).toEqual([
      'error journal: the disk is full: inputs are held until there is room',
      'warning journal: 2 damaged places found; what was there is kept in its folder quarantine',
    ]);
  });

  it('warn when little room is left', () => {
    const journal = { ...WELL.journal, max_bytes: 1_000, room_left_bytes: 99 };
    expect(said({ journal })).toEqual(['warning journal: it has room for 99 B more']);
  });

  it('count what was dropped in plain words, but not re-sends', () => {
    const dropped = { unrouted: { app: 2, web: 3 }, resent: { '10.0.0.1': 7 }, new_word: { a: 1 } };
    expect(said({ dropped })).toEqual([
      'warning dropped: 5 events: no output takes their tag',
      'warning dropped: 1 event: new_word',
    ]);
  });

  it('name gaps by container', () => {
    const gaps = [{ container: 'web', reason: 'place_lost', times: 2 }];
    expect(said({ gaps })).toEqual([
      'warning container web: lines may be missing: its log was deleted before it was read (2 times)',
    ]);
  });
});
