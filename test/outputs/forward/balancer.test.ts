import { describe, expect, it } from 'vitest';
import {
  type BalancedServer,
  Balancer,
  type BalancerOptions,
} from '../../../src/outputs/forward/balancer.ts';

const OPTIONS: BalancerOptions = { mode: 'failover', recover_wait_ms: 1000, slow_ack_ms: 5000 };
const TAG = Buffer.from('app');

function servers(...weights: number[]): BalancedServer[] {
  return weights.map((weight, index) => ({ name: `server-${index}`, weight, standby: false }));
}

function sharesOf(balancer: Balancer, now_ms = 0): number[] {
  const shares: number[] = [];
  for (let i = 0; i < 3000; i++) {
    const server = balancer.route(Buffer.from(`container.${i}`), now_ms);
    shares[server] = (shares[server] ?? 0) + 1 / 3000;
  }
  return shares;
}

describe('failover', () => {
  it('names the first server that is fit', () => {
    const balancer = new Balancer(servers(1, 1, 1), OPTIONS);
    expect(balancer.route(TAG, 0)).toBe(0);
    balancer.failed(0);
    expect(balancer.route(TAG, 0)).toBe(1);
    balancer.failed(1);
    expect(balancer.route(TAG, 0)).toBe(2);
  });

  it('goes back to the first server once it has been connected for recover_wait', () => {
    const balancer = new Balancer(servers(1, 1), OPTIONS);
    balancer.failed(0);
    balancer.connected(0, 100);
    expect(balancer.health(0, 100)).toBe('recovering');
    expect(balancer.route(TAG, 1099)).toBe(1);
    expect(balancer.route(TAG, 1100)).toBe(0);
  });

  it('starts the wait anew when the server fails again meanwhile', () => {
    const balancer = new Balancer(servers(1, 1), OPTIONS);
    balancer.failed(0);
    balancer.connected(0, 0);
    balancer.failed(0);
    balancer.connected(0, 900);
    expect(balancer.route(TAG, 1500)).toBe(1);
    expect(balancer.route(TAG, 1900)).toBe(0);
  });

  it('prefers one that is coming back to one that is down, and always has an answer', () => {
    const balancer = new Balancer(servers(1, 1), OPTIONS);
    balancer.failed(0);
    balancer.failed(1);
    expect(balancer.route(TAG, 0)).toBe(0);
    balancer.connected(1, 0);
    expect(balancer.route(TAG, 0)).toBe(1);
  });

  it('leaves a server whose acks are slow, for a while', () => {
    const balancer = new Balancer(servers(1, 1), OPTIONS);
    balancer.acked(0, 4999, 0);
    expect(balancer.route(TAG, 0)).toBe(0);
    balancer.acked(0, 5001, 0);
    expect(balancer.health(0, 999)).toBe('slow');
    expect(balancer.route(TAG, 999)).toBe(1);
    expect(balancer.route(TAG, 1000)).toBe(0);
  });
});

describe('weighted balance', () => {
  it('gives every server tags in proportion to its weight', () => {
    const shares = sharesOf(new Balancer(servers(60, 30, 10), { ...OPTIONS, mode: 'weighted' }));
    expect(shares[0]).toBeCloseTo(0.6, 1);
    expect(shares[1]).toBeCloseTo(0.3, 1);
    expect(shares[2]).toBeCloseTo(0.1, 1);
  });

  it('is the same for the same tag in another process and another order of the list', () => {
    const list = servers(1, 1, 1);
    const one = new Balancer(list, { ...OPTIONS, mode: 'weighted' });
    const reversed = new Balancer([...list].toReversed(), { ...OPTIONS, mode: 'weighted' });
    for (let i = 0; i < 100; i++) {
      const tag = Buffer.from(`t${i}`);
      expect(2 - reversed.route(tag, 0)).toBe(one.route(tag, 0));
    }
  });

  it('moves only the tags of a server that failed', () => {
    const balancer = new Balancer(servers(1, 1, 1), { ...OPTIONS, mode: 'weighted' });
    const tags = Array.from({ length: 300 }, (_, i) => Buffer.from(`t${i}`));
    const before = tags.map((tag) => balancer.route(tag, 0));
    balancer.failed(1);
    const after = tags.map((tag) => balancer.route(tag, 0));
    expect(after).not.toContain(1);
    expect(after.every((server, i) => before[i] === 1 || before[i] === server)).toBe(true);
  });

  it('gives a standby nothing while another is fit', () => {
    const list = [...servers(1, 1), { name: 'spare', weight: 1, standby: true }];
    const balancer = new Balancer(list, { ...OPTIONS, mode: 'weighted' });
    expect(sharesOf(balancer)[2]).toBeUndefined();
    balancer.failed(0);
    expect(sharesOf(balancer)[2]).toBeUndefined();
    balancer.failed(1);
    expect(sharesOf(balancer)[2]).toBeCloseTo(1);
  });
});
