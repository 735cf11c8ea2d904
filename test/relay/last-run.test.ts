import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startRelay } from '../../src/relay.ts';
import { systemClock } from '../../src/sys/clock.ts';
import { RelayRig } from '../support/relay-rig.ts';

let rig: RelayRig;

beforeEach(async () => {
  rig = await RelayRig.open();
});

afterEach(() => rig.dispose());

const warnings = (): string[] => rig.log.said('warn').filter((line) => /last run/.test(line));

/** As a kill leaves it: the owner did not write that it closed the journal. */
async function forgetTheClose(): Promise<void> {
  const path = join(rig.dir.path, 'journal', 'LOCK');
  const text = await readFile(path, 'utf8');
  await writeFile(path, text.replace('"closed":true', '"closed":false'));
}

describe('a start', () => {
  it('says that the last run did not end in good order', async () => {
    await (await rig.start({ up: rig.toSink() })).stop();
    await forgetTheClose();
    await rig.start({ up: rig.toSink() });
    expect(warnings()).toEqual([
      'the last run did not end in good order; its journal was recovered {"cut":0,"quarantined":0}',
    ]);
  });

  it('says nothing of it in a fresh folder, and after a stop', async () => {
    await (await rig.start({ up: rig.toSink() })).stop();
    await rig.start({ up: rig.toSink() });
    expect(warnings()).toEqual([]);
  });

  it('says nothing of it when it takes over', async () => {
    const config = rig.config({ up: rig.toSink() });
    const before = await rig.start({ up: rig.toSink() });
    const stopped = before.released.then(() => before.stop());
    const after = await startRelay(config, {
      ...{ log: rig.log, clock: systemClock, stdout: rig.stdout, stdout_is_terminal: false },
      ...{ drop_outputs: [], takeover: true, env: {}, pid: 1, version: '0.0.0' },
    });
    await stopped;
    await after.stop();
    expect(warnings()).toEqual([]);
  });
});
