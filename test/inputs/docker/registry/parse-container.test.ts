import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LogboomError } from '../../../../src/errors.ts';
import { parseContainer } from '../../../../src/inputs/docker/registry/parse-container.ts';
import type { Container } from '../../../../src/inputs/docker/types.ts';
import { configJson, hostconfigJson, idOf } from './docker-folder.ts';

const ID = idOf('a');

function parse(config_json: string, hostconfig_json = hostconfigJson()): Container {
  return parseContainer({ directory: `/c/${ID}`, id: ID, config_json, hostconfig_json });
}

describe("a container's files", () => {
  it('say all that there is to know about it', () => {
    const hostconfig = hostconfigJson({ options: { tag: '{{.Name}}', mode: 'blocking' } });
    expect(parse(configJson(ID), hostconfig)).toEqual({
      id: ID,
      name: 'web',
      image_name: 'bb:1',
      image_id: 'sha256:a1b2c3d4e5f60718293a4b5c6d7e8f90112233445566778899aabbccddeeff00',
      labels: { tier: 'front' },
      env: ['PATH=/usr/bin:/bin', 'MODE=a=b'],
      hostname: 'aaaaaaaaaaaa',
      command: ['/bin/sh', '-c', 'echo hi'],
      tty: false,
      log_driver: 'fluentd',
      log_options: { tag: '{{.Name}}', mode: 'blocking' },
      created_ms: Date.UTC(2026, 10, 23, 6, 0, 0, 123),
      started_ms: Date.UTC(2026, 10, 23, 6, 0, 1, 952),
      running: true,
      directory: `/c/${ID}`,
      log_path: '',
    });
  });

  it('may leave out everything but the id', () => {
    const bare = parse(JSON.stringify({ ID }), '{}');
    expect(bare).toMatchObject({ name: '', labels: {}, env: [], log_driver: '', running: false });
    expect(parse(configJson(ID, { labels: null })).labels).toEqual({});
    expect(parse(configJson(ID), '{"LogConfig":{"Type":"local","Config":null}}')).toMatchObject({
      log_driver: 'local',
      log_options: {},
    });
  });

  it('of a container that never started hold the year 1', () => {
    const json = configJson(ID).replace('2026-11-23T06:00:01.952463603Z', '0001-01-01T00:00:00Z');
    expect(parse(json).started_ms).toBe(0);
  });

  it('are read whatever a label is called', () => {
    const json = configJson(ID).replace('"tier"', '"__proto__"');
    expect(Object.entries(parse(json).labels)).toEqual([['__proto__', 'front']]);
  });

  it('are refused when they are cut, or of another container', () => {
    const whole = configJson(ID);
    expect(() => parse(whole.slice(0, -1))).toThrow(
      expect.objectContaining({ code: 'LB_DOCKER', where: `/c/${ID}/config.v2.json` }),
    );
    expect(() => parse(whole, '')).toThrow(
      expect.objectContaining({ where: `/c/${ID}/hostconfig.json` }),
    );
    expect(() => parse('[]')).toThrow('a JSON object');
    expect(() => parse(configJson(idOf('b')))).toThrow(`expected the container ${ID}`);
  });

  it('of a version that has other types in them raise no other error', () => {
    const keys = ['Name', 'Config', 'Labels', 'Env', 'State', 'Args', 'Created', 'LogConfig'];
    const object = fc.dictionary(fc.constantFrom(...keys), fc.jsonValue());
    fc.assert(
      fc.property(object, object, (config, hostconfig) => {
        try {
          const json = JSON.stringify({ ...config, ID });
          expect(parse(json, JSON.stringify(hostconfig)).id).toBe(ID);
        } catch (error) {
          expect(error).toBeInstanceOf(LogboomError);
        }
      }),
    );
  });
});
