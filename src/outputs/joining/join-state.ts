import { LogboomError } from '../../errors.ts';
import type { Place } from './held-line.ts';
import type { JoinLimits } from './joiner.ts';

/**
 * What happened between two records of the journal and cannot be read from it: the clock reached
 * a time, or other limits came into force (null: no more joining). Both in front of record `seq`.
 */
export type Decision =
  | { readonly seq: number; readonly time_ms: number }
  | { readonly seq: number; readonly limits: JoinLimits | null };

/**
 * What a joined stream needs to go on behind a boundary as it did before, byte for byte. It is
 * recorded in the cursor with the output's own window, which stands behind it:
 *
 *     ┌───────────┬─────────┬─────────────┬───────────────┬──────────────┐
 *     │ mark      │ version │ state bytes │ JoinState     │ the output's │
 *     │ u8 = 0x6a │ u8 = 1  │ u32         │ as JSON       │ window       │
 *     └───────────┴─────────┴─────────────┴───────────────┴──────────────┘
 *
 * No output's own window begins with the mark. The cursor's checksum covers all of it.
 */
export interface JoinState {
  /** Of the journal: with another epoch the same seqs may name other records. */
  readonly epoch: number;
  /** Of the numbering. */
  readonly from_seq: number;
  /** The number before which everything is done, apart from what is held. */
  readonly boundary: number;
  /** Records before it were handed out, and come again exactly as they did. */
  readonly end_seq: number;
  /** In force at the boundary. */
  readonly limits: JoinLimits | null;
  /** Behind the boundary, in order. */
  readonly decisions: readonly Decision[];
  /** Fragments before the boundary whose line was not done there, line by line. */
  readonly held: readonly (readonly Place[])[];
}

const MARK = 0x6a;
const VERSION = 1;
const HEADER_BYTES = 6;

/** `held` as `[[seq, event, seq, event ...], ...]`. */
interface WrittenState extends Omit<JoinState, 'held'> {
  readonly held: readonly (readonly number[])[];
}

export function encodeJoined(state: JoinState, window: Buffer): Buffer {
  const held = state.held.map((places) => places.flatMap(({ seq, event }) => [seq, event]));
  const written: WrittenState = { ...state, held };
  const text = Buffer.from(JSON.stringify(written));
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt8(MARK, 0);
  header.writeUInt8(VERSION, 1);
  header.writeUInt32BE(text.length, 2);
  return Buffer.concat([header, text, window]);
}

/**
 * Undefined for a window of an output that never joined.
 *
 * @throws LB_JOURNAL_VERSION when a newer logboom wrote it
 */
export function decodeJoined(
  bytes: Buffer,
): { readonly state: JoinState; readonly window: Buffer } | undefined {
  if (bytes.length < HEADER_BYTES || bytes.readUInt8(0) !== MARK) return undefined;
  const version = bytes.readUInt8(1);
  if (version !== VERSION) {
    throw new LogboomError(
      'LB_JOURNAL_VERSION',
      `the recorded state of joined lines has version ${version}, this logboom knows ${VERSION}`,
      { hint: 'Run the newer logboom, or let it drain this output first.' },
    );
  }
  const end = HEADER_BYTES + bytes.readUInt32BE(2);
  // Written by encodeJoined and guarded by the cursor's checksum.
  const written = JSON.parse(bytes.toString('utf8', HEADER_BYTES, end)) as WrittenState;
  return {
    state: { ...written, held: written.held.map(placesOf) },
    window: bytes.subarray(end),
  };
}

function placesOf(flat: readonly number[]): Place[] {
  const places: Place[] = [];
  for (let i = 0; i < flat.length; i += 2) {
    places.push({ seq: flat[i] as number, event: flat[i + 1] as number }); // written in pairs
  }
  return places;
}
