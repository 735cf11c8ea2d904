import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { nodeFs } from '../../../src/sys/fs.ts';
import { DockerInputRig } from '../../support/docker-input-rig.ts';
import type { FakeEngine } from '../../support/fake-engine.ts';
import { until } from '../../support/wait.ts';
import { idOf } from './registry/docker-folder.ts';

const ID = idOf('a');
const JSON_FILE = { driver: 'json-file', name: 'web' };

let engine: FakeEngine;
let rig: DockerInputRig;

beforeEach(async () => {
  rig = await DockerInputRig.open();
  ({ engine } = rig);
});

afterEach(() => rig.dispose());

describe('the Engine API', () => {
  const entry = (line: string, time_ns = 1) => ({
    stream: 'stdout' as const,
    time_s: 1_795_414_942,
    time_ns,
    line: `${line}\n`,
  });

  it('gives the lines of containers whose files are not known, and goes on after a restart', async () => {
    const web = engine.add('a', 'web');
    engine.write(web, entry('one', 1), entry('two', 2));
    await rig.start({ from: 'engine', alive_ms: 0 });
    await rig.arrived('web one', 'web two');
    await rig.stop();
    engine.write(web, entry('three', 3));
    await rig.start({ from: 'engine', alive_ms: 0 });
    await rig.arrived('web one', 'web two', 'web three');
    engine.write(web, entry('four', 4));
    await rig.arrived('web one', 'web two', 'web three', 'web four');
    expect(rig.input?.figures().followed['web']?.lines).toBe(2);
  });

  it('keeps a place for a container that is silent, so that what it writes meanwhile is read', async () => {
    const web = engine.add('a', 'web');
    await rig.start({ from: 'engine' });
    await rig.keeps(`api/${ID}`);
    await rig.stop();
    const time_s = Math.floor(Date.now() / 1000) + 1;
    engine.write(web, { ...entry('while away'), time_s });
    await rig.start({ from: 'engine' });
    await rig.arrived('web while away');
  });

  it('has the pieces of a long line marked, also when logboom restarts between them', async () => {
    const web = engine.add('a', 'web');
    engine.write(web, { ...entry('begun '), line: 'begun ' });
    await rig.start({ from: 'engine', alive_ms: 0 });
    await rig.arrived('web begun ');
    await rig.stop();
    engine.write(web, entry('ended'));
    await rig.start({ from: 'engine', alive_ms: 0 });
    await rig.arrived('web begun ', 'web ended');
    const [first, last] = rig.records;
    expect(first).toMatchObject({ partial_ordinal: '1', partial_last: 'false' });
    expect(last).toMatchObject({ partial_ordinal: '2', partial_last: 'true' });
    expect(last?.['partial_id']).toBe(first?.['partial_id']);
  });

  it('is asked for no more while the journal takes nothing', async () => {
    const web = engine.add('a', 'web');
    const waits = vi.spyOn(rig.journal, 'onceWritable');
    rig.journal.become('commit_full');
    await rig.start({ from: 'engine', alive_ms: 0 });
    engine.write(web, entry('one', 1));
    await until('it waits for the journal', () => waits.mock.calls.length > 0);
    const asked = engine.requests.length;
    engine.write(web, entry('two', 2));
    await rig.arrived('web one');
    expect(engine.requests.length).toBe(asked);
    rig.journal.become('writable');
    await rig.arrived('web one', 'web two');
  });

  it('shows that a container is removed; what could not be read of it is named', async () => {
    const web = engine.add('a', 'web');
    engine.write(web, entry('one'));
    await rig.start({ from: 'engine', alive_ms: 0 });
    await rig.arrived('web one');
    engine.containers.clear();
    engine.end(web);
    engine.emit('destroy', web);
    await until('it is named', () => rig.input?.figures().gaps.length === 1);
    expect(rig.log.said('warn').join()).toMatch(/web.*removed before its last lines/);
    await until('it is let go', () => rig.input?.figures().followed['web'] === undefined);
  });

  it('takes the place of files that must not be read, and goes on so after a restart', async () => {
    const denied = Object.assign(new Error('permission denied'), { code: 'EACCES' });
    const fs = { ...nodeFs, open: () => Promise.reject(denied) };
    const web = engine.add('a', 'web');
    await rig.folder.write(ID, JSON_FILE);
    await rig.write(ID, 'one');
    engine.write(web, entry('one'));
    await rig.start({ from: 'both', fs, alive_ms: 0 });
    await rig.arrived('web one');
    await rig.stop();
    engine.write(web, entry('two', 2));
    await rig.write(ID, 'two');
    await rig.start({ from: 'both', alive_ms: 0 });
    await rig.arrived('web one', 'web two');
    expect(rig.log.said('warn')).toEqual([]);
  });

  it('says that a way of reading was changed, and reads all of it rather than to lose lines', async () => {
    const web = engine.add('a', 'web');
    engine.write(web, entry('one'));
    await rig.start({ from: 'engine', alive_ms: 0 });
    await rig.arrived('web one');
    await rig.stop();
    await rig.folder.write(ID, JSON_FILE);
    await rig.write(ID, 'one', 'two');
    await rig.start();
    await rig.arrived('web one', 'web one', 'web two');
    expect(rig.log.said('warn').join()).toMatch(/may be doubled.*web/);
  });
});
