import { describe, expect, it } from 'vitest';
import { type ListenAddress, parseListenAddress } from '../../../src/config/address.ts';
import { cacheUse } from '../../../src/inputs/docker/cache-use.ts';
import { RelayAddresses } from '../../../src/inputs/docker/relay-addresses.ts';
import { containerWith } from './containers.ts';

function listening(...urls: string[]): RelayAddresses {
  const listeners = urls.map((url): ListenAddress => {
    const reading = parseListenAddress(url);
    if (!reading.ok) throw new TypeError(url);
    return reading.value;
  });
  return new RelayAddresses({ given: [], listeners, interfaces: ['172.17.0.2', '10.0.0.5'] });
}

function given(...addresses: string[]): RelayAddresses {
  return new RelayAddresses({
    given: addresses,
    listeners: [{ kind: 'tcp', host: '0.0.0.0', port: 24224 }],
    interfaces: [],
  });
}

describe("whether a container's address leads to this relay", () => {
  it.each([
    ['tcp://127.0.0.1:24224', 'tcp://127.0.0.1:24224', true],
    ['tcp://127.0.0.1:24224', '127.0.0.1', true],
    ['tcp://127.0.0.1:24224', 'localhost:24224', true],
    ['tcp://127.0.0.1:24224', 'tcp://:24224', true],
    ['tcp://localhost', 'tcp://127.0.0.1', true],
    ['tcp://127.0.0.1:24224', '127.0.0.1:24225', false],
    ['tcp://127.0.0.1:24224', '10.0.0.5:24224', false],
    ['tcp://127.0.0.1:24224', 'tls://127.0.0.1:24224', false],
    ['tls://127.0.0.1:24224', 'tls://127.0.0.1:24224', true],
    ['tcp://0.0.0.0:24224', '127.0.0.1:24224', true],
    ['tcp://0.0.0.0:24224', '127.0.0.53:24224', true],
    ['tcp://0.0.0.0:24224', '10.0.0.5:24224', true],
    ['tcp://[::]:24224', '172.17.0.2:24224', true],
    ['tcp://0.0.0.0:24224', '10.0.0.6:24224', false],
    ['tcp://0.0.0.0:24224', 'aggregator:24224', false],
    ['tcp://0.0.0.0:24224', 'host.docker.internal:24224', false],
    ['unix:///run/lb.sock', 'unix:///run/lb.sock', true],
    ['unix:///run/lb.sock', 'unix:///run/other.sock', false],
    ['systemd://', '127.0.0.1:24224', false],
    ['tcp://127.0.0.1:24224', 'udp://127.0.0.1:24224', false],
  ])('listening on %s, %s: %s', (listener, address, expected) => {
    expect(listening(listener).include(address)).toBe(expected);
  });

  it('only the given addresses count when there are any', () => {
    const addresses = given('Logs.internal:24224', 'unix:///host/lb.sock', 'tcp://10.1.1.1:9');
    expect(addresses.include('tcp://logs.internal')).toBe(true);
    expect(addresses.include('tls://logs.internal')).toBe(true);
    expect(addresses.include('unix:///host/lb.sock')).toBe(true);
    expect(addresses.include('tcp://10.1.1.1:9')).toBe(true);
    expect(addresses.include('tls://10.1.1.1:9')).toBe(false);
    expect(addresses.include('127.0.0.1:24224')).toBe(false);
  });
});

describe('the cache of a container', () => {
  const here = listening('tcp://127.0.0.1:24224');

  it("is merged when its stream comes here, by the driver's default too", () => {
    expect(cacheUse(containerWith(), here, false)).toEqual({
      use: 'merge',
      why: 'it sends to tcp://127.0.0.1:24224',
    });
  });

  it('is merged when its stream has come here before, whatever its address is called', () => {
    const log_options = { 'fluentd-address': 'logs:24224' };
    const container = containerWith({ log_options });
    expect(cacheUse(container, here, false)).toEqual({
      use: 'none',
      why: 'it sends to logs:24224, not to here',
      warn: false,
    });
    expect(cacheUse(container, here, true).use).toBe('merge');
  });

  it('is not there for other drivers', () => {
    const container = containerWith({ log_driver: 'json-file' });
    expect(cacheUse(container, here, true)).toMatchObject({ use: 'none', warn: false });
  });

  it('is missed aloud when it is off', () => {
    const log_options = { 'cache-disabled': 'true' };
    expect(cacheUse(containerWith({ log_options }), here, false)).toMatchObject({
      use: 'none',
      why: expect.stringContaining('cache-disabled'),
      warn: true,
    });
    const elsewhere = { ...log_options, 'fluentd-address': 'logs:1' };
    expect(cacheUse(containerWith({ log_options: elsewhere }), here, false)).toMatchObject({
      warn: false,
    });
  });

  it.each(['log', 'source', 'container_id', 'partial_id'])(
    'cannot be merged when a label takes the place of %s',
    (name) => {
      const by_list = containerWith({ labels: { [name]: 'x' }, log_options: { labels: name } });
      const by_regex = containerWith({ env: [`${name}=x`], log_options: { 'env-regex': '^.' } });
      for (const container of [by_list, by_regex]) {
        expect(cacheUse(container, here, true)).toMatchObject({
          use: 'none',
          why: expect.stringContaining(`called ${name} `),
          warn: true,
        });
      }
      const not_chosen = containerWith({ labels: { [name]: 'x' } });
      expect(cacheUse(not_chosen, here, true).use).toBe('merge');
    },
  );

  it('cannot be merged when it is not known which fields there are', () => {
    const container = containerWith({ log_options: { 'labels-regex': '(?U)a+' } });
    expect(cacheUse(container, here, true)).toMatchObject({
      use: 'none',
      why: expect.stringContaining('regular expression'),
      warn: true,
    });
  });
});
