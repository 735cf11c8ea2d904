/**
 * How a client chunk is written down, as a state entry beside its events and in
 * the snapshots of the window. All integers big-endian.
 *
 *     entry     | flags u8 | connection u32 | tag crc u32 | body bytes u32 | body crc u32 |
 *               | sender length u8 | sender | id ... to the end |
 *     snapshot  | version u8 | next connection u32 | { entry length u16 | entry } ... |
 */
import { LogboomError } from '../../errors.ts';

const VERSION = 1;
const FLAG = { received: 1, settles: 2 } as const;
const ENTRY_HEAD_BYTES = 18;
const SNAPSHOT_HEAD_BYTES = 5;
/** A sender's name fits into the length byte; see `senderKey`. */
export const SENDER_MAX_BYTES = 255;

/** What tells two bodies apart that came under one id. */
export interface ChunkBody {
  readonly tag_crc: number;
  readonly body_bytes: number;
  readonly body_crc: number;
}

export interface ChunkEntry extends ChunkBody {
  readonly sender: string;
  /** The id's bytes, one character each. */
  readonly id: string;
  /** Number of the client connection that brought it; never used twice. */
  readonly connection: number;
  /** The client is known to have its ack. Only in snapshots. */
  readonly received: boolean;
  /** The client had the acks of all earlier chunks of this connection when it sent this one. */
  readonly settles: boolean;
}

export function encodeEntry(entry: ChunkEntry): Buffer {
  const sender_bytes = entry.sender.length;
  const out = Buffer.allocUnsafe(ENTRY_HEAD_BYTES + sender_bytes + entry.id.length);
  out[0] = (entry.received ? FLAG.received : 0) | (entry.settles ? FLAG.settles : 0);
  out.writeUInt32BE(entry.connection, 1);
  out.writeUInt32BE(entry.tag_crc, 5);
  out.writeUInt32BE(entry.body_bytes, 9);
  out.writeUInt32BE(entry.body_crc, 13);
  out[17] = sender_bytes;
  out.write(entry.sender, ENTRY_HEAD_BYTES, 'latin1');
  out.write(entry.id, ENTRY_HEAD_BYTES + sender_bytes, 'latin1');
  return out;
}

/** @throws LB_JOURNAL_CORRUPT for bytes that are no entry. */
export function decodeEntry(bytes: Buffer): ChunkEntry {
  const sender_bytes = bytes[17];
  if (sender_bytes === undefined || ENTRY_HEAD_BYTES + sender_bytes > bytes.length) {
    throw corrupt(`an entry of ${bytes.length} bytes is too short`);
  }
  const id_start = ENTRY_HEAD_BYTES + sender_bytes;
  const flags = bytes.readUInt8(0);
  return {
    sender: bytes.toString('latin1', ENTRY_HEAD_BYTES, id_start),
    id: bytes.toString('latin1', id_start),
    connection: bytes.readUInt32BE(1),
    tag_crc: bytes.readUInt32BE(5),
    body_bytes: bytes.readUInt32BE(9),
    body_crc: bytes.readUInt32BE(13),
    received: (flags & FLAG.received) !== 0,
    settles: (flags & FLAG.settles) !== 0,
  };
}

export interface WindowSnapshot {
  readonly next_connection: number;
  readonly entries: readonly ChunkEntry[];
}

export function encodeSnapshot(window: WindowSnapshot): Buffer {
  const head = Buffer.allocUnsafe(SNAPSHOT_HEAD_BYTES);
  head[0] = VERSION;
  head.writeUInt32BE(window.next_connection, 1);
  const pieces: Buffer[] = [head];
  for (const entry of window.entries) {
    const bytes = encodeEntry(entry);
    const length = Buffer.allocUnsafe(2);
    length.writeUInt16BE(bytes.length);
    pieces.push(length, bytes);
  }
  return Buffer.concat(pieces);
}

/** @throws LB_JOURNAL_CORRUPT for bytes that are no snapshot, LB_JOURNAL_VERSION for a newer one. */
export function decodeSnapshot(bytes: Buffer): WindowSnapshot {
  const version = bytes[0];
  if (version === undefined || bytes.length < SNAPSHOT_HEAD_BYTES) {
    throw corrupt(`a snapshot of ${bytes.length} bytes is too short`);
  }
  if (version !== VERSION) {
    throw new LogboomError(
      'LB_JOURNAL_VERSION',
      `the snapshot of client chunks has version ${version}, known is ${VERSION}`,
      { hint: 'Open this journal with the newer logboom that wrote it.' },
    );
  }
  const entries: ChunkEntry[] = [];
  let at = SNAPSHOT_HEAD_BYTES;
  while (at < bytes.length) {
    const entry_start = at + 2;
    const entry_end = entry_start <= bytes.length ? entry_start + bytes.readUInt16BE(at) : Infinity;
    if (entry_end > bytes.length) throw corrupt(`a snapshot breaks off at byte ${at}`);
    entries.push(decodeEntry(bytes.subarray(entry_start, entry_end)));
    at = entry_end;
  }
  return { next_connection: bytes.readUInt32BE(1), entries };
}

function corrupt(what: string): LogboomError {
  return new LogboomError('LB_JOURNAL_CORRUPT', `client chunks: ${what}`);
}
