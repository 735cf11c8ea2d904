import { humanSize } from '../../inputs/docker/option-sizes.ts';

/**
 * Log options as Docker reads them (formats.md 3.1, 3.5, 4.2). What it would refuse counts as
 * not given: such a container was never created.
 */
export type LogOptions = Readonly<Record<string, string>>;

/** As strconv.ParseBool. */
export function isTrue(option: string | undefined): boolean {
  return option !== undefined && /^(?:1|t|T|TRUE|true|True)$/.test(option);
}

export function wholeNumber(option: string | undefined): number | undefined {
  return option !== undefined && /^\d+$/.test(option) ? Number(option) : undefined;
}

/** How many files of which size a driver keeps. */
export interface Rotation {
  readonly max_bytes: number;
  readonly max_files: number;
}

const LOCAL_ROTATION: Rotation = { max_bytes: 20 * 1024 * 1024, max_files: 5 };

/** Of the files that hold a container's lines; undefined: they are never rotated, or there are none. */
export function rotationOf(log_driver: string, options: LogOptions): Rotation | undefined {
  const max_bytes = humanSize(options['max-size']);
  const max_files = wholeNumber(options['max-file']);
  switch (log_driver) {
    case 'json-file':
      return max_bytes === undefined ? undefined : { max_bytes, max_files: max_files ?? 1 };
    case 'local':
      return {
        max_bytes: max_bytes ?? LOCAL_ROTATION.max_bytes,
        max_files: max_files ?? LOCAL_ROTATION.max_files,
      };
    case 'fluentd':
      // The cache's own options are accepted and never applied.
      return LOCAL_ROTATION;
    default:
      return undefined;
  }
}

/** Whether version `a` is before `b` (`20.10.24`, `23.0`); undefined when `a` is not known. */
export function isBefore(a: string | undefined, b: string): boolean | undefined {
  const [major, minor = 0] = (a ?? '').split('.').map((part) => Number.parseInt(part, 10));
  if (major === undefined || Number.isNaN(major)) return undefined;
  const [other_major = 0, other_minor = 0] = b.split('.').map(Number);
  return major < other_major || (major === other_major && minor < other_minor);
}
