import type { Identity } from '../docker/types.ts';
import type { KubePath } from './kube-path.ts';

/**
 * What the events of a file carry besides their line: the fluentd driver's fields, so that
 * one reader understands all, and the names that Kubernetes' metadata filters give, with
 * dots, which Elasticsearch and its kin take for an object.
 *
 *     container_id    the id; where no path tells it `<pod uid>/<container>/<restarts>`
 *     container_name  /<container>
 *     kubernetes.namespace_name, .pod_name, .pod_id, .container_name
 *
 * What is not told is left out.
 */
export function kubeIdentity(kube: KubePath, tag: string): Identity {
  const { namespace, pod, uid, container } = kube;
  const fields: [string, string | undefined][] = [
    ['kubernetes.namespace_name', namespace],
    ['kubernetes.pod_name', pod],
    ['kubernetes.pod_id', uid],
    ['kubernetes.container_name', container],
  ];
  const told = fields.filter((field): field is [string, string] => field[1] !== undefined);
  return {
    container_id: kube.container_id ?? standIn(kube),
    container_name: container === undefined ? '' : `/${container}`,
    tag,
    extra: Object.fromEntries(told),
    sub_second: true,
  };
}

function standIn({ uid, container, restarts }: KubePath): string {
  return [uid, container, restarts].filter((part) => part !== undefined).join('/');
}
