/** One event about a container (formats.md 6.2). */
export interface EngineEvent {
  /** `create`, `start`, `die`, `rename`, `destroy` ... */
  readonly action: string;
  readonly container_id: string;
  readonly container_name: string;
  /** As `since` takes it: seconds, a dot, nine digits. Exact, which a number is not. */
  readonly time: string;
}

/** An event as one line of JSON; undefined: not about a container, or no event. */
export function parseEvent(line: string): EngineEvent | undefined {
  let event: RawEvent;
  try {
    event = JSON.parse(line) as RawEvent;
  } catch {
    return undefined;
  }
  const id = event?.Actor?.ID;
  if (event?.Type !== 'container' || typeof id !== 'string') return undefined;
  return {
    action: text(event.Action),
    container_id: id,
    container_name: text(event.Actor?.Attributes?.['name']),
    time: sinceOf(line, event),
  };
}

interface RawEvent {
  readonly Type?: unknown;
  readonly Action?: unknown;
  readonly Actor?: {
    readonly ID?: unknown;
    readonly Attributes?: Readonly<Record<string, unknown>>;
  };
  readonly time?: unknown;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** `timeNano` has more digits than a double, so they are taken from the text. */
function sinceOf(line: string, event: RawEvent): string {
  const [, seconds, nanos] = /"timeNano":(\d+)(\d{9})\b/.exec(line) ?? [];
  return seconds === undefined ? `${Number(event.time ?? 0)}.000000000` : `${seconds}.${nanos}`;
}

/**
 * Lines of a stream of bytes; one longer than `max_bytes` is passed over, since an
 * event that is missed is found by the next look at the list.
 */
export async function* linesOf(
  stream: AsyncIterable<Buffer>,
  max_bytes: number,
): AsyncGenerator<string> {
  let rest: Buffer = Buffer.alloc(0);
  let skipping = false;
  for await (const piece of stream) {
    let bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a)) {
      if (!skipping && end > 0) yield bytes.toString('utf8', 0, end);
      skipping = false;
      bytes = bytes.subarray(end + 1);
    }
    if (bytes.length > max_bytes) {
      skipping = true;
      bytes = Buffer.alloc(0);
    }
    rest = bytes;
  }
}
