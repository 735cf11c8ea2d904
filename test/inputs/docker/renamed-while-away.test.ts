import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Entry } from '../../support/docker-entries.ts';
import { DockerRig } from './docker-rig.ts';
import { idOf } from './registry/docker-folder.ts';

const ID = idOf('a');
const RESTARTED_AT = '2026-11-23T07:00:00.25Z';
const RESTARTED_S = Math.floor(Date.parse(RESTARTED_AT) / 1000);

/** A line so many seconds after the second in which the container was started again. */
const line = (log: string, since_restart_s: number): Entry => ({
  source: 'stdout',
  log: Buffer.from(log),
  time_s: RESTARTED_S + since_restart_s,
  time_ns: 1,
});

let rig: DockerRig;

beforeEach(async () => {
  rig = await DockerRig.create();
});

afterEach(() => rig.dispose());

describe.each(['json-file', 'local', 'fluentd'] as const)(
  'a container of %s that is renamed and started again while logboom is away',
  (driver) => {
    const options = { tag: 'docker.{{.Name}}' };
    const write = (...entries: Entry[]): Promise<void> => {
      if (driver === 'json-file') return rig.writeJsonFile(ID, ...entries);
      return driver === 'local' ? rig.writeLocal(ID, ...entries) : rig.writeCache(ID, ...entries);
    };

    /** It is read under its first name; then what is left of that run is written. */
    async function leave(): Promise<void> {
      await rig.docker.write(ID, { driver, options, name: 'old' });
      await write(line('read', -300));
      await rig.start();
      await rig.lines(1);
      await rig.stop();
      await write(line('unread', -200), line('last', -1));
    }

    const startAgain = (name: string): Promise<void> =>
      rig.docker.write(ID, { driver, options, name, started_at: RESTARTED_AT });

    it('keeps its name for the lines of the run before', async () => {
      await leave();
      await startAgain('new');
      await write(line('first', 0), line('second', 60));
      await rig.start();
      await rig.lines(5);
      expect(rig.journaled()).toEqual([
        ['docker.old', 'read'],
        ['docker.old', 'unread'],
        ['docker.old', 'last'],
        ['docker.new', 'first'],
        ['docker.new', 'second'],
      ]);
    });

    it('does not get the old name back when the clock is set back in its new run', async () => {
      await leave();
      await startAgain('new');
      await write(line('first', 0), line('clock set back', -250));
      await rig.start();
      await rig.lines(5);
      await rig.stop();
      await write(line('still', -240));
      await rig.start();
      await rig.lines(6);
      expect(rig.journaled().slice(3)).toEqual([
        ['docker.new', 'first'],
        ['docker.new', 'clock set back'],
        ['docker.new', 'still'],
      ]);
    });
  },
);
