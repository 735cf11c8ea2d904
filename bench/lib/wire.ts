import { gzipSync } from 'node:zlib';
import { arrayHeader, bin, mapHeader, str, uint } from '../../src/protocol/msgpack-write.ts';
import { driverBody } from '../../test/support/docker-entries.ts';

/** Wire bytes of a load, made before the clock starts. Pure. */

export type WireMode = 'message' | 'forward' | 'packed' | 'gzip';

export interface LoadShape {
  readonly mode: WireMode;
  /** Of the log text; around it a message has about 135 bytes in Message mode. */
  readonly line_bytes: number;
  readonly tags_count: number;
}

/** Messages end to end, to be sent again and again. */
export interface LoadBlock {
  readonly bytes: Buffer;
  readonly events_count: number;
  /** Of the events as entries, compressed if they are: what the sink has to see. */
  readonly body_bytes: number;
}

/** Fluentd and Fluent Bit send such chunks under load. */
const PACKED_EVENTS_MAX = 500;
const PACKED_BYTES_MAX = 512 * 1024;

const ENTRY_HEADER = Buffer.of(0x92);
const CONTAINER_ID = '7175395e0'.padEnd(64, '0');
const TIME_S = 1_795_413_617;

/**
 * A block with each tag as often as the others, one message a tag in turn.
 *
 * @param min_bytes of its events, before they are compressed
 */
export function loadBlock(shape: LoadShape, min_bytes: number): LoadBlock {
  const messages: Buffer[] = [];
  let events_count = 0;
  let entry_bytes = 0;
  let body_bytes = 0;
  while (entry_bytes < min_bytes || messages.length % shape.tags_count !== 0) {
    const tag = str(`app.${messages.length % shape.tags_count}`);
    const bodies = eventBodies(shape, events_count);
    const entries = Buffer.concat(bodies.flatMap((body) => [ENTRY_HEADER, body]));
    const payload = shape.mode === 'gzip' ? gzipSync(entries) : entries;
    messages.push(encodeMessage(shape.mode, tag, bodies, payload));
    events_count += bodies.length;
    entry_bytes += entries.length;
    body_bytes += payload.length;
  }
  return { bytes: Buffer.concat(messages), events_count, body_bytes };
}

/** The events of one message, as `time record` each. */
function eventBodies({ mode, line_bytes }: LoadShape, first: number): Buffer[] {
  const count =
    mode === 'message'
      ? 1
      : Math.max(1, Math.min(PACKED_EVENTS_MAX, Math.floor(PACKED_BYTES_MAX / line_bytes)));
  return Array.from({ length: count }, (_, index) => eventBody(first + index, line_bytes));
}

function eventBody(index: number, line_bytes: number): Buffer {
  return driverBody(
    {
      source: index % 8 === 0 ? 'stderr' : 'stdout',
      log: logText(index, line_bytes),
      time_s: TIME_S,
      time_ns: index % 1_000_000_000,
    },
    { container_id: CONTAINER_ID, container_name: '/bench', sub_second: true },
  );
}

/** As a web server would log: some of it the same in each line, some of it not. */
export function logText(index: number, bytes: number): Buffer {
  const request = (index * 2_654_435_761) % 4_294_967_296;
  const text = `GET /api/v1/things/${index} 200 ${request % 400}ms request=${request.toString(16)} `;
  return Buffer.from(text.repeat(Math.ceil(bytes / text.length)).slice(0, bytes));
}

function encodeMessage(
  mode: WireMode,
  tag: Buffer,
  bodies: readonly Buffer[],
  payload: Buffer,
): Buffer {
  if (mode === 'message') return Buffer.concat([arrayHeader(4), tag, ...bodies, mapHeader(0)]);
  if (mode === 'forward') {
    return Buffer.concat([arrayHeader(2), tag, arrayHeader(bodies.length), payload]);
  }
  const options = [str('size'), uint(bodies.length)];
  if (mode === 'gzip') options.push(str('compressed'), str('gzip'));
  return Buffer.concat([
    arrayHeader(3),
    tag,
    bin(payload),
    mapHeader(options.length / 2),
    ...options,
  ]);
}

/** One Message that asks for an ack; its id stands in it to be changed before each send. */
export interface AckedMessage {
  readonly bytes: Buffer;
  readonly id_start: number;
  readonly id_bytes: number;
}

/** As long as the ids of Docker's driver and of Fluent Bit. */
const ID_BYTES = 24;

export function ackedMessage(line_bytes: number): AckedMessage {
  const head = Buffer.concat([arrayHeader(4), str('app.0'), eventBody(0, line_bytes)]);
  const options = Buffer.concat([mapHeader(1), str('chunk'), str('0'.repeat(ID_BYTES))]);
  const bytes = Buffer.concat([head, options]);
  return { bytes, id_start: bytes.length - ID_BYTES, id_bytes: ID_BYTES };
}
