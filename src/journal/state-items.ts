/** The bodies of state and snapshot records. Numbers are little-endian. */

/**
 *      0       2      4       8
 *     ┌───────┬──────┬───────┬─────────┬───
 *     │ space │ what │ bytes │ content │ ... the next entry
 *     │ u16   │ u16  │ u32   │         │
 *     └───────┴──────┴───────┴─────────┴───
 *
 * A state record holds entries (what = 0). A snapshot record holds for each
 * space its snapshot (what = 1), followed by entries to apply to it (what = 0).
 */
export const STATE_WHAT = { entry: 0, snapshot: 1 } as const;
export const STATE_HEADER_BYTES = 8;
export const SPACE_MAX = 0xffff;

export interface StateItem {
  readonly space: number;
  readonly what: number;
  readonly content: Buffer;
}

/** Writes what precedes the content of `bytes` bytes. */
export function encodeStateHeader(
  buf: Buffer,
  at: number,
  space: number,
  what: number,
  bytes: number,
): void {
  buf.writeUInt16LE(space, at);
  buf.writeUInt16LE(what, at + 2);
  buf.writeUInt32LE(bytes, at + 4);
}

/** The body of a state record. */
export function encodeStateItems(
  entries: readonly { readonly space: number; readonly entry: Buffer }[],
): Buffer {
  return Buffer.concat(
    entries.flatMap(({ space, entry }) => {
      const header = Buffer.alloc(STATE_HEADER_BYTES);
      encodeStateHeader(header, 0, space, STATE_WHAT.entry, entry.length);
      return [header, entry];
    }),
  );
}

/** The items of a body whose checksum was right; a length that runs over the end is a bug and throws. */
export function decodeStateItems(body: Buffer): StateItem[] {
  const items: StateItem[] = [];
  let at = 0;
  while (at < body.length) {
    const bytes = body.readUInt32LE(at + 4);
    const end = at + STATE_HEADER_BYTES + bytes;
    if (end > body.length) {
      throw new RangeError(`a state item of ${bytes} B at ${at} ends beyond ${body.length} B`);
    }
    const content = body.subarray(at + STATE_HEADER_BYTES, end);
    items.push({ space: body.readUInt16LE(at), what: body.readUInt16LE(at + 2), content });
    at = end;
  }
  return items;
}
