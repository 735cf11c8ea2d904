// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${NAME} is the syntax under test.
import { describe, expect, it } from 'vitest';
import { cli } from './fake-host.ts';

const GOOD = 'outputs: {up: {type: forward, servers: [tcp://a], auth: {shared_key: s3cret}}}\n';
const BAD = 'journal:\n  max_sise: 8GiB\nlog: {level: loud}\n';
const files = { '/srv/good.yaml': GOOD, '/srv/bad.yaml': BAD };

describe('config check', () => {
  it('says in a line that a file is valid, and what it does', async () => {
    expect(await cli('config check good.yaml', { files })).toEqual({
      code: 0,
      out: 'good.yaml: valid; listens on tcp://127.0.0.1:24224; outputs: up (forward)\n',
      err: '',
    });
  });

  it('names everything that is wrong, each at its place, and ends with 2', async () => {
    expect(await cli('config check bad.yaml', { files })).toEqual({
      code: 2,
      out: '',
      err: [
        'logboom: the configuration has 2 problems',
        'bad.yaml:2:3: journal.max_sise: there is no key "max_sise" here',
        '      max_sise: 8GiB',
        '      ^^^^^^^^',
        '  Did you mean max_size?',
        'bad.yaml:3:14: log.level: expected one of debug, info, warn, error, found "loud"',
        '    log: {level: loud}',
        '                 ^^^^',
        '  (LB_CONFIG)',
        '',
      ].join('\n'),
    });
  });

  it('reads standard input', async () => {
    const { code, err } = await cli('config check -', { stdin: 'log: [' });
    expect([code, err]).toEqual([2, expect.stringContaining('(standard input):1:')]);
  });

  it('knows the environment', async () => {
    const world = { files: { '/srv/env.yaml': 'journal:\n  dir: ${DIR}\n' } };
    expect((await cli('config check env.yaml', world)).code).toBe(2);
    expect((await cli('config check env.yaml', { ...world, env: { DIR: '/data' } })).code).toBe(0);
  });
});

describe('config show', () => {
  it('prints every default, and hides secrets', async () => {
    const { code, out } = await cli('config show good.yaml', { files });
    expect(code).toBe(0);
    expect(out).toContain('max_size: 8GiB');
    expect(out).toContain('shared_key: (hidden)');
    expect(out).not.toContain('s3cret');
  });

  it('prints what flags make of it', async () => {
    const { out } = await cli('config show --journal /data --listen unix:///run/x.sock');
    expect(out).toContain('dir: /data');
    expect(out).toContain('- listen: unix:///run/x.sock');
  });

  it('without a file prints one to begin with, which is valid', async () => {
    const { out } = await cli('config show');
    expect((await cli('config check -', { stdin: out })).code).toBe(0);
  });
});

describe('config schema', () => {
  it('prints JSON', async () => {
    const { code, out } = await cli('config schema');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ title: 'logboom configuration', type: 'object' });
  });
});
