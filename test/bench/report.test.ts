import { describe, expect, it } from 'vitest';
import { parseArguments } from '../../bench/lib/arguments.ts';
import { budgetTable, judgeBudgets } from '../../bench/lib/budgets.ts';
import { headroomText } from '../../bench/lib/headroom.ts';
import { describeMachine } from '../../bench/lib/machine.ts';
import { reportJson, reportText } from '../../bench/lib/output.ts';
import { withBench } from '../../bench/lib/readme.ts';
import { ratioTables, reportTables } from '../../bench/lib/report.ts';
import type { Figures, Summary } from '../../bench/lib/results.ts';
import { alignedTable, numberText, ratioText } from '../../bench/lib/table.ts';
import { figureTitle } from '../../bench/lib/units.ts';

function summary(scenario: string, contestant: string, figures: Figures): Summary {
  const spreads = Object.fromEntries(Object.keys(figures).map((name) => [name, 0.1]));
  return { scenario, contestant, figures, spreads, rounds_count: 3, failures: [] };
}

describe('a table', () => {
  it('aligns words to the left and numbers to the right', () => {
    const table = alignedTable(
      [
        ['what', 'n'],
        ['a', '1,000'],
      ],
      1,
    );
    expect(table).toBe('what      n\na     1,000');
  });

  it('shows numbers with few digits, and a dash where there is none', () => {
    expect([1_083_123, 12.345, 0.8412, undefined].map(numberText)).toEqual([
      '1,083,000',
      '12.35',
      '0.841',
      '-',
    ]);
    expect([ratioText(2, 4), ratioText(2, undefined), ratioText(2, 0)]).toEqual([
      '0.50x',
      '-',
      '-',
    ]);
  });

  it('names figures by their units', () => {
    expect(['cpu_us_per_event', 'peak_mib', 'p99.9_ms'].map(figureTitle)).toEqual([
      'us CPU/event',
      'peak MiB',
      'p99.9 ms',
    ]);
  });
});

describe('the report', () => {
  it('compares with the pump, and with logboom where the pump takes no part', () => {
    const text = reportTables([
      summary('message', 'pump', { events_per_s: 200, cpu_us_per_event: 1 }),
      summary('message', 'logboom', { events_per_s: 100, cpu_us_per_event: 2 }),
      summary('outage', 'logboom', { events_per_s: 100, cpu_us_per_event: 2 }),
      summary('outage', 'fluentd', { events_per_s: 10, cpu_us_per_event: 20 }),
    ]);
    const ratios = text.split('\n').map((line) => line.match(/\d+\.\d\dx/g));
    expect(ratios).toEqual([
      null,
      ['1.00x', '1.00x'],
      ['0.50x', '2.00x'],
      ['1.00x', '1.00x'],
      ['0.10x', '10.00x'],
    ]);
  });

  it('gives scenarios with other figures a table of their own', () => {
    const text = reportTables([
      summary('message', 'logboom', { events_per_s: 100 }),
      summary('start', 'logboom', { accepting_ms: 200 }),
    ]);
    expect(text.split('\n\n')).toHaveLength(2);
  });

  it('leaves the bench itself out of the tables, and names where it was the limit', () => {
    const own = (generator_percent: number) => ({ events_per_s: 1, generator_percent });
    const summaries = [
      summary('message', 'pump', own(40)),
      summary('packed', 'pump', own(95)),
      summary('packed', 'logboom', own(50)),
    ];
    expect(reportTables(summaries)).not.toContain('generator');
    expect(headroomText(summaries)).toContain('THE LIMIT in packed, pump');
    expect(headroomText(summaries.slice(0, 1))).toContain('at most 40 % (message, pump)');
    expect(headroomText(summaries.slice(0, 1))).not.toContain('LIMIT');
    expect(headroomText([])).toBe('');
  });

  it('of a quick run has ratios only', () => {
    const text = ratioTables([
      summary('message', 'pump', { events_per_s: 2000, peak_mib: 50 }),
      summary('message', 'logboom', { events_per_s: 1000, peak_mib: 75 }),
      summary('start', 'logboom', { accepting_ms: 1234 }),
      { ...summary('backlog', 'logboom', {}), rounds_count: 0, failures: ['no room'] },
    ]);
    expect(text).toMatch(/logboom +0.50x +1.50x/);
    expect(text).toMatch(/ran too: start; backlog \(failed: no room\)/);
    expect(text).not.toMatch(/1,?000|1,?234|75/);
  });

  it('says of a contestant without a whole round why', () => {
    const failed = { ...summary('message', 'fluentd', {}), rounds_count: 0, failures: ['no port'] };
    expect(reportTables([failed])).toMatch(/failed\nmessage, fluentd failed: no port$/);
  });
});

describe('budgets', () => {
  const cpu = (us: number): Figures => ({ cpu_us_per_event: us, events_per_s: 1 });

  it('are ratios within one run: met at the limit, missed beyond it', () => {
    const judge = (us: number) =>
      judgeBudgets([summary('message', 'pump', cpu(1)), summary('message', 'logboom', cpu(us))])[0];
    expect(judge(1.1)).toMatchObject({ verdict: 'met', measured: 1.1 });
    expect(judge(1.2)).toMatchObject({ verdict: 'missed', measured: 1.2 });
  });

  it('tell by how much they are met or missed', () => {
    const table = (us: number) =>
      budgetTable(
        judgeBudgets([summary('message', 'pump', cpu(1)), summary('message', 'logboom', cpu(us))]),
        { all: false },
      );
    expect(table(0.99)).toMatch(/to the pump +met by 10 % +0.99 x +<= 1.1 x/);
    expect(table(1.21)).toMatch(/to the pump +missed by 10 % +1.21 x +<= 1.1 x/);
  });

  it('judge memory where it is largest', () => {
    const results = judgeBudgets([
      summary('message', 'logboom', { peak_mib: 100 }),
      summary('gzip', 'logboom', { peak_mib: 130 }),
    ]);
    const memory = results.find(({ what }) => what.startsWith('Memory at full load'));
    expect(memory).toMatchObject({ verdict: 'missed', measured: 130 });
  });

  it('are met by more where more is better', () => {
    const results = judgeBudgets([
      summary('message', 'fluent-bit', cpu(3.6)),
      summary('message', 'logboom', cpu(1)),
    ]);
    const found = results.find(
      ({ what }) => what.includes('Message') && what.includes('Fluent Bit'),
    );
    expect(found).toMatchObject({ verdict: 'met', measured: 3.6 });
  });

  it('are not judged without what they need, and then not shown', () => {
    const results = judgeBudgets([summary('message', 'logboom', cpu(1))]);
    expect(results.every(({ verdict }) => verdict === 'not measured')).toBe(true);
    expect(budgetTable(results, { all: false })).toBe('');
    expect(budgetTable(results, { all: true })).toContain('not measured');
  });
});

describe('the whole report', () => {
  const figures = { events_per_s: 1, cpu_us_per_event: 1 };
  const report = (...args: string[]) => ({
    machine: describeMachine('/'),
    options: parseArguments(args),
    about: ['logboom 1.2.3'],
    runs: ['pump', 'logboom'].map((contestant) => {
      return { scenario: 'message', contestant, round: 1, figures };
    }),
  });

  it('begins with machine, date and versions, and judges budgets', () => {
    const text = reportText(report());
    expect(text).toMatch(/^\d{4}-\d\d-\d\d; .*Node\.js v/);
    expect(text).toContain('logboom 1.2.3');
    expect(text).toMatch(/met by 9.1 % +1 x/);
  });

  it.each(['--quick', '--profile'])('judges nothing with %s', (flag) => {
    expect(reportText(report(flag))).not.toMatch(/budget +measured|met by|missed by/);
    expect(JSON.parse(reportJson(report(flag)))).toMatchObject({ budgets: [] });
  });
});

describe('the README', () => {
  it('gets the table between its markers, and again in its place', () => {
    const readme = 'before\n<!-- bench -->\nold\n<!-- /bench -->\nafter\n';
    const once = withBench(readme, 'table\n');
    expect(once).toBe('before\n<!-- bench -->\n\n```text\ntable\n```\n\n<!-- /bench -->\nafter\n');
    expect(withBench(once, 'table\n')).toBe(once);
  });

  it('shows the plot above the table', () => {
    const readme = '<!-- bench --><!-- /bench -->';
    expect(withBench(readme, 'table', 'bench/load.svg')).toMatch(
      /!\[.+\]\(bench\/load\.svg\)\n\n```text\ntable/,
    );
  });

  it('is left alone without markers', () => {
    expect(() => withBench('no markers', 'table')).toThrow('<!-- bench -->');
  });
});
