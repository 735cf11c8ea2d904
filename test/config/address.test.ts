import { describe, expect, it } from 'vitest';
import {
  parseHttpAddress,
  parseListenAddress,
  parseServerAddress,
} from '../../src/config/address.ts';

describe('a URL to listen on', () => {
  it.each([
    ['tcp://127.0.0.1:24224', { kind: 'tcp', host: '127.0.0.1', port: 24224 }],
    ['tcp://localhost', { kind: 'tcp', host: 'localhost', port: 24224 }],
    ['tcp://[::1]:5', { kind: 'tcp', host: '::1', port: 5 }],
    ['tls://0.0.0.0:0', { kind: 'tls', host: '0.0.0.0', port: 0 }],
    ['unix:///run/x.sock', { kind: 'unix', path: '/run/x.sock', mode: undefined }],
    ['unix:///run/x.sock?mode=0660', { kind: 'unix', path: '/run/x.sock', mode: 0o660 }],
    ['unix:///run/a%20b.sock', { kind: 'unix', path: '/run/a b.sock', mode: undefined }],
    ['systemd://logboom.socket', { kind: 'systemd', name: 'logboom.socket' }],
    ['systemd://', { kind: 'systemd', name: undefined }],
  ])('%s is understood', (text, address) => {
    expect(parseListenAddress(text)).toEqual({ ok: true, value: address });
  });

  it.each([
    ['0.0.0.0:24224', 'tcp://0.0.0.0:24224'],
    ['localhost', 'tcp://localhost:24224'],
    ['24224', 'tcp://127.0.0.1:24224'],
    [':24224', 'tcp://0.0.0.0:24224'],
    ['/run/x.sock', 'unix:///run/x.sock'],
    ['unix://run/x.sock', 'unix:///run/x.sock'],
    ['unix:///run/x.sock?mod=0660', 'unix:///run/x.sock?mode=0660'],
    ['unix:///run/x.sock?mode=999', 'unix:///run/x.sock?mode=0660'],
    ['tpc://a:1', 'tcp://a:1'],
    ['tsl://a:1', 'tls://a:1'],
    ['tcp://*:24224', 'tcp://0.0.0.0:24224'],
    ['tcp://::1', 'tcp://[::1]:24224'],
    ['tcp://user:secret@host:1', 'tcp://host:1'],
    ['http://user:secret@host:1', 'tcp://host:1'],
  ])('%s is refused, and %s suggested', (text, suggestion) => {
    expect(parseListenAddress(text)).toMatchObject({ ok: false, suggestion });
  });

  it.each([
    ['99999', 'it does not begin with tcp:// or tls:// or unix:// or systemd://'],
    ['tcp://a:99999', 'there is no port 99999; the highest is 65535'],
    ['tcp://:24224', 'it is not HOST:PORT'],
    ['tcp://a:b', 'it is not HOST:PORT'],
    ['tcp://', 'it is not HOST:PORT'],
    ['unix:///%zz', 'a % is not followed by two hexadecimal digits'],
    ['unix:///a%00b', 'a path cannot contain a NUL'],
    [`unix:///${'x'.repeat(107)}`, "the path has 108 bytes; a unix socket's has 107 at most"],
    ['systemd://a/b', 'it is not the name of a systemd socket'],
  ])('%s is refused: %s', (text, reason) => {
    expect(parseListenAddress(text)).toEqual({ ok: false, reason });
  });
});

describe('the URL of a server', () => {
  it.each([
    ['tcp://aggregator', { kind: 'tcp', host: 'aggregator', port: 24224 }],
    ['tls://[fe80::1%eth0]:1', { kind: 'tls', host: 'fe80::1%eth0', port: 1 }],
    ['unix:///run/x.sock', { kind: 'unix', path: '/run/x.sock' }],
  ])('%s is understood', (text, address) => {
    expect(parseServerAddress(text)).toEqual({ ok: true, value: address });
  });

  it.each(['tcp://a:0', 'systemd://x', 'unix:///run/x.sock?mode=0660'])('%s is refused', (text) => {
    expect(parseServerAddress(text).ok).toBe(false);
  });
});

describe('the URL of the status page', () => {
  it.each([
    ['http://127.0.0.1:24220', { host: '127.0.0.1', port: 24220 }],
    ['http://localhost/', { host: 'localhost', port: 24220 }],
  ])('%s is understood', (text, address) => {
    expect(parseHttpAddress(text)).toEqual({ ok: true, value: address });
  });

  it.each([
    ['https://a:1', 'http://a:1'],
    ['24220', 'http://127.0.0.1:24220'],
  ])('%s is refused, and %s suggested', (text, suggestion) => {
    expect(parseHttpAddress(text)).toMatchObject({ ok: false, suggestion });
  });

  it('takes no path', () => {
    expect(parseHttpAddress('http://a:1/status').ok).toBe(false);
  });
});
