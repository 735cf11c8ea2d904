import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { metricsText } from '../../src/status/metrics.ts';
import { PrometheusText } from '../../src/status/prometheus-text.ts';
import type { ContainerStatus } from '../../src/status/types.ts';
import { lacksPeer } from '../support/peers.ts';
import { sampleStatus } from '../support/status-samples.ts';

const [CONTAINER] = sampleStatus().containers as [ContainerStatus];
const EVERYTHING = sampleStatus({
  dropped: { unrouted: { 'a "tag"\\\n': 3 } },
  gaps: [
    { container: 'web', reason: 'torn', times: 1 },
    { container: 'web', reason: 'rewound', times: 2 },
  ],
});

/** `name{labels} value` of every sample. */
function samples(text: string): string[] {
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

describe('Prometheus text', () => {
  it('escapes what stands in labels and help', () => {
    const text = new PrometheusText();
    text.gauge('a', 'one\\two\nthree', [{ labels: { x: 'q"u\\o\nte' }, value: 1.5 }]);
    expect(text.toString()).toBe(
      '# HELP a one\\\\two\\nthree\n# TYPE a gauge\na{x="q\\"u\\\\o\\nte"} 1.5\n',
    );
  });

  it('leaves families without samples out', () => {
    const text = new PrometheusText();
    text.counter('a_total', 'help', []);
    expect(text.toString()).toBe('');
  });
});

describe('metrics', () => {
  it('have each set of labels once', () => {
    const containers = [CONTAINER, CONTAINER, { ...CONTAINER, name: 'other' }];
    const names = samples(metricsText({ ...EVERYTHING, containers })).map((line) =>
      line.slice(0, line.lastIndexOf(' ')),
    );
    expect(names.length).toBeGreaterThan(50);
    expect(names).toEqual([...new Set(names)]);
  });

  it('add containers of one name up', () => {
    const containers = [
      { ...CONTAINER, lines: 3 },
      { ...CONTAINER, lines: 4 },
    ];
    const text = metricsText({ ...EVERYTHING, containers });
    expect(text).toMatch(/^logboom_container_lines_total\{.*\} 7$/m);
  });

  it('stay bounded however many containers there are', () => {
    const containers = Array.from({ length: 1_000 }, (_, n) => ({ ...CONTAINER, name: `c${n}` }));
    const lines = samples(metricsText({ ...EVERYTHING, containers })).filter((line) =>
      line.startsWith('logboom_container_lines_total'),
    );
    expect(lines).toHaveLength(257);
    expect(lines.at(-1)).toContain('container="(other)"');
  });

  it('sum gaps up by container, and keep drops by reason and place', () => {
    const text = metricsText(EVERYTHING);
    expect(text).toContain('logboom_container_gaps_total{container="web"} 3\n');
    expect(text).toContain(
      'logboom_dropped_events_total{reason="unrouted",place="a \\"tag\\"\\\\\\n"} 3\n',
    );
  });
});

describe.skipIf(lacksPeer('promtool'))('promtool', () => {
  it('finds nothing to say about the metrics', () => {
    const input = metricsText(EVERYTHING);
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
      input,
      encoding: 'utf8',
    });
    expect({ status, said: `${stdout}${stderr}` }).toEqual({ status: 0, said: '' });
  });
});
