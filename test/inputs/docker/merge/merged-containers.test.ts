import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MERGE_SPACE, MergeStates } from '../../../../src/inputs/docker/merge/merge-states.ts';
import type { MergedContainer } from '../../../../src/inputs/docker/merge/merged-container.ts';
import { MergedContainers } from '../../../../src/inputs/docker/merge/merged-containers.ts';
import { StreamedLine, streamKey } from '../../../../src/inputs/docker/records/streamed-line.ts';
import type { Container } from '../../../../src/inputs/docker/types.ts';
import { LocalFormat } from '../../../../src/inputs/logfile/formats/local.ts';
import { MemoryCache, turns } from '../../../support/docker/memory-cache.ts';
import { line, lines } from '../../../support/docker/merge-rig.ts';
import { driverBody, type Entry } from '../../../support/docker-entries.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { MemoryJournal } from '../../../support/memory-journal.ts';
import { RecordingLog } from '../../../support/recording-log.ts';
import { containerWith } from '../containers.ts';
import { idOf } from '../registry/docker-folder.ts';

const LIMITS = { containers_max: 2, lines_max: 10 };
const IDENTITY = { container_name: '/web', tag: 'web', extra: {}, sub_second: true };

const [A, B, C] = ['a', 'b', 'c'].map((digit) => containerWith({ id: idOf(digit) })) as [
  Container,
  Container,
  Container,
];

let states: MergeStates;
let journal: MemoryJournal;
let merged: MergedContainers;
let evicted: [id: string, lines: number][];
const clock = new ManualClock();
/** What each one's cache holds. */
let caches: Map<string, Entry[]>;

beforeEach(() => {
  states = new MergeStates();
  journal = new MemoryJournal({ automatic: false, spaces: [[MERGE_SPACE, states]] });
  evicted = [];
  caches = new Map();
  merged = new MergedContainers(
    {
      ...{ journal, states, clock, log: new RecordingLog(), format: new LocalFormat() },
      openCache: (container, from) => {
        const cache = new MemoryCache();
        cache.append(...(caches.get(container.id) ?? []));
        return cache.open(from);
      },
      identityAt: ({ id }) => ({ container_id: id, ...IDENTITY }),
      passed: () => {},
      onEvicted: ({ id }, kept_lines) => evicted.push([id, kept_lines]),
    },
    LIMITS,
  );
});

afterEach(() => merged.stop());

/** Has a container come, and write so many lines that only its cache shows. */
async function comes(container: Container, lines_count: number): Promise<MergedContainer> {
  caches.set(container.id, lines(1, lines_count));
  const opened = await merged.open(container, 'oldest', true);
  await turns();
  return opened;
}

async function comesAndGoes(container: Container, lines_count: number): Promise<void> {
  await comes(container, lines_count);
  await merged.finish(container.id);
  journal.commit();
}

const known = (): string[] => merged.all().map(({ id }) => id);

describe('containers that are gone', () => {
  it('have what their stream brings late compared all the same', async () => {
    await comesAndGoes(A, 5);
    const container = await merged.open(A, 'oldest', true);
    const streamed = new StreamedLine();
    const body = driverBody(line(3), { container_id: A.id, sub_second: true });
    streamed.read(body, 0, body.length);
    const decide = await container.search(streamed.source, streamKey(streamed), false);
    expect(decide()).toBe(false);
    expect(evicted).toEqual([]);
  });

  it('are kept up to a number of them, those that went last', async () => {
    await comesAndGoes(A, 0);
    await comesAndGoes(B, 0);
    await comesAndGoes(C, 0);
    expect(known()).toEqual([B.id, C.id]);
    journal.commit();
    expect([...states.ids()]).toEqual([B.id, C.id]);
    expect(evicted).toEqual([[A.id, 0]]);
  });

  it('are kept up to a number of lines, and it is told how many were let go of', async () => {
    await comesAndGoes(A, 6);
    await comesAndGoes(B, 5);
    expect(known()).toEqual([B.id]);
    expect(evicted).toEqual([[A.id, 6]]);
  });

  it('are kept while they have a connection', async () => {
    const container = await comes(A, 20);
    const endTurn = await container.connect();
    await merged.finish(A.id);
    expect(known()).toEqual([A.id]);
    endTurn();
    await comesAndGoes(B, 0);
    expect(known()).toEqual([B.id]);
  });

  it('do not count while they are there', async () => {
    for (const container of [A, B, C]) await merged.open(container, 'oldest', true);
    await comesAndGoes(A, 0);
    expect(known()).toEqual([A.id, B.id, C.id]);
  });
});
