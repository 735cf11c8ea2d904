import { describe, expect, it } from 'vitest';
import { humanDuration, humanRate, humanSize } from '../../src/status/human.ts';
import type { StoppedStatus } from '../../src/status/stopped.ts';
import { statusLines } from '../../src/status/text/status-text.ts';
import { stoppedLines } from '../../src/status/text/stopped-text.ts';
import { clip, colourPaint, cutMiddle, plainPaint, widthOf } from '../../src/status/text/style.ts';
import { tableLines } from '../../src/status/text/table.ts';
import type { OutputStatus } from '../../src/status/types.ts';
import { SAMPLE_NOW_MS, sampleStatus } from '../support/status-samples.ts';

describe('numbers for people', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1 KiB'],
    [1024 * 1024 - 1, '1 MiB'],
    [1.25 * 1024 ** 3, '1.25 GiB'],
  ])('%d bytes are %s', (bytes, text) => {
    expect(humanSize(bytes)).toBe(text);
  });

  it.each([
    [-5, '0 ms'],
    [999, '999 ms'],
    [59_999, '59 s'],
    [60_000, '1 min'],
    [3_725_000, '1 h 2 min'],
    [90_000_000, '1 d 1 h'],
  ])('%d ms are %s', (duration_ms, text) => {
    expect(humanDuration(duration_ms)).toBe(text);
  });

  it.each([
    [0, '0'],
    [0.4, '0.4'],
    [12.34, '12.3'],
    [8_214.4, '8,214'],
  ])('%d a second are %s', (rate, text) => {
    expect(humanRate(rate)).toBe(text);
  });
});

describe('a line on a terminal', () => {
  it('is cut to its columns, whatever it looks like', () => {
    const line = `${colourPaint('red', 'retrying')} since noon`;
    expect(widthOf(clip(line, 10))).toBe(10);
    expect(clip(line, 5)).toBe('\x1b[31mretr…\x1b[39m');
    expect(clip(line, 19)).toBe(line);
  });

  it('keeps both ends of a name that is too long', () => {
    expect(cutMiddle('shop-frontend-7f6c9d', 9)).toBe('shop…6c9d');
    expect(cutMiddle('shop', 4)).toBe('shop');
    expect(cutMiddle('🚀🚀🚀🚀', 3)).toBe('🚀…🚀');
  });
});

describe('a table', () => {
  it('aligns its columns, numbers at their right', () => {
    const columns = [
      { title: 'NAME', cell: (row: [string, number]) => row[0] },
      { title: 'N', align: 'right' as const, cell: (row: [string, number]) => String(row[1]) },
    ];
    const rows: [string, number][] = [
      ['a', 1],
      ['longer', 12345],
    ];
    expect(tableLines(columns, rows, plainPaint)).toEqual([
      'NAME        N',
      'a           1',
      'longer  12345',
    ]);
  });

  const NAMED = [
    { title: 'NAME', shrinks: true as const, cell: (row: readonly string[]) => row[0] ?? '' },
    { title: 'N', align: 'right' as const, cell: (row: readonly string[]) => row[1] ?? '' },
    { title: 'ERROR', runs_on: true as const, cell: (row: readonly string[]) => row[2] ?? '' },
  ];

  it('cuts names in the middle where the terminal is too narrow for them', () => {
    const rows = [['k8s_shop_frontend-7f6c9d5b8-x2x4z_default', '1', '-']];
    expect(tableLines(NAMED, rows, plainPaint, 30)).toEqual([
      'NAME                  N  ERROR',
      'k8s_shop_…4z_default  1  -',
    ]);
    expect(tableLines(NAMED, rows, plainPaint)[1]).toContain(rows[0]?.[0]);
  });

  it('keeps enough of a name to tell it, however narrow the terminal', () => {
    const rows = [['k8s_shop_frontend-7f6c9d5b8-x2x4z_default', '1', '-']];
    expect(tableLines(NAMED, rows, plainPaint, 5)[1]).toMatch(/^k8s_s….{6} {2}1/);
  });

  it('gives up no name for the sake of a long error, which runs on', () => {
    const error = 'connect ECONNREFUSED '.repeat(10);
    const rows = [['aggregator-in-frankfurt', '1', error]];
    const [, row] = tableLines(NAMED, rows, plainPaint, 60);
    expect(row).toBe(`aggregator-in-frankfurt  1  ${error}`.trimEnd());
  });
});

describe('the status in words', () => {
  const [OUTPUT] = sampleStatus().outputs as [OutputStatus];

  it('says first what is wrong', () => {
    const problems = [{ level: 'error', where: 'output up', text: 'it is stuck' }] as const;
    expect(statusLines(sampleStatus({ problems }), plainPaint).slice(0, 2)).toEqual([
      expect.stringMatching(/^logboom 0\.1\.0 {2}running {2}pid 4242, up 2 h 5 min$/),
      '✗ output up: it is stuck',
    ]);
    expect(statusLines(sampleStatus(), plainPaint)[1]).toBe('✓ all is well');
  });

  it('shows where each output stands', () => {
    const output: OutputStatus = {
      ...OUTPUT,
      name: 'up',
      state: 'retrying',
      lag_events: 12_345,
      lag_bytes: 2048,
      oldest_age_ms: 61_000,
      last_error: 'refused',
      last_error_ms: SAMPLE_NOW_MS - 2_000,
    };
    const text = statusLines(sampleStatus({ outputs: [output] }), plainPaint).join('\n');
    expect(text).toMatch(
      /^up +forward +retrying .* 12,345 \(2 KiB\) +1 min 1 s .* 2 s ago: refused$/m,
    );
  });

  it('tells an error of before from one that lasts', () => {
    const output: OutputStatus = {
      ...OUTPUT,
      last_error: 'refused',
      last_error_ms: SAMPLE_NOW_MS - 120_000,
    };
    const row = (more: Partial<OutputStatus>): string =>
      statusLines(sampleStatus({ outputs: [{ ...output, ...more }] }), plainPaint).find((line) =>
        line.startsWith(output.name),
      ) ?? '';
    expect(row({ has_recovered: true })).toMatch(/ {2}2 min ago, since recovered: refused$/);
    expect(row({ state: 'retrying' })).toMatch(/ {2}2 min ago: refused$/);
  });

  it('fits its tables to the terminal', () => {
    const name = 'k8s_shop_frontend-7f6c9d5b8-x2x4z_default_'.repeat(4);
    const [container] = sampleStatus().containers;
    if (container === undefined) throw new Error('the sample has containers');
    const status = sampleStatus({
      outputs: [{ ...OUTPUT, name }],
      containers: [{ ...container, name }],
      dropped: { unrouted: { [name]: 2 } },
    });
    const lines = statusLines(status, plainPaint, 120);
    expect(lines.filter((line) => line.includes('k8s'))).toHaveLength(3);
    for (const line of lines.slice(6)) expect(widthOf(line)).toBeLessThanOrEqual(120);
    expect(statusLines(status, plainPaint).filter((line) => line.includes(name))).toHaveLength(3);
  });

  it('leaves columns out in which no container has anything to say', () => {
    const containers = sampleStatus().containers.map((each) => ({
      ...each,
      late: 0,
      recovered: 7,
    }));
    const text = statusLines(sampleStatus({ containers }), plainPaint).join('\n');
    expect(text).toContain('FROM CACHE');
    expect(text).not.toContain('LATE');
  });

  it('names everything that was dropped by reason, the most first', () => {
    const dropped = { unrouted: { few: 2 }, corrupt: { up: 9 } };
    const lines = statusLines(sampleStatus({ dropped }), plainPaint);
    expect(lines.slice(-2)).toEqual([
      '      9  up   damaged in the journal (corrupt)',
      '      2  few  no output takes their tag (unrouted)',
    ]);
  });

  it("lets nobody's text drive the terminal", () => {
    const output = { ...OUTPUT, last_error: 'a\x1b[2J\nb\u202e', last_error_ms: null };
    const problems = [{ level: 'error', where: 'output', text: 'x\x07' }] as const;
    const text = statusLines(sampleStatus({ outputs: [output], problems }), plainPaint).join('');
    expect(text).toContain('a\\u001b[2J\\u000ab\\u202e');
    expect(text).not.toMatch(/[\p{Cc}\u202e]/u);
  });
});

describe('a relay that is down, in words', () => {
  const STOPPED: StoppedStatus = {
    state: 'stopped',
    now_ms: SAMPLE_NOW_MS,
    pid: 12,
    dir: '/var/lib/logboom',
    bytes: 2048,
    segments: 2,
    oldest_ms: SAMPLE_NOW_MS - 60_000,
    events: 10,
    outputs: [
      { name: 'up', lag_events: 3, lag_bytes: 100 },
      { name: 'bad', lag_events: null, lag_bytes: null },
    ],
    damaged_places: 0,
    other_relay: null,
  };

  it('shows what its journal holds for whom', () => {
    expect(stoppedLines(STOPPED, plainPaint)).toEqual([
      '✗ logboom is not running; its journal was closed (last: pid 12)',
      'journal  2 KiB, 2 segments, oldest event 1 min old, in /var/lib/logboom',
      '',
      'OUTPUT    WAITING',
      'up      3 (100 B)',
      'bad             ?',
    ]);
  });

  it('names damage, and how to see more of it', () => {
    const lines = stoppedLines({ ...STOPPED, damaged_places: 1, state: 'not_asked' }, plainPaint);
    expect(lines[0]).toContain('does not answer');
    expect(lines).toContain(
      '! 1 damaged place found; see all with: logboom buffer verify /var/lib/logboom',
    );
  });
});
