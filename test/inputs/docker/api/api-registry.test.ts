import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ApiRegistry } from '../../../../src/inputs/docker/api/api-registry.ts';
import { EngineApi } from '../../../../src/inputs/docker/api/engine-api.ts';
import { FakeEngine } from '../../../support/fake-engine.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { RecordingLog } from '../../../support/recording-log.ts';
import { until } from '../../../support/wait.ts';

describe('the registry over the Engine API', () => {
  let engine: FakeEngine;
  let clock: ManualClock;
  let log: RecordingLog;
  let registry: ApiRegistry;
  let told: string[];

  beforeEach(async () => {
    engine = await FakeEngine.start();
    clock = new ManualClock();
    log = new RecordingLog();
    const endpoint = { url: 'unix://fake', socketPath: engine.socket_path };
    const api = new EngineApi(endpoint, clock);
    registry = new ApiRegistry({ api, clock, log });
    told = [];
    registry.subscribe({
      added: ({ name }) => void told.push(`added ${name}`),
      changed: (now, before) => {
        told.push(`changed ${before.name} ${before.running} to ${now.name} ${now.running}`);
      },
      removed: ({ name }) => void told.push(`removed ${name}`),
    });
  });

  afterEach(async () => {
    await registry.stop();
    await engine.dispose();
  });

  const names = (): string[] => registry.all().map(({ name }) => name);
  const tells = (what: string) => until(`told: ${what}`, () => told.includes(what));

  /** Resolves when a new attempt waits for its time, and nothing else does. */
  async function breakStreams(): Promise<void> {
    engine.breakStreams();
    await until('the break is seen', () => !registry.connected);
  }

  /** Resolves when the minute's look has made so many calls: the list, then the looks. */
  async function lookAtAll(calls_count: number): Promise<void> {
    const before = engine.requests.length;
    clock.advance(60_000);
    await until('it goes on', () => engine.requests.length >= before + calls_count);
  }

  /** From now on answers are made, but not sent; `send` sends them. */
  function holdAnswers(): { held_count: number; send: () => void } {
    const held = { held_count: 0, send: (): void => {} };
    const sent = new Promise<void>((resolve) => {
      held.send = resolve;
    });
    engine.afterLook = () => {
      held.held_count++;
      return sent;
    };
    return held;
  }

  it('knows all containers when it has started', async () => {
    engine.add('a', 'web');
    engine.add('b', 'db').running = false;
    await registry.start();
    expect(names()).toEqual(['web', 'db']);
    expect(registry.get('b'.repeat(64))?.running).toBe(false);
    expect(registry.connected).toBe(true);
  });

  it('follows containers from creation to removal by their events', async () => {
    await registry.start();
    const web = engine.add('a', 'web');
    web.running = false;
    engine.emit('create', web);
    await tells('added web');
    web.running = true;
    engine.emit('start', web);
    await tells('changed web false to web true');
    web.name = 'www';
    engine.emit('rename', web);
    await tells('changed web true to www true');
    engine.containers.delete(web.id);
    engine.emit('destroy', web);
    await tells('removed www');
    expect(told).toHaveLength(4);
    expect(names()).toEqual([]);
  });

  it('finds what happened while the events were broken off', async () => {
    const web = engine.add('a', 'web');
    const old = engine.add('b', 'old');
    await registry.start();
    await breakStreams();
    web.started_at = '2026-11-23T07:00:00Z';
    engine.containers.delete(old.id);
    engine.add('c', 'new');
    clock.advance(60_000);
    await tells('added new');
    await tells('removed old');
    await tells('changed web true to web true');
    expect(log.said('warn')[0]).toContain('the Docker Engine API is not available');
  });

  it('names a container that came and went while the events were broken off', async () => {
    const web = engine.add('a', 'web');
    await registry.start();
    engine.emit('start', web);
    await until('a second look', () => engine.requests.filter(isInspect).length >= 2);
    await breakStreams();
    const brief = engine.add('d', 'brief');
    engine.emit('create', brief);
    engine.containers.delete(brief.id);
    clock.advance(60_000);
    await until('it is missed', () => registry.missed_count === 1);
    const said = log.said('warn').find((line) => line.includes('gone before'));
    expect(said).toContain('"name":"brief"');
  });

  it('finds by the list what no event told', async () => {
    const web = engine.add('a', 'web');
    await registry.start();
    web.running = false;
    clock.advance(60_000);
    await tells('changed web true to web false');
  });

  it('finds a run that was over before anybody looked, though no event told of it', async () => {
    const job = engine.add('a', 'job');
    job.running = false;
    await registry.start();
    job.started_at = '2026-11-23T07:00:00Z';
    clock.advance(60_000);
    await tells('changed job false to job false');
  });

  it('starts without an Engine, and goes on when there is one', async () => {
    await engine.goAway();
    await registry.start();
    expect(registry.connected).toBe(false);
    engine.add('a', 'web');
    await engine.listen();
    // Once: what is asked when the attempt has begun has a time limit by the same clock.
    clock.advance(30_000);
    await until('it is connected', () => registry.connected);
    expect(names()).toEqual(['web']);
  });

  it('knows the others when one cannot be inspected', async () => {
    engine.add('a', 'stuck').hangs = true;
    engine.add('b', 'web');
    const started = registry.start();
    await tells('added web');
    clock.advance(60_000);
    await started;
    expect(names()).toEqual(['web']);
    expect(log.said('warn').join()).toContain('the Engine does not tell about a container');
  });

  it('looks at others at once while the look at all of them is held up', async () => {
    for (const digit of '01234567') engine.add(digit, `stuck-${digit}`);
    const last = engine.add('8', 'last');
    await registry.start();
    for (const container of engine.containers.values()) container.hangs = container !== last;
    await lookAtAll(3);
    last.running = false;
    expect((await registry.rescan(last.id))?.running).toBe(false);
    engine.emit('start', engine.add('9', 'job'));
    await tells('added job');
  });

  it('keeps a container that came while the list was made', async () => {
    const old = engine.add('a', 'old');
    await registry.start();
    const answers = holdAnswers();
    await lookAtAll(1);
    engine.afterLook = undefined;
    old.running = false;
    engine.emit('start', engine.add('b', 'web'));
    await tells('added web');
    answers.send();
    await tells('changed old true to old false');
    expect(told).not.toContain('removed web');
    expect(names()).toEqual(['old', 'web']);
  });

  it('does not bring back a container that was destroyed while it was looked at', async () => {
    const web = engine.add('a', 'web');
    await registry.start();
    const answers = holdAnswers();
    const looked_at = registry.rescan(web.id);
    await until('an answer is held', () => answers.held_count === 1);
    engine.containers.delete(web.id);
    engine.emit('destroy', web);
    await tells('removed web');
    answers.send();
    expect(await looked_at).toBeUndefined();
    expect(told).toEqual(['added web', 'removed web']);
  });

  it('does not bring back one either that the list has shown to be gone', async () => {
    const web = engine.add('a', 'web');
    await registry.start();
    clock.advance(55_000);
    const answers = holdAnswers();
    const looked_at = registry.rescan(web.id);
    await until('an answer is held', () => answers.held_count === 1);
    engine.afterLook = undefined;
    engine.containers.delete(web.id);
    // Less than the time limit of the look under way.
    clock.advance(5000);
    await tells('removed web');
    answers.send();
    expect(await looked_at).toBeUndefined();
    expect(told).toEqual(['added web', 'removed web']);
  });

  it('connects again at once when the events end during a look at all containers', async () => {
    for (const digit of '0123') engine.add(digit, `stuck-${digit}`);
    await registry.start();
    for (const container of engine.containers.values()) container.hangs = true;
    await lookAtAll(3);
    engine.endEvents();
    await until('the end is seen', () => log.said('warn').length > 0);
    expect(registry.connected).toBe(false);
    for (const container of engine.containers.values()) container.hangs = false;
    clock.advance(30_000);
    await until('it is connected', () => registry.connected);
    expect(log.said('warn')).toEqual([expect.stringContaining('ended the stream of events')]);
  });

  it('looks at one container when asked to', async () => {
    await registry.start();
    const web = engine.add('a', 'web');
    expect((await registry.rescan(web.id))?.name).toBe('web');
    expect(await registry.rescan('f'.repeat(64))).toBeUndefined();
  });
});

const isInspect = (path: string): boolean => path.startsWith('/containers/a');
