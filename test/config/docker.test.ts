import { describe, expect, it } from 'vitest';
import { type DriverAddress, parseDriverAddress } from '../../src/config/docker-address.ts';
import { DOCKER_DEFAULTS } from '../support/docker-defaults.ts';
import { documentOf, parsed, problemsOf } from './parsing.ts';

describe('the docker section', () => {
  it('has defaults that make events as the fluentd driver does, and reads nothing', () => {
    expect(parsed().docker).toEqual(DOCKER_DEFAULTS);
  });

  it('says everything about containers', () => {
    const { docker } = parsed(`
docker:
  root: docker
  api: unix:///var/run/docker.sock
  addresses: [relay:24224, "unix:///run/lb.sock"]
  hostname: node1
  start_at: oldest
  tag: "docker.{{.Name}}"
  sub_second: off
  labels: [a.b]
  env: [MODE]
  ecs: auto
  include: [{name: "web-*", label: tier=front}]
  exclude: [{image: "*/noisy:*"}]
  forget_after: 7d
`);
    expect(docker).toEqual({
      root: '/srv/docker',
      api_socket: '/var/run/docker.sock',
      addresses: ['relay:24224', 'unix:///run/lb.sock'],
      hostname: 'node1',
      start_at: 'oldest',
      tag: 'docker.{{.Name}}',
      sub_second: false,
      labels: ['a.b'],
      env: ['MODE'],
      ecs: true,
      include: [{ name: 'web-*', label: 'tier=front' }],
      exclude: [{ image: '*/noisy:*' }],
      forget_after_ms: 7 * 86_400_000,
    });
  });

  it('may be all that logboom reads from, by the files or by the API', () => {
    const none = 'inputs: {forward: []}\n';
    expect(problemsOf(none)).toHaveLength(1);
    expect(problemsOf(`${none}docker: {root: /d}\n`)).toEqual([]);
    expect(problemsOf(`${none}docker: {api: "unix:///d.sock"}\n`)).toEqual([]);
  });

  it('can be shown as it was written', () => {
    expect(documentOf('docker: {tag: "{{.Name}}"}\n').docker.tag).toBe('{{.Name}}');
  });
});

describe('a mistake in the docker section', () => {
  it.each([
    [
      'a tag that no container could have',
      'docker: {tag: "x.{{.Nmae}}"}\n',
      'logboom.yaml:1:15 docker.tag: expected a template as for Docker\'s tag, such as docker.{{.Name}}, found "x.{{.Nmae}}": column 5 of the tag: the field .Nmae is not supported',
    ],
    [
      'an API over the network',
      'docker: {api: "tcp://127.0.0.1:2375"}\n',
      'logboom.yaml:1:15 docker.api: expected unix:///PATH, such as unix:///var/run/docker.sock, or off, found "tcp://127.0.0.1:2375": the Engine API is reached through its unix socket only',
    ],
    [
      'an address without a scheme',
      'docker: {addresses: [/run/lb.sock]}\n',
      'logboom.yaml:1:22 docker.addresses[0]: expected an address as in fluentd-address, such as 127.0.0.1:24224 or unix:///run/logboom.sock, found "/run/lb.sock": it has no scheme | Did you mean unix:///run/lb.sock?',
    ],
    [
      'a pattern that asks for nothing',
      'docker: {include: [{name: a}, {}]}\n',
      'logboom.yaml:1:31 docker.include[1]: expected name, image or label, found none of them',
    ],
    [
      'a label without a key',
      'docker: {exclude: [{label: =x}]}\n',
      'logboom.yaml:1:28 docker.exclude[0].label: expected KEY or KEY=VALUE, found "=x": it has no key',
    ],
    [
      'a place that is forgotten at once',
      'docker: {forget_after: 1s}\n',
      'logboom.yaml:1:24 docker.forget_after: expected a duration with its unit from 1m up to 365d, found "1s": it is too small | Did you mean 1m?',
    ],
  ])('is named with its place: %s', (_name, text, problem) => {
    expect(problemsOf(text)).toEqual([problem]);
  });
});

describe("a driver's address", () => {
  const tcp = (host: string, port = 24224): DriverAddress => ({ kind: 'tcp', host, port });

  it.each<[string, DriverAddress | undefined]>([
    ['tcp://127.0.0.1:24224', tcp('127.0.0.1')],
    ['localhost:5', tcp('localhost', 5)],
    ['Relay', tcp('relay')],
    ['tcp://:7', tcp('127.0.0.1', 7)],
    ['tcp://a:7/', tcp('a', 7)],
    ['tls://a', { kind: 'tls', host: 'a', port: 24224 }],
    ['[::1]:9', tcp('::1', 9)],
    ['unix:///run/x.sock', { kind: 'unix', path: '/run/x.sock' }],
    ['unix://run/x.sock', undefined],
    ['udp://a:1', undefined],
    ['a:0', undefined],
    ['a:99999', undefined],
    ['a b', undefined],
    ['', undefined],
  ])('%j is read as the driver reads it', (text, address) => {
    const reading = parseDriverAddress(text);
    expect(reading.ok ? reading.value : undefined).toEqual(address);
  });
});
