import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DiskContainerFolders } from '../../../src/inputs/docker/registry/container-folders.ts';
import { ContainerRegistry } from '../../../src/inputs/docker/registry/registry.ts';
import type { ContainerSource } from '../../../src/inputs/docker/types.ts';
import { systemClock } from '../../../src/sys/clock.ts';
import { DockerInputRig } from '../../support/docker-input-rig.ts';
import type { FakeEngine } from '../../support/fake-engine.ts';
import { until } from '../../support/wait.ts';
import { idOf } from './registry/docker-folder.ts';

const ID = idOf('a');
const JSON_FILE = { driver: 'json-file', name: 'web' };
const LOST = 'lines of a container may be lost';

let engine: FakeEngine;
let rig: DockerInputRig;

beforeEach(async () => {
  rig = await DockerInputRig.open();
  ({ engine } = rig);
});

afterEach(() => rig.dispose());

const lossesSaid = (): string[] => rig.log.said('warn').filter((line) => line.includes(LOST));

/** Resolves when it is written down that the container ended and was read to its end. */
const isOver = (): Promise<unknown> =>
  until('the end of the container is kept', () => {
    rig.journal.commit();
    return rig.positions.get(`run/${ID}`)?.includes('"is_over":true') === true;
  });

describe('a container that logboom has read', () => {
  it('is read on from where it was when logboom first saw it, however long it is silent', async () => {
    await rig.folder.write(ID, JSON_FILE);
    await rig.write(ID, 'old');
    await rig.start();
    await rig.keeps(`log/${ID}`);
    await rig.stop();
    await rig.write(ID, 'while away');
    await rig.start();
    await rig.arrived('web while away');
  });

  it('is read from its first line if its log was not there when logboom first saw it', async () => {
    await rig.folder.write(ID, JSON_FILE);
    await rig.start();
    await rig.keeps(`log/${ID}`);
    await rig.write(ID, 'first');
    await rig.arrived('web first');
  });

  it('and that was removed while logboom was away is named, once for all starts', async () => {
    await rig.folder.write(ID, JSON_FILE);
    await rig.write(ID, 'read');
    await rig.start({ alive_ms: 0 });
    await rig.arrived('web read');
    await rig.stop();
    await rig.folder.remove(ID);

    await rig.start({ alive_ms: Date.parse('2026-11-23T07:00:00Z') });
    expect(rig.input?.figures().gaps).toEqual([
      {
        container: 'web',
        reason:
          'removed while logboom was away: what it wrote after 2026-11-23T07:00:00.000Z is gone',
        times: 1,
      },
    ]);
    expect(lossesSaid()).toHaveLength(1);
    await rig.stop();
    await rig.start();
    expect(lossesSaid()).toEqual([]);
  });

  it('and that was removed before its eyes is no loss at the next start', async () => {
    await rig.folder.write(ID, JSON_FILE);
    await rig.write(ID, 'read');
    await rig.start({ alive_ms: 0 });
    await rig.arrived('web read');
    await rig.folder.remove(ID);
    await rig.look(ID);
    await isOver();
    await rig.stop();
    await rig.start();
    expect(lossesSaid()).toEqual([]);
  });

  it('and that is removed before its eyes while it asks about another is no loss', async () => {
    const OTHER = idOf('b');
    await rig.folder.write(ID, JSON_FILE);
    await rig.folder.write(OTHER, { ...JSON_FILE, name: 'other' });
    await rig.start({ alive_ms: 0 });
    await rig.keeps(`run/${ID}`);
    await rig.keeps(`run/${OTHER}`);
    await rig.stop();
    await rig.folder.remove(ID);

    const folders = new DiskContainerFolders(rig.folder.path);
    const registry = new ContainerRegistry({ folders, clock: systemClock, log: rig.log });
    await registry.start();
    const containers: ContainerSource = {
      all: () => registry.all(),
      get: (id) => registry.get(id),
      rescan: (id) => registry.rescan(id),
      subscribe: (events) => registry.subscribe(events),
      isGone: async (id) => {
        if (registry.get(OTHER) !== undefined) {
          await rig.folder.remove(OTHER);
          await registry.rescan(OTHER);
        }
        return registry.isGone(id);
      },
    };
    await rig.start({ containers });
    await registry.close();
    expect(registry.get(OTHER)).toBeUndefined();
    expect(rig.input?.figures().gaps.map(({ container }) => container)).toEqual(['web']);
  });

  it('and that is left out by now is no loss, however it was removed', async () => {
    const left_out = { config: { exclude: [{ name: 'w*' }] } };
    const [BEFORE, AWAY] = [idOf('b'), idOf('c')] as [string, string];
    for (const id of [BEFORE, AWAY]) await rig.folder.write(id, { ...JSON_FILE, name: 'w' });
    await rig.start({ alive_ms: 0 });
    for (const id of [BEFORE, AWAY]) await rig.keeps(`run/${id}`);
    await rig.stop();
    await rig.start(left_out);
    await rig.folder.remove(BEFORE);
    await rig.look(BEFORE);
    await rig.stop();
    await rig.folder.remove(AWAY);
    await rig.start(left_out);
    expect(lossesSaid()).toEqual([]);
  });

  it('and that was left out for a while is missed when it is removed later', async () => {
    await rig.folder.write(ID, JSON_FILE);
    await rig.start({ alive_ms: 0 });
    await rig.keeps(`run/${ID}`);
    await rig.stop();
    await rig.start({ config: { exclude: [{ name: 'web' }] } });
    await rig.stop();
    await rig.start();
    await rig.stop();
    await rig.folder.remove(ID);
    await rig.start();
    expect(lossesSaid()).toHaveLength(1);
  });

  it.each(['json-file', 'fluentd'])(
    'and that had ended and was read to its end is no loss when it is removed (%s)',
    async (driver) => {
      await rig.folder.write(ID, { name: 'web', driver });
      if (driver === 'json-file') await rig.write(ID, 'read');
      await rig.start({ alive_ms: 0 });
      await rig.keeps(`run/${ID}`);
      await rig.folder.write(ID, { name: 'web', driver, running: false });
      await rig.look(ID);
      await isOver();
      await rig.stop();
      await rig.folder.remove(ID);
      await rig.start();
      expect(lossesSaid()).toEqual([]);
    },
  );

  it('and that had ended and was read through the Engine is no loss when it is removed', async () => {
    const web = engine.add('a', 'web');
    web.running = false;
    await rig.start({ from: 'engine', alive_ms: 0 });
    await isOver();
    await rig.stop();
    engine.containers.clear();
    await rig.start({ from: 'engine' });
    expect(lossesSaid()).toEqual([]);
  });

  it('and that had ended, but was started again, is missed when it is removed', async () => {
    await rig.folder.write(ID, { ...JSON_FILE, running: false });
    await rig.start({ alive_ms: 0 });
    await isOver();
    await rig.stop();
    await rig.folder.write(ID, { ...JSON_FILE, started_at: '2026-11-23T07:00:00Z' });
    await rig.start();
    await rig.stop();
    await rig.folder.remove(ID);
    await rig.start();
    expect(lossesSaid()).toHaveLength(1);
  });

  it('is not called removed while nobody can tell', async () => {
    engine.add('a', 'web');
    await rig.start({ from: 'engine' });
    await rig.keeps(`api/${ID}`);
    await rig.stop();
    await engine.goAway();
    await rig.start({ from: 'engine' });
    expect(lossesSaid()).toEqual([]);
    await rig.stop();
    engine.containers.clear();
    await engine.listen();
    await rig.start({ from: 'engine' });
    expect(lossesSaid().join()).toContain('removed while logboom was away');
  });
});

describe('what can be lost whatever logboom does', () => {
  it('is said by name, once, also when the container changes', async () => {
    const options = {
      'fluentd-async': 'true',
      'fluentd-buffer-limit': '100',
      'cache-disabled': '1',
    };
    await rig.folder.write(ID, { name: 'web', options });
    await rig.start();
    const said = lossesSaid();
    expect(said).toHaveLength(2);
    expect(said[0]).toMatch(/"web".*beyond 100 queued/);
    expect(said[1]).toMatch(/"web".*cache is off/);
    await rig.folder.write(ID, { name: 'web', options, running: false });
    await rig.look(ID);
    expect(lossesSaid()).toHaveLength(2);
    expect(rig.input?.figures().gaps.map(({ times }) => times)).toEqual([1, 1]);
  });

  it('is not said of a queue as large as by default, which nothing was seen to overflow', async () => {
    await rig.folder.write(ID, { options: { 'fluentd-async': 'true' } });
    await rig.start();
    expect(lossesSaid()).toEqual([]);
    expect(rig.input?.figures().gaps).toEqual([]);
  });

  it('is not said of a container that sends elsewhere, or is left out', async () => {
    const options = {
      'fluentd-async': 'true',
      'fluentd-buffer-limit': '100',
      'fluentd-address': 'elsewhere:24224',
    };
    await rig.folder.write(ID, { options });
    const labels = { 'logboom.enable': 'false' };
    await rig.folder.write(idOf('b'), { labels, options: { mode: 'non-blocking' } });
    await rig.start();
    expect(lossesSaid()).toEqual([]);
  });

  it('is what a stream loses where its cache is known to the Engine only', async () => {
    const web = engine.add('a', 'web');
    web.log_driver = 'fluentd';
    await rig.start({ from: 'engine' });
    expect(lossesSaid().join()).toMatch(/"web".*give docker.root/);
    expect(engine.requests.some((request) => request.includes('/logs'))).toBe(false);
  });
});

describe('a tag with the name of the host', () => {
  const TAG = { tag: '{{.Hostname}}.{{.Name}}' };

  it("takes this system's where logboom runs on the host itself", async () => {
    await rig.folder.write(ID, JSON_FILE);
    await rig.write(ID, 'hi');
    await rig.start({ config: TAG, alive_ms: 0 });
    await rig.arrived('here.web hi');
  });

  it("is refused by name in a container, whose own name says nothing of the host's", async () => {
    await rig.folder.write(ID, JSON_FILE);
    await rig.start({ config: TAG, own_id: idOf('f') });
    expect(rig.log.said('warn').join()).toMatch(/not read.*web.*docker.hostname/);
    await rig.stop();
    await rig.write(ID, 'hi');
    await rig.start({ config: { ...TAG, hostname: 'given' }, own_id: idOf('f'), alive_ms: 0 });
    await rig.arrived('given.web hi');
  });
});
