import { describe, expect, it } from 'vitest';
import { POSITION_SPACE, Positions } from '../../src/inputs/logfile/positions.ts';
import { LIMITS } from '../../src/limits.ts';
import { Upkeep } from '../../src/relay/upkeep.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { MemoryJournal } from '../support/memory-journal.ts';
import { RecordingLog } from '../support/recording-log.ts';

const FORGET_AFTER_MS = 60_000;

function kept(keys_alive: string[], positions = new Positions()) {
  const log = new RecordingLog();
  const clock = new ManualClock();
  const journal = new MemoryJournal({ spaces: [[POSITION_SPACE, positions]] });
  const upkeep = new Upkeep(positions, {
    forget_after_ms: FORGET_AFTER_MS,
    clock,
    log,
  });
  const pass = (time_ms: number): void => {
    for (let passed_ms = 0; passed_ms < time_ms; passed_ms += LIMITS.positions_upkeep_ms) {
      clock.advance(LIMITS.positions_upkeep_ms);
      journal.commit();
    }
  };
  upkeep.start(journal, { keysAlive: () => keys_alive, forgetExpired: () => {} });
  journal.commit();
  return { upkeep, positions, clock, journal, log, pass };
}

describe('upkeep', () => {
  it('writes down that logboom is alive, from time to time and last when it stops', () => {
    const { upkeep, clock, journal, pass } = kept([]);
    const begun_ms = upkeep.lastAlive();
    pass(LIMITS.positions_upkeep_ms);
    expect(upkeep.lastAlive()).toBe(begun_ms + LIMITS.positions_upkeep_ms);
    clock.advance(1);
    upkeep.stop();
    journal.commit();
    expect(upkeep.lastAlive()).toBe(begun_ms + LIMITS.positions_upkeep_ms + 1);
    expect(clock.waiting).toBe(0);
  });

  it('takes for new what came so shortly before a stop that nobody may have seen it', () => {
    const { upkeep, clock } = kept([]);
    expect(upkeep.lastAlive()).toBeLessThanOrEqual(clock.now_ms() - 5_000);
  });

  it('says and shows how many sources were forgotten for want of room', () => {
    const { upkeep, positions, journal, log, pass } = kept([], new Positions(2));
    const note = (key: string): void =>
      journal.note(POSITION_SPACE, positions.entry(key, Buffer.of(1), 0));
    pass(2 * LIMITS.positions_upkeep_ms);
    expect(upkeep.gaps()).toEqual([]);
    for (const key of ['log/a', 'log/b', 'log/c']) note(key);
    pass(3 * LIMITS.positions_upkeep_ms);
    const { forgotten_count } = positions;
    expect(forgotten_count).toBeGreaterThan(0);
    expect(upkeep.gaps()).toEqual([
      {
        container: '(others)',
        reason: expect.stringContaining('forgotten'),
        times: forgotten_count,
      },
    ]);
    expect(log.said('warn')).toHaveLength(1);
    expect(log.said('warn')[0]).toContain(`"forgotten":${forgotten_count}`);
  });

  it('forgets a source only after it was gone for long enough', () => {
    const alive = ['log/a', 'tail:/b'];
    const { positions, journal, pass } = kept(alive);
    for (const key of alive) journal.note(POSITION_SPACE, positions.entry(key, Buffer.of(1), 0));
    pass(10 * FORGET_AFTER_MS);
    expect(positions.get('tail:/b')).toBeDefined();
    alive.pop();
    pass(FORGET_AFTER_MS);
    expect(positions.get('tail:/b')).toBeDefined();
    pass(FORGET_AFTER_MS);
    expect(positions.get('tail:/b')).toBeUndefined();
    expect(positions.get('log/a')).toBeDefined();
  });
});
