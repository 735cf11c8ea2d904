import { describe, expect, it } from 'vitest';
import { loadPlot } from '../../bench/lib/load-plot.ts';
import { escapeXml, logAxis } from '../../bench/lib/plot.ts';
import type { Summary } from '../../bench/lib/results.ts';

const summary = (scenario: string, contestant: string, speed: number): Summary => ({
  scenario,
  contestant,
  figures: { events_per_s: speed, cpu_us_per_event: 1e6 / speed, peak_mib: 100 },
  spreads: {},
  rounds_count: 1,
  failures: [],
});

describe('a logarithmic axis', () => {
  it('spans whole powers of ten around all values', () => {
    const { ticks, share } = logAxis([0.84, 33]);
    expect(ticks).toEqual([0.1, 1, 10, 100]);
    expect([0.1, 1, 100].map(share)).toEqual([0, expect.closeTo(1 / 3), 1]);
  });

  it('has a length with one value, or none', () => {
    expect(logAxis([10]).ticks).toEqual([10, 100]);
    expect(logAxis([]).ticks).toEqual([1, 10]);
  });
});

describe('the plot of throughput and CPU', () => {
  const SUMMARIES = [
    summary('message', 'pump', 1_000_000),
    summary('message', 'logboom', 900_000),
    summary('packed', 'logboom', 2_000_000),
  ];

  it('has a dot for each contestant of a scenario on both sides', () => {
    const svg = loadPlot(SUMMARIES, 'here & now');
    expect(svg.match(/<circle [^>]*><title>/g)).toHaveLength(6);
    expect(svg).toContain('<title>here &amp; now</title>');
  });

  it('shows the limit as a ring, so that a dot on its place does not hide it', () => {
    const rings = loadPlot(SUMMARIES, '').match(/<circle [^>]*fill="none"[^>]*><title>[^<]*/g);
    expect(rings).toHaveLength(2);
    for (const ring of rings ?? []) expect(ring).toContain('pump, message');
  });

  it('has no background, so that it suits light and dark pages', () => {
    expect(loadPlot(SUMMARIES, '')).not.toContain('<rect');
  });

  it('leaves out what is not about load', () => {
    const start = { ...summary('start', 'logboom', 1), figures: { accepting_ms: 200 } };
    expect(loadPlot([...SUMMARIES, start], '')).not.toContain('>start<');
  });

  it('escapes what would be markup', () => {
    expect(escapeXml('a<b & "c"')).toBe('a&lt;b &amp; &quot;c&quot;');
  });
});
