import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Journal } from '../../src/journal/journal.ts';
import { stoppedStatus } from '../../src/status/stopped.ts';
import { cli } from '../cli/fake-host.ts';
import { append } from '../commands/buffer-rig.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { type TempDir, tempDir } from '../support/temp-dir.ts';

const OPENED_MS = Date.parse('2026-11-23T08:00:00Z');
const HOUR_MS = 3_600_000;

describe('the journal of a relay that is down', () => {
  let dir: TempDir;
  let clock: ManualClock;
  let journal: Journal;

  beforeEach(async () => {
    dir = await tempDir('stopped');
    clock = new ManualClock(OPENED_MS);
    journal = await Journal.open({ directory: dir.path, clock, linger_ms: 0 });
  });

  afterEach(async () => {
    await journal.close();
    await dir.remove();
  });

  it('tells when its oldest event came, not when the relay started', async () => {
    clock.advance(HOUR_MS);
    await append(journal, 'app', [1]);
    clock.advance(HOUR_MS);
    await append(journal, 'app', [2]);
    await journal.close();
    const { oldest_ms } = await stoppedStatus(dir.path, clock.now_ms());
    expect(oldest_ms).toBe(OPENED_MS + HOUR_MS);
    const { out } = await cli(`buffer ls ${dir.path}`);
    expect(out).toContain('2026-11-23 09:00:00Z');
    expect(out).not.toContain('2026-11-23 08:00:00Z');
  });

  it('has no oldest event when none came', async () => {
    await journal.close();
    expect((await stoppedStatus(dir.path, clock.now_ms())).oldest_ms).toBeNull();
    const { out } = await cli(`buffer ls ${dir.path}`);
    expect(out).toMatch(/^0000000000000001\.seg +none +0 .* - +-$/m);
    expect(out).not.toContain('\n\n\n');
  });
});
