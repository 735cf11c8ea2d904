import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findOwnContainer } from '../../../src/inputs/docker/own-container.ts';
import {
  matchesGlob,
  type SelectionOptions,
  select,
} from '../../../src/inputs/docker/selection.ts';
import { CONTAINER_ID, containerWith } from './containers.ts';

const ALL: SelectionOptions = { include: [], exclude: [], own_id: undefined };

describe('which containers are read', () => {
  it('all, when nothing is said', () => {
    expect(select(containerWith(), ALL)).toEqual({ read: true, why: 'nothing excludes it' });
  });

  it.each([
    ['by name', { name: 'w*b' }, true],
    ['by another name', { name: 'we' }, false],
    ['by image', { image: '*/team/web:*' }, true],
    ['by the id of the image', { image: 'sha256:a1b2*' }, true],
    ['by a label', { label: 'tier' }, true],
    ['by the value of a label', { label: 'tier=front' }, true],
    ['by another value', { label: 'tier=back' }, false],
    ['by all that is given', { name: 'web', label: 'tier=back' }, false],
  ])('%s', (_how, pattern, fits) => {
    const container = containerWith({ labels: { tier: 'front' } });
    expect(select(container, { ...ALL, include: [pattern] }).read).toBe(fits);
    expect(select(container, { ...ALL, exclude: [pattern] }).read).toBe(!fits);
  });

  it('exclude wins over include, and says which', () => {
    const options = { ...ALL, include: [{ name: '*' }], exclude: [{ name: 'x' }, { name: 'web' }] };
    expect(select(containerWith(), options)).toEqual({
      read: false,
      why: 'docker.exclude[1] fits',
    });
  });

  it('the label of a container wins over both', () => {
    const [yes, no, odd] = ['true', 'false', 'ture'].map((value) =>
      containerWith({ labels: { 'logboom.enable': value } }),
    );
    if (yes === undefined || no === undefined || odd === undefined) throw new TypeError();
    expect(select(yes, { ...ALL, exclude: [{ name: '*' }] }).read).toBe(true);
    expect(select(no, { ...ALL, include: [{ name: '*' }] }).read).toBe(false);
    expect(select(odd, ALL)).toMatchObject({
      read: true,
      why: expect.stringContaining('neither true nor false'),
    });
  });

  it('never the relay itself, whatever its label says', () => {
    const own = containerWith({ labels: { 'logboom.enable': 'true' } });
    expect(select(own, { ...ALL, own_id: CONTAINER_ID })).toEqual({
      read: false,
      why: 'it is logboom itself',
    });
  });

  it('a star stands for any text, and everything else for itself', () => {
    const part = fc.stringMatching(/^[ab.*]{0,6}$/);
    fc.assert(
      fc.property(part, fc.stringMatching(/^[ab.]{0,8}$/), (glob, text) => {
        const regex = glob.replaceAll('.', '\\.').replaceAll('*', '.*');
        expect(matchesGlob(text, glob)).toBe(new RegExp(`^${regex}$`).test(text));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("the relay's own container", () => {
  const other = CONTAINER_ID.replace('4', '5');
  const traces = { hostname: 'host1', mountinfo: '', cgroup: '' };

  it('is found by what Docker mounts into it', () => {
    const mountinfo = `612 589 8:1 /var/lib/docker/containers/${CONTAINER_ID}/hostname /etc/hostname rw,relatime - ext4 /dev/sda1 rw\n`;
    expect(findOwnContainer({ ...traces, mountinfo }, [other, CONTAINER_ID])).toBe(CONTAINER_ID);
  });

  it('is not taken for one that is mounted into it', () => {
    const mountinfo = `612 589 8:1 /var/lib/docker/containers/${CONTAINER_ID} /logs/${CONTAINER_ID} ro - ext4 /dev/sda1 rw\n`;
    expect(findOwnContainer({ ...traces, mountinfo }, [CONTAINER_ID])).toBeUndefined();
  });

  it.each([`12:cpu:/docker/${CONTAINER_ID}\n`, `0::/system.slice/docker-${CONTAINER_ID}.scope\n`])(
    'is found by its control group %j',
    (cgroup) => {
      expect(findOwnContainer({ ...traces, cgroup }, [CONTAINER_ID])).toBe(CONTAINER_ID);
    },
  );

  it('is found by its host name, which begins its id', () => {
    const hostname = CONTAINER_ID.slice(0, 12);
    expect(findOwnContainer({ ...traces, hostname }, [other, CONTAINER_ID])).toBe(CONTAINER_ID);
    expect(findOwnContainer({ ...traces, hostname: '4f1a' }, [CONTAINER_ID])).toBeUndefined();
    expect(findOwnContainer(traces, [CONTAINER_ID])).toBeUndefined();
  });

  it('is none of an Engine that it does not run on', () => {
    const cgroup = `12:cpu:/docker/${CONTAINER_ID}\n`;
    expect(findOwnContainer({ ...traces, cgroup }, [other])).toBeUndefined();
  });
});
