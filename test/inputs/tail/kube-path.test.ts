import { describe, expect, it } from 'vitest';
import { kubeIdentity } from '../../../src/inputs/tail/kube-identity.ts';
import { readKubePath, readKubePaths } from '../../../src/inputs/tail/kube-path.ts';
import { renderTag } from '../../../src/inputs/tail/tail-tag.ts';

const ID = '0123456789abcdef'.repeat(4);
const POD = '/var/log/pods/shop_web-5d4f.x_8a1c-22/app/3.log';
const LINK = `/var/log/containers/web-5d4f.x_shop_app-${ID}.log`;
const DOCKER = `/var/lib/docker/containers/${ID}/${ID}-json.log`;

describe("a path of Kubernetes'", () => {
  it.each([
    [POD, { namespace: 'shop', pod: 'web-5d4f.x', container: 'app', uid: '8a1c-22', restarts: 3 }],
    [LINK, { namespace: 'shop', pod: 'web-5d4f.x', container: 'app', container_id: ID }],
    [
      `/var/log/containers/p_ns_side-car-2-${ID}.log`,
      { namespace: 'ns', pod: 'p', container: 'side-car-2', container_id: ID },
    ],
    [DOCKER, { container_id: ID }],
  ])('%s tells what is in it', (path, told) => {
    expect(readKubePath(path)).toEqual(told);
  });

  it.each([
    ['whose id was cut', `/var/log/containers/${'p'.repeat(200)}_ns_app-${ID.slice(0, 43)}.log`],
    ['of a rotated file', `${POD}.20261123-060000`],
    ['of another program', '/var/log/syslog'],
    ['with too few parts', `/var/log/containers/web_app-${ID}.log`],
    ['of another folder', '/var/log/pods/shop_web/app/0.log'],
  ])('%s tells nothing', (_, path) => {
    expect(readKubePath(path)).toBeUndefined();
  });

  it('and what it is a link to tell the rest together', () => {
    const whole = {
      namespace: 'shop',
      pod: 'web-5d4f.x',
      container: 'app',
      uid: '8a1c-22',
      restarts: 3,
      container_id: ID,
    };
    expect(readKubePaths([LINK, POD, DOCKER])).toEqual(whole);
    const cut = `/var/log/containers/${'p'.repeat(251)}.log`;
    expect(readKubePaths([cut, POD, DOCKER])).toEqual(whole);
  });
});

describe('what a path tells', () => {
  const kube = readKubePaths([POD]);

  it('is put into the tag, and what it does not tell is named', () => {
    expect(renderTag('k8s.{namespace}.{container}', kube)).toEqual({ tag: 'k8s.shop.app' });
    expect(renderTag('{pod}.{container_id}', kube)).toEqual({ missing: 'container_id' });
  });

  it('goes along with each event; without an id, what is as unique stands for it', () => {
    expect(kubeIdentity(kube, 't')).toEqual({
      container_id: '8a1c-22/app/3',
      container_name: '/app',
      tag: 't',
      extra: {
        'kubernetes.namespace_name': 'shop',
        'kubernetes.pod_name': 'web-5d4f.x',
        'kubernetes.pod_id': '8a1c-22',
        'kubernetes.container_name': 'app',
      },
      sub_second: true,
    });
    expect(kubeIdentity({ container_id: ID }, 't')).toMatchObject({ container_id: ID, extra: {} });
  });
});
