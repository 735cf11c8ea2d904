/** What the help promises, held against what the commands take. */
import { describe, expect, it } from 'vitest';
import { parseTime } from '../../src/commands/buffer/event-filter.ts';
import { cli } from '../cli/fake-host.ts';

const NOW_MS = Date.parse('2026-11-23T12:00:00Z');

describe('--since and --until', () => {
  it.each([
    ['90s', '2026-11-23T11:58:30Z'],
    ['10m', '2026-11-23T11:50:00Z'],
    ['1h30m', '2026-11-23T10:30:00Z'],
    ['7d', '2026-11-16T12:00:00Z'],
    ['2026-11-23', '2026-11-23T00:00:00Z'],
    ['2026-11-23T10:00', '2026-11-23T10:00:00Z'],
    ['2026-11-23T10:00:05', '2026-11-23T10:00:05Z'],
    ['2026-11-23T10:00:05.250Z', '2026-11-23T10:00:05.250Z'],
    ['2026-11-23T10:00:00+02:00', '2026-11-23T08:00:00Z'],
    ['2026-11-23 10:00:00Z', '2026-11-23T10:00:00Z'],
  ])('take %s for %s, wherever the machine is', (text, time) => {
    const zone = process.env['TZ'];
    process.env['TZ'] = 'America/New_York';
    try {
      expect(parseTime('--since', text, NOW_MS)).toBe(Date.parse(time));
    } finally {
      if (zone === undefined) delete process.env['TZ'];
      else process.env['TZ'] = zone;
    }
  });

  it.each(['yesterday', '10', '10m ago', '2026-11-23T25:00', '2026-11-23T10:00 CET', '23.11.2026'])(
    'refuse %s, and say what they take',
    (text) => {
      expect(() => parseTime('--since', text, NOW_MS)).toThrow(
        expect.objectContaining({ code: 'LB_USAGE', hint: expect.stringContaining('2026-11-23') }),
      );
    },
  );

  it.each(['cat', 'export', 'trim'])('are explained by buffer %s --help', async (command) => {
    const { out } = await cli(`buffer ${command} --help`);
    for (const form of ['10m', '1h30m', '7d', '2026-11-23T10:00:00Z', 'UTC']) {
      expect(out).toContain(form);
    }
  });
});

describe('the help of doctor', () => {
  it('says what its own options are for, not what those of run do', async () => {
    const [doctor, run] = await Promise.all([cli('doctor --help'), cli('run --help')]);
    const textsOf = (help: string): Map<string, string> =>
      new Map(
        [
          ...help
            .replaceAll(/\n {20,}/g, ' ')
            .matchAll(/^ +(?:-\w, )?(--[\w-]+)[^\n]*? {2,}(.*)$/gm),
        ].map(([, flag = '', text = '']) => [flag, text]),
      );
    const of_run = textsOf(run.out);
    const own = [...textsOf(doctor.out)];
    expect(own.map(([flag]) => flag)).toEqual(
      expect.arrayContaining(['--config', '--listen', '--journal', '--docker', '--outage']),
    );
    expect(own.filter(([flag, text]) => of_run.get(flag) === text)).toEqual([
      ['--help', 'print this help'],
    ]);
  });

  it('shows no option of run that changes nothing, and takes it all the same', async () => {
    const { out } = await cli('doctor --help');
    for (const flag of ['--log-level', '--status', '--to']) expect(out).not.toContain(flag);
    const line =
      'doctor --outage never --to tcp://a:1 --to tcp://b:1 --status off --log-level info';
    expect(await cli(line)).toMatchObject({ code: 2, err: expect.stringContaining('--outage') });
  });
});

it.each(['', 'status ', 'doctor '])(
  '%s--help keeps an empty line between its parts',
  async (command) => {
    const { out } = await cli(`${command}--help`);
    expect(out.split('\n\n').map((part) => part.split('\n')[0])).toContain('Exit codes:');
  },
);
