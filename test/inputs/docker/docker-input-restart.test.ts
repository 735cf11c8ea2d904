import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { line, lines, logs } from '../../support/docker/merge-rig.ts';
import type { Entry } from '../../support/docker-entries.ts';
import { until } from '../../support/wait.ts';
import { ALIVE_SINCE_MS, DockerRig } from './docker-rig.ts';
import { idOf } from './registry/docker-folder.ts';

const [A, B, C] = ['a', 'b', 'c'].map(idOf) as [string, string, string];

let rig: DockerRig;

beforeEach(async () => {
  rig = await DockerRig.create();
});

afterEach(() => rig.dispose());

describe.each(['json-file', 'fluentd'] as const)(
  'the first contact with a container of %s',
  (driver) => {
    const write = (...entries: Entry[]): Promise<void> =>
      driver === 'fluentd' ? rig.writeCache(A, ...entries) : rig.writeJsonFile(A, ...entries);

    beforeEach(async () => {
      await rig.docker.write(A, { driver });
      await write(...lines(1, 3));
    });

    it('reads all of one that was started since logboom was last alive', async () => {
      await rig.start();
      expect(await rig.lines(3)).toEqual(logs(1, 3));
      expect(rig.log.said('info').join()).toMatch(/a new container is read.*"oldest"/);
    });

    it('begins at the end of an older one', async () => {
      await rig.start({ alive_ms: ALIVE_SINCE_MS });
      const [key] = [...rig.input.keysAlive()];
      await until('its place', () => {
        rig.journal.commit();
        return driver === 'fluentd' ? rig.merges.get(A) : rig.positions.get(key ?? '');
      });
      await write(line(4));
      expect(await rig.lines(1)).toEqual(['line 4']);
      expect(rig.log.said('info').join()).toMatch(/a new container is read.*"newest"/);
    });

    it('reads all of an older one, too, if it is told so', async () => {
      await rig.start({ alive_ms: ALIVE_SINCE_MS, config: { start_at: 'oldest' } });
      expect(await rig.lines(3)).toEqual(logs(1, 3));
    });

    it('is not made twice: what is written while logboom is away is read', async () => {
      await rig.start({ alive_ms: ALIVE_SINCE_MS });
      const [key] = [...rig.input.keysAlive()];
      await until('its place', () => {
        rig.journal.commit();
        return driver === 'fluentd' ? rig.merges.get(A) : rig.positions.get(key ?? '');
      });
      await rig.stop();
      await write(line(4));
      await rig.start({ alive_ms: ALIVE_SINCE_MS });
      expect(await rig.lines(1)).toEqual(['line 4']);
      await write(line(5));
      expect(await rig.lines(2)).toEqual(['line 4', 'line 5']);
    });
  },
);

describe('a restart', () => {
  it('reads on where each log was left, and nothing twice', async () => {
    await rig.docker.write(A, { driver: 'json-file', name: 'a' });
    await rig.docker.write(B, { driver: 'local', name: 'b' });
    await rig.docker.write(C, { driver: 'fluentd', name: 'c' });
    const write = async (...entries: Entry[]): Promise<void> => {
      await rig.writeJsonFile(A, ...entries);
      await rig.writeLocal(B, ...entries);
      await rig.writeCache(C, ...entries);
    };
    await write(...lines(1, 5));
    for (let round = 1; round <= 3; round++) {
      await rig.start();
      await rig.lines(15 * round);
      await rig.stop();
      // What was not committed is read again.
      rig.journal.fail(new Error('killed'));
      await write(...lines(5 * round + 1, 5 * round + 5));
    }
    await rig.start();
    await rig.lines(60);
    for (const tag of ['docker.a', 'docker.b', C.slice(0, 12)]) {
      const of_one = rig.journaled().filter((event) => event[0] === tag);
      expect(of_one.map(([, log]) => log)).toEqual(logs(1, 20));
    }
  });
});
