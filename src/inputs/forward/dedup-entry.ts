/**
 * How a client chunk is written down, as a state entry beside its events and in
 * the snapshots of the window. All integers big-endian.
 *
 *     entry     | flags u8 | connection u32 | key ... to the end |
 *     key       | tag crc u32 | body bytes u32 | body crc u32 |
 *               | sender length u8 | sender | id ... to the end |
 *     snapshot  | version u8 | next connection u32 | { entry length u16 | entry } ... |
 */
import { LogboomError } from '../../errors.ts';

const VERSION = 1;
const FLAG = { received: 1, settles: 2 } as const;
const KEY_START = 5;
/** The length of the sender's name, and the name, in a key. */
const KEY_SENDER_LENGTH = 12;
const KEY_SENDER = 13;
const SNAPSHOT_HEAD_BYTES = 5;
/** A sender's name fits into the length byte; see `senderKey`. */
export const SENDER_MAX_BYTES = 255;

/** What tells two bodies apart that came under one id. */
export interface ChunkBody {
  readonly tag_crc: number;
  readonly body_bytes: number;
  readonly body_crc: number;
}

export interface ChunkEntry {
  /** See `chunkKey`. */
  readonly key: string;
  readonly sender: string;
  /** Number of the client connection that brought it; never used twice. */
  readonly connection: number;
  /** The client is known to have its ack. Only in snapshots. */
  readonly received: boolean;
  /** The client had the acks of all earlier chunks of this connection when it sent this one. */
  readonly settles: boolean;
}

/**
 * What a chunk is known by: sender, id and body, one character a byte.
 *
 * The id alone does not do: clients built with Go before 1.20, which does not seed its
 * random numbers, give different messages the same ids.
 *
 * @param sender one character a byte, at most `SENDER_MAX_BYTES`
 */
export function chunkKey(sender: string, id: Buffer, body: ChunkBody): string {
  const key = Buffer.allocUnsafe(KEY_SENDER + sender.length + id.length);
  key.writeUInt32BE(body.tag_crc, 0);
  key.writeUInt32BE(body.body_bytes, 4);
  key.writeUInt32BE(body.body_crc, 8);
  key[KEY_SENDER_LENGTH] = sender.length;
  key.write(sender, KEY_SENDER, 'latin1');
  key.set(id, KEY_SENDER + sender.length);
  return key.toString('latin1');
}

export function encodeEntry({ key, connection, received, settles }: ChunkEntry): Buffer {
  const out = Buffer.allocUnsafe(KEY_START + key.length);
  out[0] = (received ? FLAG.received : 0) | (settles ? FLAG.settles : 0);
  out.writeUInt32BE(connection, 1);
  out.write(key, KEY_START, 'latin1');
  return out;
}

/** The key in an entry that `encodeEntry` made. */
export const keyOfEntry = (entry: Buffer): string => entry.toString('latin1', KEY_START);

/** @throws LB_JOURNAL_CORRUPT for bytes that are no entry. */
export function decodeEntry(bytes: Buffer): ChunkEntry {
  const sender_bytes = bytes[KEY_START + KEY_SENDER_LENGTH];
  const sender_start = KEY_START + KEY_SENDER;
  if (sender_bytes === undefined || sender_start + sender_bytes > bytes.length) {
    throw corrupt(`an entry of ${bytes.length} bytes is too short`);
  }
  const flags = bytes.readUInt8(0);
  return {
    key: keyOfEntry(bytes),
    sender: bytes.toString('latin1', sender_start, sender_start + sender_bytes),
    connection: bytes.readUInt32BE(1),
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
