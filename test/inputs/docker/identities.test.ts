import { beforeEach, describe, expect, it } from 'vitest';
import { Identities, identityKey } from '../../../src/inputs/docker/identities.ts';
import type { StreamedIdentity } from '../../../src/inputs/docker/merge/stream-filter.ts';
import type { Container, Identity } from '../../../src/inputs/docker/types.ts';
import { POSITION_SPACE, Positions } from '../../../src/inputs/logfile/positions.ts';
import { driverBody } from '../../support/docker-entries.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryJournal } from '../../support/memory-journal.ts';
import { CONTAINER_ID, containerWith } from './containers.ts';

const OPTIONS = {
  host_name: 'host1',
  tag: 'docker.{{.Name}}',
  sub_second: true,
  labels: [],
  env: [],
  ecs: false,
};
const STARTED_S = 1_795_413_601;
const LOG_OPTIONS = { tag: 'docker.{{.Name}}', labels: 'team' };

let positions: Positions;
let journal: MemoryJournal;
let identities: Identities;

/** As after a restart of the relay. */
function begin(): Identities {
  identities = new Identities(OPTIONS, { journal, positions, clock: new ManualClock() });
  return identities;
}

beforeEach(() => {
  positions = new Positions();
  journal = new MemoryJournal({ automatic: false, spaces: [[POSITION_SPACE, positions]] });
  begin();
});

const web = (fields: Partial<Container> = {}): Container =>
  containerWith({
    labels: { team: 'x' },
    log_options: LOG_OPTIONS,
    started_ms: STARTED_S * 1000,
    ...fields,
  });

/** The next run of the container. */
const restarted = (fields: Partial<Container> = {}): Container =>
  web({ started_ms: (STARTED_S + 60) * 1000, ...fields });

function streamed(tag: string, container_name: string, more: object = {}): StreamedIdentity {
  const entry = {
    source: 'stdout',
    log: Buffer.from('hi'),
    time_s: STARTED_S,
    time_ns: 0,
    partial: { id: 'ab', ordinal: 1, last: false },
  } as const;
  const options = { container_id: CONTAINER_ID, container_name, sub_second: true };
  const body = driverBody(entry, { ...options, extra: { team: 'streamed', ...more } });
  return { container_id: CONTAINER_ID, tag: Buffer.from(tag), body, sub_second: true };
}

const nameAndTag = ({ container_name, tag }: Identity): string => `${container_name} ${tag}`;

describe("what a container's lines carry", () => {
  it('stays the same when the container is renamed', () => {
    const first = identities.of(web());
    expect(nameAndTag(first)).toBe('/web docker.web');
    expect(identities.of(web({ name: 'api' }))).toBe(first);
  });

  it('stays the same when the container is renamed while the relay is down', () => {
    const first = identities.of(web());
    journal.commit();
    begin();
    expect(identities.of(web({ name: 'api' }))).toEqual(first);
  });

  it('is forgotten with a commit that fails', () => {
    identities.of(web());
    journal.fail(new Error('killed'));
    begin();
    expect(nameAndTag(identities.of(web({ name: 'api' })))).toBe('/api docker.api');
  });

  it('is that of its name when it is started again', () => {
    identities.of(web());
    expect(nameAndTag(identities.of(restarted({ name: 'api' })))).toBe('/api docker.api');
    journal.commit();
    begin();
    expect(nameAndTag(identities.of(restarted({ name: 'other' })))).toBe('/api docker.api');
  });

  it('is what its stream shows, once there is one', () => {
    identities.of(web());
    const shown = identities.streamed(web(), streamed('docker.old', '/old'));
    expect(shown).toEqual({
      container_id: CONTAINER_ID,
      container_name: '/old',
      tag: 'docker.old',
      extra: { team: 'streamed' },
      sub_second: true,
    });
    expect(identities.of(web())).toBe(shown);
    expect(identities.streamed(web(), streamed('docker.new', '/new'))).toBe(shown);
    journal.commit();
    begin();
    expect(identities.of(web({ name: 'api' }))).toEqual(shown);
    expect(identities.streamed(web(), streamed('docker.new', '/new'))).toEqual(shown);
  });

  it('is what the stream of the next run shows', () => {
    identities.streamed(web(), streamed('docker.web', '/web'));
    const next = identities.streamed(restarted(), streamed('docker.api', '/api'));
    expect(nameAndTag(next)).toBe('/api docker.api');
  });

  it('lacks of a stream what belongs to single lines', () => {
    const { extra } = identities.streamed(web(), streamed('docker.web', '/web', { env: 'prod' }));
    expect(extra).toEqual({ team: 'streamed', env: 'prod' });
  });

  it('is not written down again while it stays the same', () => {
    identities.of(web());
    journal.commit();
    const before = positions.get(identityKey(CONTAINER_ID));
    identities.of(web({ name: 'api' }));
    begin().of(web({ name: 'api' }));
    journal.commit();
    expect(positions.get(identityKey(CONTAINER_ID))).toBe(before);
  });

  it('is told by name where its tag cannot be made as Docker makes it', () => {
    const container = web({ log_options: { tag: '{{range .ContainerLabels}}x{{end}}' } });
    expect(() => identities.of(container)).toThrow(
      expect.objectContaining({ code: 'LB_CONTAINER', where: expect.stringContaining('web') }),
    );
    expect(() => identities.of(container)).toThrow();
    expect(nameAndTag(identities.of(web()))).toBe('/web docker.web');
  });
});

describe('a line of the run before', () => {
  it('carries what that run carried', () => {
    const before = identities.of(web());
    const container = restarted({ name: 'api' });
    identities.of(container);
    expect(identities.at(container, STARTED_S + 30)).toBe(before);
    expect(nameAndTag(identities.at(container, STARTED_S + 60))).toBe('/api docker.api');
  });

  it('carries it too when the container was started again while the relay was down', () => {
    const before = identities.of(web());
    journal.commit();
    begin();
    const container = restarted({ name: 'api' });
    expect(nameAndTag(identities.of(container))).toBe('/api docker.api');
    expect(identities.at(container, STARTED_S + 30)).toEqual(before);
  });

  it('carries it too when it is the first that is asked about since the new start', () => {
    identities.of(web());
    journal.commit();
    begin();
    const container = restarted({ name: 'api' });
    expect(nameAndTag(identities.at(container, STARTED_S + 30))).toBe('/web docker.web');
    expect(nameAndTag(identities.of(container))).toBe('/api docker.api');
  });

  it('comes no more once one of the new run was passed: the clock was set back', () => {
    identities.of(web());
    const container = restarted({ name: 'api' });
    identities.of(container);
    identities.passed(container, STARTED_S + 59);
    expect(nameAndTag(identities.at(container, STARTED_S + 30))).toBe('/web docker.web');
    identities.passed(container, STARTED_S + 60);
    expect(nameAndTag(identities.at(container, STARTED_S + 30))).toBe('/api docker.api');
    journal.commit();
    begin();
    expect(nameAndTag(identities.at(container, STARTED_S + 30))).toBe('/api docker.api');
  });

  it('carries what is known of the container when no run before was seen', () => {
    expect(nameAndTag(identities.at(web(), STARTED_S - 3600))).toBe('/web docker.web');
  });

  it('is known by its second: what was written in that of the start is of the new run', () => {
    identities.of(web());
    const container = restarted({ name: 'api', started_ms: (STARTED_S + 60) * 1000 + 500 });
    identities.of(container);
    expect(nameAndTag(identities.at(container, STARTED_S + 59))).toBe('/web docker.web');
    expect(nameAndTag(identities.at(container, STARTED_S + 60))).toBe('/api docker.api');
  });
});

describe('containers whose end was not seen', () => {
  it('are known by name after a restart, until their end is written down', () => {
    identities.of(web());
    journal.commit();
    begin();
    expect(identities.unfinished()).toEqual([{ id: CONTAINER_ID, name: 'web' }]);
    identities.finish(CONTAINER_ID);
    expect(identities.unfinished()).toEqual([]);
    journal.commit();
    expect(begin().unfinished()).toEqual([]);
  });

  it('are known again when they go on', () => {
    identities.of(web());
    identities.finish(CONTAINER_ID);
    identities.of(restarted());
    journal.commit();
    expect(begin().unfinished()).toEqual([{ id: CONTAINER_ID, name: 'web' }]);
  });
});
