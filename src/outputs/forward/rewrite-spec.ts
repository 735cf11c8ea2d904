import { CODEC, type Codec } from '../../protocol/codec.ts';

/** The value of a static field. */
export type FieldValue = string | number | boolean;

/**
 * How chunks are changed on their way out. It is recorded with the window, so that a
 * chunk that is sent again after a restart is changed in the same way, whatever the
 * configuration says by then.
 */
export interface Rewrite {
  /** Goes before every tag. */
  readonly tag_prefix: string;
  /** Static fields; a record's own field of the same name stays as it is. */
  readonly add: Readonly<Record<string, FieldValue>>;
  /** The metadata of `[[time, metadata], record]`: kept, dropped, or moved under a key of the record. */
  readonly metadata: 'keep' | 'drop' | { readonly key: string };
  /** Fluent Bit's group start and end entries. */
  readonly group_markers: 'keep' | 'drop';
  /** Stored codecs that go out as they are; others are inflated. */
  readonly codecs_kept: readonly Codec[];
  /** What uncompressed chunks are compressed with. */
  readonly compress: Codec;
}

/** Changes nothing: what a receiving logboom is sent. */
export const REWRITE_NONE: Rewrite = {
  tag_prefix: '',
  add: {},
  metadata: 'keep',
  group_markers: 'keep',
  codecs_kept: [CODEC.gzip, CODEC.zstd],
  compress: CODEC.none,
};

/** What the rewrite adds to an event at most: keys and values with their msgpack heads. */
export function growthPerEvent(rewrite: Rewrite): number {
  let bytes = 0;
  for (const [key, value] of Object.entries(rewrite.add)) {
    bytes +=
      10 + Buffer.byteLength(key) + (typeof value === 'string' ? Buffer.byteLength(value) : 9);
  }
  return typeof rewrite.metadata === 'string' ? bytes : bytes + 5 + rewrite.metadata.key.length;
}

/** The same text for the same rewrite: the recorded form. */
export function rewriteToText(rewrite: Rewrite): string {
  return JSON.stringify(rewrite);
}

/** @throws SyntaxError when the text is not what `rewriteToText` writes */
export function rewriteFromText(text: string): Rewrite {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null) {
    throw new SyntaxError(`a rewrite is an object, not ${typeof value}`);
  }
  // Written by rewriteToText and guarded by a checksum; a field that an older version lacked has its default.
  return { ...REWRITE_NONE, ...(value as Partial<Rewrite>) };
}
