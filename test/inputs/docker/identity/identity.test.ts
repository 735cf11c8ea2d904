import { describe, expect, it } from 'vitest';
import {
  type IdentityOptions,
  identityOf,
} from '../../../../src/inputs/docker/identity/identity.ts';
import { CONTAINER_ID, containerWith } from '../containers.ts';

const OPTIONS: IdentityOptions = {
  host_name: 'host1',
  tag: 'docker.{{.Name}}',
  sub_second: true,
  labels: [],
  env: [],
  ecs: false,
};

const ECS_LABELS = {
  'com.amazonaws.ecs.cluster': 'prod',
  'com.amazonaws.ecs.container-name': 'app',
  'com.amazonaws.ecs.task-arn': 'arn:aws:ecs:eu-west-1:1:task/prod/9f',
  'com.amazonaws.ecs.task-definition-family': 'shop',
  'com.amazonaws.ecs.task-definition-version': '7',
};

describe('what the events of a container with the fluentd driver carry', () => {
  it("is the driver's own default when it has no options", () => {
    expect(identityOf(containerWith(), OPTIONS)).toEqual({
      container_id: CONTAINER_ID,
      container_name: '/web',
      tag: '4f1a2b3c4d5e',
      extra: {},
      sub_second: false,
    });
  });

  it("follows its log options, and nothing of logboom's own", () => {
    const container = containerWith({
      labels: { 'a.b': '1', team: 'x', other: 'y', ...ECS_LABELS },
      env: ['MODE=blue=green', 'team=from env', 'SECRET=s'],
      log_options: {
        tag: 'docker.{{.Name}}.{{.ID}}',
        labels: 'a.b,team,missing',
        env: 'MODE,team',
        'fluentd-sub-second-precision': 'true',
      },
    });
    const options = { ...OPTIONS, labels: ['other'], env: ['SECRET'], ecs: true };
    const identity = identityOf(container, options);
    expect(identity).toMatchObject({ tag: 'docker.web.4f1a2b3c4d5e', sub_second: true });
    expect(Object.entries(identity.extra)).toEqual([
      ['a.b', '1'],
      ['team', 'from env'],
      ['MODE', 'blue=green'],
    ]);
  });

  it('has the labels and variables that the regular expressions fit, anywhere in the name', () => {
    const container = containerWith({
      labels: { 'com.example.app': 'a', 'org.example': 'b', xyz: 'c' },
      env: ['APP_MODE=m', 'app_x=n', 'PATH=/bin'],
      log_options: { 'labels-regex': 'example', 'env-regex': '(?i)^app_' },
    });
    expect(identityOf(container, OPTIONS).extra).toEqual({
      'com.example.app': 'a',
      'org.example': 'b',
      APP_MODE: 'm',
      app_x: 'n',
    });
  });
});

describe('what the events of a container with another driver carry', () => {
  const driver = { log_driver: 'json-file' };

  it('comes from the configuration where Docker has no option', () => {
    const container = containerWith({ ...driver, labels: { a: '1', b: '2' }, env: ['E=3'] });
    const options = { ...OPTIONS, labels: ['a'], env: ['E'], sub_second: false };
    expect(identityOf(container, options)).toMatchObject({
      tag: 'docker.web',
      extra: { a: '1', E: '3' },
      sub_second: false,
    });
  });

  it('has the tag and the names of its own log options besides', () => {
    const container = containerWith({
      ...driver,
      labels: { a: '1', b: '2' },
      log_options: { tag: '{{.ImageName}}', labels: 'b' },
    });
    expect(identityOf(container, { ...OPTIONS, labels: ['a'] })).toMatchObject({
      tag: 'registry.example:5000/team/web:1.25',
      extra: { a: '1', b: '2' },
    });
  });

  it('never has a label in the place of the line, and may have one in the place of the name', () => {
    const labels = { log: 'x', source: 'y', partial_id: 'z', container_name: 'n', ok: '1' };
    const options = { ...OPTIONS, labels: Object.keys(labels) };
    const identity = identityOf(containerWith({ ...driver, labels }), options);
    expect(identity).toMatchObject({ container_name: 'n', extra: { ok: '1' } });
    expect(Object.keys(identity.extra)).toEqual(['ok']);
  });

  it('names the ECS task when asked to', () => {
    const container = containerWith({ ...driver, labels: ECS_LABELS });
    expect(identityOf(container, OPTIONS).extra).toEqual({});
    expect(identityOf(container, { ...OPTIONS, ecs: true }).extra).toEqual({
      ecs_cluster: 'prod',
      ecs_task_arn: 'arn:aws:ecs:eu-west-1:1:task/prod/9f',
      ecs_task_definition: 'shop:7',
      ecs_container_name: 'app',
    });
    const elsewhere = containerWith({ ...driver, labels: { app: 'x' } });
    expect(identityOf(elsewhere, { ...OPTIONS, ecs: true }).extra).toEqual({});
  });
});

describe('what cannot be done as Docker does it', () => {
  it('is an error that names the container and the option', () => {
    const tag = containerWith({ log_options: { tag: '{{.Foo}}' } });
    expect(() => identityOf(tag, OPTIONS)).toThrow(
      expect.objectContaining({ code: 'LB_CONTAINER', where: 'container web, log option tag' }),
    );
    const default_tag = { ...OPTIONS, tag: '{{index .ContainerLabels "a" "b"}}' };
    expect(() => identityOf(containerWith({ log_driver: 'local' }), default_tag)).toThrow(
      expect.objectContaining({ code: 'LB_CONTAINER', where: 'container web, docker.tag' }),
    );
    const regex = containerWith({ log_options: { 'env-regex': '\\Qa.b\\E' } });
    expect(() => identityOf(regex, OPTIONS)).toThrow(
      expect.objectContaining({
        code: 'LB_CONTAINER',
        where: 'container web, log option env-regex',
        message: String.raw`the regular expression "\\Qa.b\\E" cannot be used: \Q is not supported`,
      }),
    );
  });
});
