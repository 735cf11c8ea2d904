import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeEvents } from '../../../src/protocol/event.ts';
import { driverMessage } from '../../support/docker/driver-message.ts';
import { line, lines, logs } from '../../support/docker/merge-rig.ts';
import type { Entry } from '../../support/docker-entries.ts';
import { until } from '../../support/wait.ts';
import { DockerRig } from './docker-rig.ts';
import { idOf } from './registry/docker-folder.ts';

const [A, B, C] = ['a', 'b', 'c'].map(idOf) as [string, string, string];

let rig: DockerRig;

beforeEach(async () => {
  rig = await DockerRig.create();
});

afterEach(() => rig.dispose());

const message = (entry: Entry, id: string): Buffer =>
  driverMessage(entry, { container_id: id, container_name: '/web', tag: id.slice(0, 12) });

describe('a container of the json-file driver', () => {
  it('has its lines journaled as the fluentd driver would have sent them', async () => {
    await rig.docker.write(A, { driver: 'json-file', options: { labels: 'tier' } });
    await rig.writeJsonFile(A, line(1, 'stderr'));
    await rig.start();
    await rig.lines(1);
    const [record] = rig.journal.records;
    expect(record?.tag).toBe('docker.web');
    expect(
      [...decodeEvents([record?.body ?? Buffer.alloc(0)])].map((event) => event.record),
    ).toEqual([
      {
        container_id: A,
        container_name: '/web',
        source: 'stderr',
        log: 'line 1',
        tier: 'front',
      },
    ]);
  });

  it('is followed as its log grows, from its first line on when it comes later', async () => {
    await rig.start({ alive_ms: 0 });
    await rig.docker.write(A, { driver: 'json-file' });
    await rig.writeJsonFile(A, ...lines(1, 2));
    expect(await rig.lines(2)).toEqual(logs(1, 2));
    await rig.writeJsonFile(A, ...lines(3, 4));
    expect(await rig.lines(4)).toEqual(logs(1, 4));
  });

  it('is read to its end when it is removed', async () => {
    await rig.docker.write(A, { driver: 'json-file' });
    await rig.writeJsonFile(A, line(1));
    await rig.start();
    await rig.lines(1);
    await rig.writeJsonFile(A, ...lines(2, 100));
    await rig.docker.remove(A);
    expect(await rig.lines(100)).toEqual(logs(1, 100));
    await until('its end', () => rig.input.containers().followed.length === 0);
  });

  it('keeps its tag when it is renamed', async () => {
    await rig.docker.write(A, { driver: 'json-file', name: 'web' });
    await rig.writeJsonFile(A, line(1));
    await rig.start();
    await rig.lines(1);
    await rig.docker.write(A, { driver: 'json-file', name: 'renamed' });
    await rig.stop();
    await rig.start();
    await rig.writeJsonFile(A, line(2));
    await rig.lines(2);
    expect(rig.journaled()).toEqual([
      ['docker.web', 'line 1'],
      ['docker.web', 'line 2'],
    ]);
  });

  it('is told by name when its tag cannot be made, and others are read', async () => {
    const tag = '{{range .ContainerLabels}}x{{end}}';
    await rig.docker.write(A, { driver: 'json-file', name: 'odd', options: { tag } });
    await rig.docker.write(B, { driver: 'json-file', name: 'web' });
    await rig.writeJsonFile(A, line(1));
    await rig.writeJsonFile(B, line(2));
    await rig.start();
    expect(await rig.lines(1)).toEqual(['line 2']);
    expect(rig.log.said('warn').join()).toMatch(/a container is not read.*"odd"/);
    expect(rig.input.figures().gaps).toMatchObject([{ container: 'odd' }]);
  });
});

describe('a container of the local driver', () => {
  it('is read from its own files', async () => {
    await rig.docker.write(A, { driver: 'local', name: 'web' });
    await rig.writeLocal(A, ...lines(1, 3));
    await rig.start();
    expect(await rig.lines(3)).toEqual(logs(1, 3));
    expect(rig.journal.records[0]?.tag).toBe('docker.web');
  });
});

describe('a container of the fluentd driver', () => {
  it('has all that its cache holds in the journal when the input has started', async () => {
    await rig.docker.write(A);
    await rig.writeCache(A, ...lines(1, 50));
    await rig.start();
    expect(rig.journaled()).toEqual(logs(1, 50).map((log) => [A.slice(0, 12), log]));
  });

  it('has its stream compared with its cache', async () => {
    await rig.docker.write(A);
    await rig.writeCache(A, ...lines(1, 3));
    await rig.start();
    const client = await rig.connect();
    client.send(Buffer.concat(lines(2, 4).map((one) => message(one, A))));
    await until('the messages', () => rig.messages_in === 3);
    await rig.writeCache(A, ...lines(4, 6));
    client.destroy();
    expect(await rig.lines(6)).toEqual(logs(1, 6));
    expect(rig.input.figures().merged['web']).toMatchObject({
      recovered: 5,
      dropped_doubled: 2,
      late: 0,
    });
  });

  it('is found by its stream when it was not known yet', async () => {
    await rig.start({ alive_ms: 0 });
    await rig.docker.write(A);
    await rig.writeCache(A, line(1));
    const client = await rig.connect();
    client.send(message(line(2), A));
    expect(await rig.lines(2)).toEqual(logs(1, 2));
    await rig.writeCache(A, ...lines(2, 3));
    client.destroy();
    expect(await rig.lines(3)).toEqual(logs(1, 3));
  });

  it('that sends elsewhere has its cache left alone, until its stream comes here', async () => {
    await rig.docker.write(A, { options: { 'fluentd-address': 'elsewhere:24224' } });
    await rig.writeCache(A, line(1));
    await rig.start();
    expect(rig.input.figures().merged).toEqual({});
    const client = await rig.connect();
    client.send(message(line(2), A));
    expect(await rig.lines(2)).toEqual(logs(1, 2));
  });

  it('whose cache is off is said so, once, by name, and passes', async () => {
    await rig.docker.write(A, { options: { 'cache-disabled': 'true' } });
    await rig.start();
    for (const number of [1, 2]) {
      const client = await rig.connect();
      client.send(message(line(number), A));
      await rig.lines(number);
    }
    const said = rig.log.said('warn').filter((text) => text.includes('cache-disabled'));
    expect(said).toHaveLength(1);
    expect(said[0]).toContain('"web"');
  });

  it('has its cache read to the end when it is removed', async () => {
    await rig.docker.write(A);
    await rig.writeCache(A, line(1));
    await rig.start();
    await rig.writeCache(A, ...lines(2, 100));
    await rig.docker.remove(A);
    expect(await rig.lines(100)).toEqual(logs(1, 100));
  });

  it('that is gone has what its stream still brings compared with what its cache held', async () => {
    await rig.docker.write(A);
    await rig.writeCache(A, ...lines(1, 3));
    await rig.start();
    await rig.docker.remove(A);
    await until('its end', () => !rig.input.isThere(A));
    const client = await rig.connect();
    client.send(Buffer.concat([message(line(3), A), message(line(4), A)]));
    await until('the messages', () => rig.messages_in === 2);
    expect(rig.journaled().map(([, log]) => log)).toEqual(logs(1, 4));
  });
});

describe('whose lines are read', () => {
  it('is for a label of the container, the configuration, and never the relay itself', async () => {
    const labels = { 'logboom.enable': 'false' };
    await rig.docker.write(A, { driver: 'json-file', name: 'out', labels });
    await rig.docker.write(B, { driver: 'json-file', name: 'relay' });
    await rig.docker.write(C, { driver: 'json-file', name: 'web' });
    const D = idOf('d');
    await rig.docker.write(D, { driver: 'json-file', name: 'db' });
    for (const id of [A, B, C, D]) await rig.writeJsonFile(id, line(1));
    await rig.start({ own_id: B, config: { exclude: [{ name: 'd*' }] } });
    expect(await rig.lines(1)).toEqual(['line 1']);
    expect(Object.keys(rig.input.figures().followed)).toEqual(['web']);
    expect(rig.journaled()).toEqual([['docker.web', 'line 1']]);
  });

  it('is for a label of a container whose stream comes here, too: it passes as it is', async () => {
    const labels = { 'logboom.enable': 'false' };
    await rig.docker.write(A, { labels });
    await rig.writeCache(A, line(1));
    await rig.start();
    const client = await rig.connect();
    client.send(Buffer.concat([message(line(1), A), message(line(1), A)]));
    expect(await rig.lines(2)).toEqual(['line 1', 'line 1']);
    expect(rig.input.figures().merged).toEqual({});
  });
});
