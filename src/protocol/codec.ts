/** How a chunk's entries are compressed. The numbers are stored in the journal: never reuse one. */
export const CODEC = { none: 0, gzip: 1, zstd: 2 } as const;
export type Codec = (typeof CODEC)[keyof typeof CODEC];

/**
 * What else is known about a record's entries, as bits. Stored in the journal: never reuse one.
 *
 *     bit 0      some entries carry metadata: [[time, metadata], record]
 *     bit 1      group markers of Fluent Bit may be among them
 *     bits 8-15  fluent_signal: 0 logs, 1 metrics, 2 traces ...; other than 0: the body is opaque, not entries
 */
export const ATTR = { metadata: 1, group_markers: 2, signal_shift: 8 } as const;

export const signalOf = (attrs: number): number => (attrs >>> ATTR.signal_shift) & 0xff;
