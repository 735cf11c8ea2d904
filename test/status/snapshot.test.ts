import { describe, expect, it } from 'vitest';
import { Snapshots } from '../../src/status/snapshot.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { FakeStatusSource } from '../support/status-source.ts';

const NOW_MS = 1_700_000_000_000;

function rig() {
  const clock = new ManualClock(NOW_MS);
  const source = new FakeStatusSource();
  const snapshots = new Snapshots(source, clock);
  return { clock, source, snapshots };
}

describe('a snapshot', () => {
  it('is plain JSON', () => {
    const { snapshots, source } = rig();
    source.output_stats = { up: {} };
    const status = snapshots.take();
    expect(JSON.parse(JSON.stringify(status))).toEqual(status);
  });

  it('tells whether an output works again since its last error', () => {
    const { snapshots, source } = rig();
    const failed = { last_error: 'refused', last_error_ms: NOW_MS - 5_000 };
    source.output_stats = {
      well: { state: 'running' },
      again: { state: 'running', ...failed },
      never: { state: 'retrying', ...failed },
    };
    expect(snapshots.take().outputs).toMatchObject([
      { name: 'well', has_recovered: false },
      { name: 'again', has_recovered: true, last_error: 'refused' },
      { name: 'never', has_recovered: false },
    ]);
  });

  it("tells an output's lag from where it reads, and how long the oldest event has waited", () => {
    const { snapshots, source } = rig();
    source.journaled = { events: 100, bytes: 9_000 };
    source.cursors = [{ name: 'up', seq: 3, events_behind: 90, bytes_behind: 8_000 }];
    source.output_stats = { up: { cursor_events: 40, cursor_committed_ms: NOW_MS - 7_000 } };
    expect(snapshots.take().outputs).toMatchObject([
      { name: 'up', lag_events: 60, lag_bytes: 8_000, oldest_age_ms: 7_000 },
    ]);
  });

  it('takes the lag of an output that has read nothing yet from its cursor', () => {
    const { snapshots, source } = rig();
    source.journaled = { events: 100, bytes: 9_000 };
    source.cursors = [{ name: 'up', seq: 3, events_behind: 90, bytes_behind: 8_000 }];
    source.output_stats = { up: {}, terminal: {} };
    expect(snapshots.take().outputs).toMatchObject([
      { name: 'up', lag_events: 90, lag_bytes: 8_000, oldest_age_ms: null },
      { name: 'terminal', lag_events: null, lag_bytes: null, oldest_age_ms: null },
    ]);
  });

  it('shows no age and no bytes where nothing waits', () => {
    const { snapshots, source } = rig();
    source.journaled = { events: 100, bytes: 9_000 };
    source.cursors = [{ name: 'up', seq: 3, events_behind: 10, bytes_behind: 900 }];
    source.output_stats = { up: { cursor_events: 100, cursor_committed_ms: NOW_MS - 7_000 } };
    expect(snapshots.take().outputs).toMatchObject([
      { lag_events: 0, lag_bytes: 0, oldest_age_ms: null },
    ]);
  });

  it('knows the room that is left as the smaller of limit and disk', () => {
    const { snapshots, source } = rig();
    expect(snapshots.take().journal.room_left_bytes).toBe(99 * 1024 * 1024);
    source.disk_free = 5_000;
    expect(snapshots.take().journal).toMatchObject({
      room_left_bytes: 5_000,
      disk_free_bytes: 5_000,
    });
  });

  it('takes a commit that is full for a moment as writable, a full disk not', () => {
    const { snapshots, source } = rig();
    source.state = 'commit_full';
    expect(snapshots.take().journal.writable).toBe(true);
    source.state = 'disk_full';
    expect(snapshots.take().journal.writable).toBe(false);
  });
});

describe('rates', () => {
  it('are 0 until a second has passed', () => {
    const { snapshots, source } = rig();
    source.journaled = { events: 1_000, bytes: 9_000 };
    snapshots.start();
    expect(snapshots.take().rates).toMatchObject({ over_ms: 0, events_in_per_s: 0 });
  });

  it('are averages over the last five seconds, of each output and of all', () => {
    const { clock, snapshots, source } = rig();
    source.output_stats = { a: { events_out: 0 }, b: { events_out: 0 } };
    snapshots.start();
    clock.advance(20_000);
    source.journaled = { events: 500, bytes: 5_000 };
    source.output_stats = { a: { events_out: 100, bytes_out: 1_000 }, b: { events_out: 50 } };
    clock.advance(5_000);
    const { rates, outputs } = snapshots.take();
    expect(rates).toEqual({
      over_ms: 5_000,
      events_in_per_s: 100,
      bytes_in_per_s: 1_000,
      events_out_per_s: 30,
      bytes_out_per_s: 200,
    });
    expect(outputs.map(({ events_per_s }) => events_per_s)).toEqual([20, 10]);
    clock.advance(6_000);
    expect(snapshots.take().rates).toMatchObject({ events_in_per_s: 0, events_out_per_s: 0 });
  });

  it('of an output that began anew are not negative', () => {
    const { clock, snapshots, source } = rig();
    source.output_stats = { a: { events_out: 1_000 } };
    snapshots.start();
    source.output_stats = { a: { events_out: 3 } };
    clock.advance(1_000);
    expect(snapshots.take().outputs[0]?.events_per_s).toBe(0);
  });

  it('need no timer once they are stopped', () => {
    const { clock, snapshots } = rig();
    snapshots.start();
    snapshots.stop();
    expect(clock.waiting).toBe(0);
  });
});

describe('a container', () => {
  const web = { id: 'c1', name: 'web', how: 'local', is_removed: false, torn: 0 } as const;

  it('shows when its line count last grew, and how fast', () => {
    const { clock, snapshots, source } = rig();
    source.container_figures = [{ ...web, lines: 0 }];
    snapshots.start();
    expect(snapshots.take().containers).toMatchObject([{ last_line_s: null, recovered: 0 }]);
    source.container_figures = [{ ...web, lines: 10 }];
    clock.advance(1_000);
    const at_s = NOW_MS / 1000 + 1;
    expect(snapshots.take().containers).toMatchObject([{ last_line_s: at_s, lines_per_s: 10 }]);
    clock.advance(9_000);
    expect(snapshots.take().containers).toMatchObject([{ last_line_s: at_s, lines_per_s: 0 }]);
  });
});
