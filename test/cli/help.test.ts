import { describe, expect, it } from 'vitest';
import { cli } from './fake-host.ts';

const RUN_FLAGS = [
  '--config',
  '--listen',
  '--to',
  '--journal',
  '--docker',
  '--status',
  '--log-level',
  '--drop-output',
];

describe('the help', () => {
  it('names every command and exit code', async () => {
    const { code, out } = await cli('--help');
    expect(code).toBe(0);
    for (const command of ['run', 'config', 'cat', 'buffer', 'doctor', 'completion', 'help']) {
      expect(out).toMatch(new RegExp(`^  ${command} `, 'm'));
    }
    expect(out).toMatch(
      /0 {2}done\n +1 {2}.*failed.*\n +2 {2}the command line or the configuration/,
    );
    expect(out).not.toContain('complete ');
  });

  it('of run names every flag', async () => {
    const { out } = await cli('run --help');
    for (const flag of RUN_FLAGS) expect(out).toContain(`${flag} <`);
  });

  it.each([
    'run',
    'config',
    'config check',
    'config schema',
    'config show',
    'cat',
    'buffer',
    'buffer ls',
    'buffer cat',
    'buffer verify',
    'buffer export',
    'buffer trim',
    'doctor',
    'completion',
  ])('of %s has an example that begins with that command', async (command) => {
    const { code, out, err } = await cli(`${command} --help`);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(new RegExp(`Examples:\\n[^]*\\$ (\\S.*)?logboom ${command}`));
  });

  it('of a command is the same through the command help', async () => {
    expect((await cli('help run')).out).toBe((await cli('run --help')).out);
    expect((await cli('help buffer trim')).out).toBe((await cli('buffer trim --help')).out);
    expect((await cli('help')).out).toBe((await cli('--help')).out);
    const { code, err } = await cli('help buffer trimm');
    expect([code, err]).toEqual([2, expect.stringContaining("unknown command 'buffer trimm'")]);
  });

  it('has only examples that the program understands', async () => {
    const { out } = await cli('run --help');
    const lines = [...out.matchAll(/\$ logboom (run .*)/g)].map(([, line]) => line ?? '');
    expect(lines.length).toBeGreaterThanOrEqual(3);
    const files = { '/srv/logboom.yaml': '' };
    const world = { files, relay: { startRelay: () => Promise.reject(new Error('started')) } };
    for (const line of lines) {
      // A shell takes the quotes away.
      const { err } = await cli(line.replaceAll("'", ''), world);
      expect([line, err]).toEqual([line, expect.stringMatching(/started|needs a certificate/)]);
    }
  });

  it('says the version', async () => {
    expect(await cli('--version')).toEqual({ code: 0, out: '1.2.3\n', err: '' });
  });
});

describe('a mistake on the command line', () => {
  it.each([
    ['', 'Usage: logboom'],
    ['rnu', "unknown command 'rnu'\n(Did you mean run?)"],
    ['run --lsten x', "unknown option '--lsten'\n(Did you mean --listen?)"],
    ['run --listen', "option '--listen <url>' argument missing"],
    ['run surplus', 'too many arguments'],
    ['config', 'Usage: logboom config'],
    ['config chek x', "unknown command 'chek'\n(Did you mean check?)"],
    ['cat', "missing required argument 'tag'"],
    ['cat --to x demo', 'Did you mean tcp://x:24224?'],
    ['cat --username me demo', '--username and --password-file go together'],
    ['cat --shared-key-file no demo', 'the file "no" cannot be read'],
    ['config check', "missing required argument 'file'"],
    [
      'completion tcsh',
      "'tcsh' is invalid for argument 'shell'. Allowed choices are bash, zsh, fish, powershell.",
    ],
    ['run --status 24220', 'Did you mean http://127.0.0.1:24220?'],
    ['run --log-level inf', '--log-level: log.level: expected one of debug, info, warn, error'],
    ['run --drop-output events', 'the output events is part of the configuration'],
    ['run --config nope.yaml', 'there is no such configuration file\n  at: nope.yaml'],
  ])('%j ends with 2 and says: %s', async (line, message) => {
    const { code, out, err } = await cli(line);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(message);
    expect(err).not.toMatch(/^ +at .*:\d+:\d+\)?$/m);
  });
});
