import { entry, eventTime } from './entries.ts';

/** Docker's buffer: a longer line, or one as long, comes in fragments (formats.md 3.4). */
const DOCKER_BUFFER_BYTES = 16_384;

export interface LongLine {
  readonly id: string;
  readonly container?: string;
  readonly source?: 'stdout' | 'stderr';
}

/** One fragment, as Docker's fluentd driver sends it. */
export function fragment(
  { id, container = 'c1', source = 'stdout' }: LongLine,
  ordinal: number,
  log: string,
  is_last: boolean,
): Buffer {
  const record = {
    container_id: container,
    container_name: `/${container}`,
    source,
    log,
    partial_message: 'true',
    partial_id: id,
    partial_ordinal: String(ordinal),
    partial_last: String(is_last),
  };
  return entry(record, eventTime(1_700_000_000, 1));
}

/** An event that is no fragment. */
export function shortLine(
  log: string,
  { container = 'c1', source = 'stdout' }: Omit<LongLine, 'id'> = {},
): Buffer {
  const record = { container_id: container, container_name: `/${container}`, source, log };
  return entry(record, eventTime(1_700_000_000, 2));
}

/** The fragments that Docker makes of a line which ends with a newline, `text` being what comes before. */
export function dockerFragments(line: LongLine, text: string): Buffer[] {
  const parts: string[] = [];
  for (let at = 0; at <= text.length; at += DOCKER_BUFFER_BYTES) {
    parts.push(text.slice(at, at + DOCKER_BUFFER_BYTES));
  }
  return parts.map((log, i) => fragment(line, i + 1, log, i === parts.length - 1));
}
