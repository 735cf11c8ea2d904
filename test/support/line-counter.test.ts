import { describe, expect, it } from 'vitest';
import { LineCounter } from './line-counter.ts';

const THREE = new Map([['one stdout', 3]]);

function reportOn(lines: readonly string[]) {
  const counter = new LineCounter();
  for (const line of lines) counter.note(line);
  return counter.report(THREE);
}

describe('the judge of all runs with real peers', () => {
  it('finds nothing wrong with each line once, in order, whatever stands behind its number', () => {
    const report = reportOn(['one stdout 1', 'one stdout 2 xxxx', 'one stdout 3']);
    expect(report).toEqual({
      ...{ written: 3, arrived: 3, lost: 0, doubled: 0, out_of_order: 0 },
      examples: [],
    });
  });

  it('counts a line that did not arrive as lost, also at the end', () => {
    expect(reportOn(['one stdout 1'])).toMatchObject({
      ...{ arrived: 1, lost: 2 },
      examples: ['lost: one stdout 2', 'lost: one stdout 3'],
    });
  });

  it('counts every further arrival of a line as doubled', () => {
    const lines = ['one stdout 1', 'one stdout 1', 'one stdout 1', 'one stdout 2', 'one stdout 3'];
    expect(reportOn(lines)).toMatchObject({ arrived: 3, lost: 0, doubled: 2, out_of_order: 0 });
  });

  it('counts a line that comes behind a later one as out of order', () => {
    expect(reportOn(['one stdout 2', 'one stdout 1', 'one stdout 3'])).toMatchObject({
      ...{ lost: 0, doubled: 0, out_of_order: 1 },
      examples: ['out of order: one stdout 1'],
    });
  });

  it('does not take a line of another stream or number for one of its own', () => {
    const report = reportOn(['two stdout 1', 'one stderr 2', 'one stdout 33', 'one stdout3']);
    expect(report).toMatchObject({ arrived: 0, lost: 3 });
  });

  describe('of lines that are all alike', () => {
    const PAIRS = new Map([
      ['one stdout', 2],
      ['one stdout same', 4],
    ]);

    function judge(...lines: readonly (number | 'same')[]) {
      const counter = new LineCounter();
      for (const line of lines) counter.note(`one stdout ${line}`);
      return counter.report(PAIRS);
    }

    it('finds nothing wrong with the right number behind each numbered line', () => {
      const report = judge(1, 'same', 'same', 2, 'same', 'same');
      expect(report).toMatchObject({
        written: 6,
        arrived: 6,
        lost: 0,
        doubled: 0,
        out_of_order: 0,
      });
    });

    it('counts too few as lost and too many as doubled', () => {
      expect(judge(1, 'same', 'same', 2, 'same')).toMatchObject({ lost: 1, doubled: 0 });
      expect(judge(1, 'same', 'same', 'same', 2, 'same', 'same')).toMatchObject({
        ...{ lost: 0, doubled: 1, out_of_order: 0 },
      });
    });

    it('counts one behind the wrong number as out of order', () => {
      expect(judge(1, 'same', 'same', 'same', 2, 'same')).toMatchObject({
        ...{ lost: 0, doubled: 0, out_of_order: 1 },
      });
    });
  });
});
