import { describe, expect, it } from 'vitest';
import { lossRisks } from '../../../src/inputs/docker/loss-risks.ts';

const risksOf = (log_options: Record<string, string>, log_driver = 'fluentd'): string[] =>
  lossRisks({ log_driver, log_options });

describe('what log options alone can lose', () => {
  it('is nothing for the drivers as they are', () => {
    expect(risksOf({})).toEqual([]);
    expect(risksOf({ mode: 'blocking', 'fluentd-async': 'false' })).toEqual([]);
    expect(risksOf({ 'max-size': '1m' }, 'json-file')).toEqual([]);
  });

  it.each([
    [{ 'fluentd-async': 'true', 'fluentd-buffer-limit': '64KB' }, '65536'],
    [{ 'fluentd-async-connect': '1', 'fluentd-buffer-limit': '100' }, '100'],
    [{ 'fluentd-async': 'T', 'fluentd-buffer-limit': '0' }, '8192'],
  ])('is what finds a small asynchronous queue full: %j', (options, limit) => {
    const risks = risksOf(options);
    expect(risks).toHaveLength(1);
    expect(risks[0]).toMatch(/queue/);
    expect(risks[0]).toContain(` ${limit} queued`);
  });

  it.each([undefined, '1048576', '1m', '8388608'])(
    'is nothing in a queue as large as by default: %s',
    (limit) => {
      const size = limit === undefined ? {} : { 'fluentd-buffer-limit': limit };
      expect(risksOf({ 'fluentd-async': 'true', ...size })).toEqual([]);
    },
  );

  it('is what finds the ring full, before a file as before the fluentd driver', () => {
    for (const driver of ['fluentd', 'json-file', 'local']) {
      const [risk] = risksOf({ mode: 'non-blocking', 'max-buffer-size': '2k' }, driver);
      expect(risk).toMatch(/non-blocking.*ring.*=2k/);
    }
  });

  it('is no queue where the driver has none', () => {
    expect(risksOf({ 'fluentd-async': 'true' }, 'json-file')).toEqual([]);
  });
});
