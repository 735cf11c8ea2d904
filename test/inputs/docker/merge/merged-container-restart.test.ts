import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../../../../src/limits.ts';
import { line, lines, logs, MergeRig } from '../../../support/docker/merge-rig.ts';

const { merge_owed_max_lines } = LIMITS;

let rig: MergeRig;

beforeEach(() => {
  rig = new MergeRig();
});

afterEach(async () => {
  await rig.close();
});

describe('between the search for a line and its verdict', () => {
  beforeEach(() => {
    // Longer than a line of the cache waits for the stream.
    rig.cache.close_turns = 300;
  });

  it('the cache is not judged while the lines that are owed are read again', async () => {
    rig.cache.append(...lines(1, 5));
    await rig.open();
    rig.journal.commit();
    await rig.restart();
    rig.cache.onClosing = () => {
      rig.cache.onClosing = () => {};
      rig.cache.append(line(6));
    };
    await rig.timeOf(rig.connect().send(line(6)));
    await rig.pass(1000);
    expect(rig.committed()).toEqual(logs(1, 6));
  });

  it('the cache is not judged after the line was looked for on disk in vain', async () => {
    const owed = merge_owed_max_lines + 10;
    rig.cache.append(...lines(1, owed));
    await rig.open();
    rig.journal.commit();
    await rig.restart();
    const next = owed + 1;
    let closings = 0;
    rig.cache.onClosing = () => {
      closings++;
      // Two have tried to fill the memory; the third has looked at all that lies behind it.
      if (closings === 3) rig.cache.append(line(next));
    };
    await rig.timeOf(rig.connect().send(line(next), { waits: false }));
    await rig.pass(1000);
    expect(closings).toBe(3);
    const all = rig.committed();
    expect(all).toHaveLength(next);
    expect(new Set(all).size).toBe(next);
  }, 60_000);
});

describe('a container after a restart of the relay', () => {
  it('is read on from where its cache was journaled', async () => {
    rig.cache.append(...lines(1, 3));
    await rig.open();
    rig.journal.commit();
    rig.cache.append(...lines(4, 5));
    await rig.restart();
    expect(rig.committed()).toEqual(logs(1, 5));
  });

  it('has its lines dropped that the stream brings again', async () => {
    rig.cache.append(...lines(1, 30));
    await rig.open();
    rig.journal.commit();
    await rig.restart();
    const connection = rig.connect();
    for (const again of lines(1, 32)) await rig.timeOf(connection.send(again));
    expect(rig.committed()).toEqual(logs(1, 32));
    expect(rig.merged.figures.dropped_doubled).toBe(30);
  });

  it('has lines dropped that lie behind all that memory holds', async () => {
    const owed = merge_owed_max_lines + 3000;
    rig.cache.append(...lines(1, owed));
    await rig.open();
    rig.journal.commit();
    await rig.restart();
    const connection = rig.connect();
    for (const again of [1, 2, owed - 2, owed - 1, owed]) {
      const sent = connection.send(line(again), { waits: false });
      await rig.timeOf(sent);
      await expect(sent, `line ${again}`).resolves.toBe(false);
    }
    await rig.timeOf(connection.send(line(owed + 1)));
    expect(rig.committed()).toHaveLength(owed + 1);
    expect(rig.cache.readers_open).toBe(1);
  }, 60_000);

  it('has what was streamed before left out of its cache', async () => {
    await rig.open();
    const connection = rig.connect();
    for (const one of lines(1, 3)) await rig.timeOf(connection.send(one));
    rig.journal.commit();
    await rig.restart();
    rig.cache.append(...lines(1, 4));
    await rig.pass(1000);
    expect(rig.committed()).toEqual(logs(1, 4));
  });

  it('begins at the end of its cache if that was chosen, and stays there before a line has come', async () => {
    rig.cache.append(...lines(1, 3));
    await rig.open('newest');
    rig.journal.commit();
    await rig.close();
    rig.cache.append(line(4));
    await rig.open('newest');
    expect(rig.committed()).toEqual(['line 4']);
  });
});
