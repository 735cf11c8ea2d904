import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HealthListener } from '../../src/inputs/health.ts';
import { silentLog } from '../../src/sys/log.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { until } from '../support/wait.ts';

describe('the health check', () => {
  let clock: ManualClock;
  let health: HealthListener;
  let clients: Socket[];

  beforeEach(async () => {
    clients = [];
    clock = new ManualClock();
    health = new HealthListener({ host: '127.0.0.1', port: 0 }, clock, silentLog);
    await health.open();
  });

  afterEach(() => {
    for (const client of clients) client.destroy();
    health.close();
  });

  async function check(): Promise<Socket> {
    const client = connect(Number(new URL(health.url).port), '127.0.0.1');
    clients.push(client);
    client.on('error', () => {});
    client.resume();
    await once(client, 'connect');
    return client;
  }

  it('takes what is sent, keeps nothing, and closes when the client does', async () => {
    const client = await check();
    client.end('ok?');
    await once(client, 'close');
    expect(health.checks_count).toBe(1);
  });

  it('sends away who stays too long', async () => {
    const client = await check();
    await until('it is accepted', () => health.checks_count === 1);
    const closed = new Promise((resolve) => client.once('close', resolve));
    clock.advance(10_000);
    await closed;
  });

  it('sends away who says too much', async () => {
    const client = await check();
    const closed = new Promise((resolve) => client.once('close', resolve));
    client.write(Buffer.alloc(1_000_000));
    await closed;
  });

  it('refuses more than it serves at one time, and serves again when they are gone', async () => {
    for (let count = 0; count < 70; count++) await check();
    await until('some are refused', () => health.refused_count === 6);
    for (const client of clients) client.destroy();
    await until('others are served', async () => {
      await check();
      return health.checks_count > 64;
    });
  });

  it('says who has the port when it is taken', async () => {
    const port = Number(new URL(health.url).port);
    const second = new HealthListener({ host: '127.0.0.1', port }, clock, silentLog);
    await expect(second.open()).rejects.toMatchObject({ code: 'LB_LISTEN' });
  });
});
