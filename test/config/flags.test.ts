import { describe, expect, it } from 'vitest';
import { parsed, problemsOf } from './parsing.ts';

const FILE = `
inputs:
  forward:
    - listen: tls://0.0.0.0:24224
      tls: {cert: c.pem, key: k.pem}
    - listen: tcp://127.0.0.1:1
journal: {dir: in-file, linger: 5ms}
outputs:
  archive: {type: file, path: archive.ndjson}
  upstream:
    type: forward
    servers: [tcp://old]
    kind: logboom
`;

describe('flags', () => {
  it('win over the file, and leave the rest of their section', () => {
    const flags = { journal: 'flag', docker: '/var/lib/docker', status: 'off', log_level: 'debug' };
    expect(parsed(FILE, { flags })).toMatchObject({
      journal: { dir: '/srv/flag', linger_ms: 5 },
      docker: { root: '/var/lib/docker' },
      status: { address: undefined },
      log: { level: 'debug' },
    });
  });

  it('--listen replaces the listeners; the one with the same URL keeps its keys', () => {
    const flags = { listen: ['tls://0.0.0.0:24224', 'unix:///run/x.sock'] };
    expect(parsed(FILE, { flags }).inputs.listeners).toMatchObject([
      { url: 'tls://0.0.0.0:24224', tls: { cert_file: '/srv/c.pem', key_file: '/srv/k.pem' } },
      { url: 'unix:///run/x.sock' },
    ]);
  });

  it('--to makes one forward output with all servers, instead of the default outputs', () => {
    const { outputs } = parsed(undefined, {
      terminal: true,
      flags: { to: ['tcp://a', 'tls://b'] },
    });
    expect(outputs).toMatchObject([
      {
        name: 'upstream',
        type: 'forward',
        balance: 'failover',
        servers: [{ url: 'tcp://a' }, { url: 'tls://b' }],
      },
    ]);
  });

  it('--to changes the servers of the output upstream, and leaves the other outputs', () => {
    const { outputs } = parsed(FILE, { flags: { to: ['tcp://new'] } });
    expect(outputs).toMatchObject([
      { name: 'archive' },
      { name: 'upstream', kind: 'logboom', servers: [{ url: 'tcp://new' }] },
    ]);
  });

  it('--journal moves the default files along, beside it', () => {
    const { outputs } = parsed(undefined, { flags: { journal: '/var/lib/logboom/journal' } });
    expect(outputs).toMatchObject([{ path: '/var/lib/logboom/logboom-events/events.ndjson' }]);
  });

  it('are named by the problems that they make, ahead of those of the file', () => {
    const flags = { listen: ['tcp://a', 'tls://b'], to: ['b:1'], log_level: 'warning' };
    expect(problemsOf('journal: {dirr: x}\n', { flags })).toEqual([
      '--to outputs.upstream.servers[0]: expected the URL of a server, such as tcp://aggregator:24224 or tls://aggregator:24224, found "b:1": it does not begin with tcp:// or tls:// or unix:// | Did you mean tcp://b:1?',
      '--log-level log.level: expected one of debug, info, warn, error, found "warning" | Did you mean warn?',
      '--listen inputs.forward[1].listen: a tls:// listener needs a certificate | Add `tls: {cert: FILE, key: FILE}` to this listener.',
      'logboom.yaml:1:11 journal.dirr: there is no key "dirr" here | Did you mean dir?',
    ]);
  });

  it('do not hide a section of the file that is no section', () => {
    expect(problemsOf('journal: 5\n', { flags: { journal: 'x' } })).toEqual([
      'logboom.yaml:1:10 journal: expected a section of keys and values, found the number 5',
    ]);
  });

  it('--to says so when upstream is something else', () => {
    const file = 'outputs: {upstream: {type: stdout}}\n';
    expect(problemsOf(file, { flags: { to: ['tcp://a'] } })).toEqual([
      expect.stringMatching(/^--to outputs.upstream.servers: there is no key "servers" here/),
    ]);
  });
});
