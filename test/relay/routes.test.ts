import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ForwardOutput } from '../../src/outputs/forward/forward-output.ts';
import { ForwardSink } from '../support/forward-sink.ts';
import { RelayRig } from '../support/relay-rig.ts';

let rig: RelayRig;

beforeEach(async () => {
  rig = await RelayRig.open();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rig.dispose();
});

describe('events whose route was narrowed before they were sent', () => {
  const all = (): object => ({ sink: rig.toSink() });
  const narrow = (): object => ({ sink: rig.toSink({ match: 'app' }) });

  /** Two events under one tag and one under another wait for the sink, which is away. */
  async function backlog(): ReturnType<RelayRig['start']> {
    await rig.sink.stop();
    const relay = await rig.start(all());
    const client = await rig.client(relay);
    for (const tag of ['app', 'old', 'old']) await rig.send(client, tag);
    return relay;
  }

  it('are counted over a restart, by output', async () => {
    // Planned under the old route they are sent as planned: the route holds behind them.
    const plans = vi.spyOn(ForwardOutput.prototype, 'start').mockImplementation(async () => {});
    const first = await backlog();
    await first.stop();
    plans.mockRestore();
    await rig.sink.start();
    const second = await rig.start(narrow());
    await rig.send(await rig.client(second), 'old');
    await rig.send(await rig.client(second), 'app');
    await rig.sinkHas(2);
    await second.stop();
    expect(rig.lastWords).toMatchObject({
      waiting: { sink: 0 },
      dropped: { no_longer_routed: { sink: 2 }, unrouted: { old: 1 } },
    });
    const third = await rig.start(narrow());
    await third.stop();
    expect(rig.lastWords).toMatchObject({ dropped: {} });
  });

  it('are counted over a reload, once however often they are read', async () => {
    const plans = vi.spyOn(ForwardOutput.prototype, 'start').mockImplementation(async () => {});
    const relay = await backlog();
    plans.mockRestore();
    await relay.reload(rig.config(narrow()));
    await relay.reload(rig.config({ sink: rig.toSink({ match: 'app', tag_prefix: 'x.' }) }));
    await rig.sink.start();
    await rig.sinkHas(1);
    await relay.stop();
    expect(rig.lastWords).toMatchObject({ dropped: { no_longer_routed: { sink: 2 } } });
  });

  it('are not known, and nothing else is wrong, without the note of earlier routes', async () => {
    const plans = vi.spyOn(ForwardOutput.prototype, 'start').mockImplementation(async () => {});
    await (await backlog()).stop();
    plans.mockRestore();
    await rm(join(rig.dir.path, 'journal', 'routes.json'));
    await rig.sink.start();
    const relay = await rig.start(narrow());
    await rig.sinkHas(1);
    await relay.stop();
    expect(rig.lastWords).toMatchObject({ waiting: { sink: 0 }, dropped: {} });
  });
});

describe('an event that only a new output takes', () => {
  const old = (): object => ({ sink: rig.toSink({ match: 'app' }) });

  /** Sends an event while the new output starts. */
  function sendDuringStart(client: Awaited<ReturnType<RelayRig['client']>>, fails: boolean): void {
    vi.spyOn(ForwardOutput.prototype, 'start').mockImplementationOnce(async function (
      this: ForwardOutput,
    ) {
      await rig.send(client, 'new');
      if (fails) throw new Error('injected');
      await this.start();
    });
  }

  it('is sent and not counted unrouted if it comes during the reload', async () => {
    const relay = await rig.start(old());
    const client = await rig.client(relay);
    await rig.send(client, 'app');
    await rig.sinkHas(1);
    const second = await ForwardSink.listen();
    sendDuringStart(client, false);
    const fresh = rig.toSink({ match: 'new', start_at: 'newest' }, second);
    await relay.reload(rig.config({ ...old(), fresh }));
    await rig.sinkHas(1, second);
    await relay.stop();
    await second.stop();
    expect(rig.lastWords).toMatchObject({ dropped: {} });
  });

  it('is counted unrouted if the output cannot start after all', async () => {
    const relay = await rig.start(old());
    const client = await rig.client(relay);
    sendDuringStart(client, true);
    const fresh = rig.toSink({ match: 'new', start_at: 'newest' });
    await expect(relay.reload(rig.config({ ...old(), fresh }))).rejects.toThrow('injected');
    await relay.stop();
    expect(rig.lastWords).toMatchObject({ dropped: { unrouted: { new: 1 } } });
  });
});
