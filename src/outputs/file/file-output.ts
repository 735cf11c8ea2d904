import { LIMITS } from '../../limits.ts';
import { type FileSystem, nodeFs } from '../../sys/fs.ts';
import { joinedSource } from '../joining/joined-source.ts';
import type { JoinLimits } from '../joining/joiner.ts';
import type { OutputSource } from '../output.ts';
import { type OutputWorld, PUMP_DEFAULTS, Pump } from '../pump.ts';
import type { Additions } from '../render.ts';
import { FileDelivery } from './file-delivery.ts';

export interface FileOutputOptions extends Additions {
  readonly name: string;
  /** `{tag}` and `{date}` as in path-template.ts. */
  readonly path: string;
  /** Undefined: not for its size. */
  readonly rotate_max_bytes: number | undefined;
  /** Undefined: not for its age. */
  readonly rotate_every_ms: number | undefined;
  readonly rotate_keep_max: number;
  /** How rotated files are compressed. */
  readonly compress: 'gzip' | 'off';
  /** Permissions of the files, less the umask. */
  readonly mode: number;
  /** Long lines that came in fragments are joined. Undefined: they are written as they came. */
  readonly join_partial?: JoinLimits | undefined;
  /** With `{tag}`: files open at a time. Default 64. */
  readonly files_open_max?: number;
  /** While there is no more than a trickle, files are made durable at most this often. Default 200 ms. */
  readonly interval_ms?: number;
  /** Default: LIMITS. */
  readonly retry_min_ms?: number;
  readonly retry_max_ms?: number;
}

const FILES_OPEN_MAX = 64;
const INTERVAL_MS = 200;

/**
 * Writes events as lines of JSON to files: render.ts has the lines, file-delivery.ts
 * what is guaranteed.
 *
 * Throws LB_CONFIG for a path with an unknown placeholder.
 */
export function fileOutput(
  options: FileOutputOptions,
  source: OutputSource,
  world: OutputWorld & { readonly fs?: FileSystem },
): Pump {
  const pump_options = {
    ...PUMP_DEFAULTS,
    name: options.name,
    type: 'file',
    interval_ms: options.interval_ms ?? INTERVAL_MS,
    retry_min_ms: options.retry_min_ms ?? LIMITS.retry_min_ms,
    retry_max_ms: options.retry_max_ms ?? LIMITS.retry_max_ms,
  };
  const joined = joinedSource(source, { limits: options.join_partial, clock: world.clock });
  const delivery = new FileDelivery(
    { ...options, files_open_max: options.files_open_max ?? FILES_OPEN_MAX },
    joined,
    { clock: world.clock, fs: world.fs ?? nodeFs, log: world.log.child({ output: options.name }) },
  );
  return new Pump(pump_options, joined, delivery, world);
}
