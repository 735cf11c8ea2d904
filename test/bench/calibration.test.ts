import { describe, expect, it } from 'vitest';
import { calibrate } from '../../bench/scenarios/calibration.ts';

describe('how much a run asks of a contestant', () => {
  const SIZES = { first: 1000, max: 1e9, for_ms: 500, load_ms: 2000 };
  const batchesOf = async (per_ms: number, latency_ms: number, sizes = SIZES) => {
    const batches: number[] = [];
    const size = await calibrate(sizes, async (batch) => {
      batches.push(batch);
      return { size: batch, took_ms: latency_ms + batch / per_ms };
    });
    return { batches, size };
  };

  it('is little more than what a slow one does in the time', async () => {
    const { batches, size } = await batchesOf(1, 0);
    expect(batches).toEqual([1000, 4000]);
    expect(size).toBe(3000);
  });

  it('grows in batches until a fast one is warm', async () => {
    const { batches, size } = await batchesOf(1000, 0);
    expect(batches.reduce((sum, batch) => sum + batch)).toBeGreaterThan(500_000);
    expect(size).toBe(3_000_000);
  });

  it('does not take waiting for slowness: a fast one that sends once a second', async () => {
    const { size } = await batchesOf(1000, 1000);
    expect(size).toBeGreaterThan(1_000_000);
  });

  it('is never less than the first batch, after which a very slow one is let off', async () => {
    const { batches, size } = await batchesOf(0.1, 5000);
    expect(batches).toEqual([1000]);
    expect(size).toBe(1000);
  });

  it('is never more than the disk is to take', async () => {
    const { batches, size } = await batchesOf(1000, 0, { ...SIZES, max: 5000 });
    expect(Math.max(...batches)).toBe(5000);
    expect(size).toBe(5000);
  });
});
