import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';

/** What the process can see of the container that it runs in. */
export interface OwnTraces {
  readonly hostname: string;
  /** `/proc/self/mountinfo`: Docker mounts `hostname` and `resolv.conf` from the container's folder. */
  readonly mountinfo: string;
  /** `/proc/self/cgroup`: names the container on cgroup v1, and on v2 in the host's namespace. */
  readonly cgroup: string;
}

/**
 * The id of the container that logboom runs in, if it runs in one of `ids`. The files
 * tell it for sure; a host name that begins an id is what is left when they do not.
 */
export function findOwnContainer(traces: OwnTraces, ids: Iterable<string>): string | undefined {
  const known = [...ids];
  const [, mounted] =
    /\/containers\/([0-9a-f]{64})\/(?:hostname|resolv\.conf|hosts) /.exec(traces.mountinfo) ?? [];
  const [, grouped] = /\bdocker[-/]([0-9a-f]{64})\b/.exec(traces.cgroup) ?? [];
  for (const found of [mounted, grouped]) {
    if (found !== undefined && known.includes(found)) return found;
  }
  const is_short_id = /^[0-9a-f]{12}$/.test(traces.hostname);
  return is_short_id ? known.find((id) => id.startsWith(traces.hostname)) : undefined;
}

/** The same, as this process sees itself. */
export async function ownContainer(ids: Iterable<string>): Promise<string | undefined> {
  const read = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');
  const [mountinfo, cgroup] = await Promise.all([
    read('/proc/self/mountinfo'),
    read('/proc/self/cgroup'),
  ]);
  return findOwnContainer({ hostname: hostname(), mountinfo, cgroup }, ids);
}
