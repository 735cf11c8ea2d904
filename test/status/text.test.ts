import { describe, expect, it } from 'vitest';
import { humanDuration, humanRate, humanSize } from '../../src/status/human.ts';
import type { StoppedStatus } from '../../src/status/stopped.ts';
import { statusLines } from '../../src/status/text/status-text.ts';
import { stoppedLines } from '../../src/status/text/stopped-text.ts';
import { clip, colourPaint, plainPaint, widthOf } from '../../src/status/text/style.ts';
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
  };

  it('shows what its journal holds for whom', () => {
    expect(stoppedLines(STOPPED, plainPaint)).toEqual([
      '✗ logboom is not running; its journal was closed (last: pid 12)',
      'journal  2 KiB, 2 segments, oldest event about 1 min old, in /var/lib/logboom',
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
