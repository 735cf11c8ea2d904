/**
 * What the paths of Kubernetes' logs tell (formats.md 7.2, 7.3): pure.
 *
 *     /var/log/pods/<namespace>_<pod>_<uid>/<container>/<restarts>.log
 *     /var/log/containers/<pod>_<namespace>_<container>-<64 hex>.log
 *     <data root>/containers/<64 hex>/<64 hex>-json.log
 *
 * No name of Kubernetes' contains `_`, which is what makes these readable. kubelet cuts the
 * second form to 251 bytes before `.log`; what was cut tells nothing here, and the path that
 * the link leads to tells it whole.
 */
export interface KubePath {
  readonly namespace?: string;
  readonly pod?: string;
  readonly container?: string;
  /** Of the pod; a hash of its manifest where kubelet runs it without the API server. */
  readonly uid?: string;
  /** 64 hex digits; never a part of them. */
  readonly container_id?: string;
  /** How often the container was begun anew in its pod. */
  readonly restarts?: number;
}

/** What this path tells; undefined: nothing. */
export function readKubePath(path: string): KubePath | undefined {
  const [name = '', parent = '', grandparent = ''] = path.split('/').toReversed();
  return podsPath(grandparent, parent, name) ?? dockerPath(parent, name) ?? containersPath(name);
}

/**
 * What the paths of one file tell together, from the one that was found to where its links
 * end. Only the containers' path has the container's id where the runtime is not Docker.
 */
export function readKubePaths(paths: readonly string[]): KubePath {
  return Object.assign({}, ...paths.map(readKubePath)) as KubePath;
}

function podsPath(pod_folder: string, container: string, name: string): KubePath | undefined {
  const [, namespace, pod, uid] = /^([^_]+)_([^_]+)_([^_]+)$/.exec(pod_folder) ?? [];
  const [, restarts] = /^(\d+)\.log$/.exec(name) ?? [];
  if (namespace === undefined || pod === undefined || uid === undefined) return undefined;
  if (restarts === undefined || container === '') return undefined;
  return { namespace, pod, container, uid, restarts: Number(restarts) };
}

function dockerPath(folder: string, name: string): KubePath | undefined {
  if (!/^[0-9a-f]{64}$/.test(folder) || name !== `${folder}-json.log`) return undefined;
  return { container_id: folder };
}

function containersPath(name: string): KubePath | undefined {
  const [, pod, namespace, rest] = /^([^_]+)_([^_]+)_([^_]+)\.log$/.exec(name) ?? [];
  if (pod === undefined || namespace === undefined || rest === undefined) return undefined;
  // A name that was cut has no whole id, and then perhaps no whole container either.
  const [, container, container_id] = /^(.+)-([0-9a-f]{64})$/.exec(rest) ?? [];
  if (container === undefined || container_id === undefined) return undefined;
  return { namespace, pod, container, container_id };
}
