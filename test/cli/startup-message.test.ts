import { describe, expect, it } from 'vitest';
import { startupMessage } from '../../src/commands/startup-message.ts';
import { parsed } from '../config/parsing.ts';

describe('the start-up message', () => {
  it('says what runs and what to try next', () => {
    const message = startupMessage({
      version: '1.2.3',
      config: parsed(undefined, { terminal: true }),
      listening: ['tcp://127.0.0.1:24224'],
      status_url: 'http://127.0.0.1:24220',
    });
    expect(message).toBe(
      [
        'logboom 1.2.3 is running.',
        '  listening  tcp://127.0.0.1:24224',
        '  journal    /srv/logboom-data (at most 8GiB)',
        '  outputs    events: writes /srv/logboom-events/events.ndjson',
        '             terminal: shows events here',
        '  status     http://127.0.0.1:24220',
        '',
        'Try it:',
        '  docker run --log-driver=fluentd --log-opt fluentd-address=127.0.0.1:24224 --log-opt fluentd-sub-second-precision=true alpine echo hello',
        `  echo '{"log":"hello"}' | npx logboom cat demo`,
        '',
      ].join('\n'),
    );
  });

  it.each([
    ['tcp://0.0.0.0:5', '127.0.0.1:5', '--to tcp://127.0.0.1:5'],
    ['tcp://[::]:5', '[::1]:5', '--to tcp://[::1]:5'],
    ['unix:///run/x.sock', 'unix:///run/x.sock', '--to unix:///run/x.sock'],
  ])('for %s names an address that can be reached', (url, address, to) => {
    const message = startupMessage({
      version: '1',
      config: parsed(),
      listening: ['tls://0.0.0.0:1', url],
      status_url: undefined,
    });
    expect(message).toContain(`fluentd-address=${address} `);
    expect(message).toContain(`npx logboom cat ${to} demo`);
    expect(message).not.toContain('status');
  });

  it('suggests nothing that cannot work', () => {
    const info = {
      version: '1',
      config: parsed(),
      listening: ['tls://a:1'],
      status_url: undefined,
    };
    expect(startupMessage(info)).not.toContain('Try it');
  });

  it('names what else is read and answered', () => {
    const config = parsed(
      'docker: {root: /d, api: "unix:///run/docker.sock"}\ninputs: {health: "tcp://[::1]:8877", tail: [{paths: [/a/*, /b/*]}]}\n',
    );
    const message = startupMessage({ version: '1', config, listening: [], status_url: undefined });
    expect(message).toContain('  docker     /d\n             unix:///run/docker.sock\n');
    expect(message).toContain('  files      /a/*\n             /b/*\n');
    expect(message).toContain('  health     tcp://[::1]:8877\n');
  });

  it('names routes, servers and the Docker root', () => {
    const config = parsed(
      'docker: {root: /var/lib/docker}\noutputs: {up: {type: forward, match: app.**, servers: [tcp://a, tls://b]}}\n',
    );
    const message = startupMessage({ version: '1', config, listening: [], status_url: undefined });
    expect(message).toContain('  docker     /var/lib/docker\n');
    expect(message).toContain('  outputs    up: forwards to tcp://a, tls://b for app.**\n');
  });
});
