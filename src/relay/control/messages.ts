import { z } from 'zod';
import type { RelayStatus } from '../../status/types.ts';

/**
 * What two relays of one journal say to each other over its control socket: a line of
 * JSON each. Unknown fields are passed over, so that versions can differ.
 *
 *     successor                         predecessor
 *     takeover ────────────────────────►
 *              ◄──────────────────────── ready, or refused
 *     (opens its listeners beside)
 *     release ─────────────────────────►  the point of no return
 *              ◄──────────────────────── closed: it listens no more
 *                                         (drains, commits, acks, saves cursors)
 *              ◄──────────────────────── stopped: the journal is free
 *
 * Whoever only wants to know says `status`, and gets the snapshot as its answer.
 *
 * A connection that ends before `release` calls it off; after it, its end means the
 * same as `stopped`, since a process that is gone holds no lock.
 */
export const PROTOCOL = 1;

const takeover = z.object({
  type: z.literal('takeover'),
  protocol: z.number(),
  pid: z.number(),
  version: z.string(),
});

const ready = z.object({
  type: z.literal('ready'),
  pid: z.number(),
  version: z.string(),
  /** The journal's format version. */
  journal_format: z.number(),
  /** Names of all outputs. */
  outputs: z.array(z.string()),
  /** The places that the journal keeps, and the type of output that has each. */
  places: z.array(z.object({ name: z.string(), type: z.string().optional() })).optional(),
  listeners: z.array(z.object({ url: z.string(), shares_port: z.boolean() })),
  /** How long it may take to stop. */
  stop_timeout_ms: z.number(),
});

export const request = z.discriminatedUnion('type', [
  takeover,
  z.object({ type: z.literal('release') }),
  z.object({ type: z.literal('status') }),
]);

export const answer = z.discriminatedUnion('type', [
  ready,
  z.object({ type: z.literal('refused'), reason: z.string() }),
  z.object({ type: z.literal('closed') }),
  z.object({ type: z.literal('stopped') }),
]);

/** Of the snapshot only what no relay leaves out is looked at. */
export const statusAnswer = z.object({
  type: z.literal('status'),
  status: z.custom<RelayStatus>(
    (value) =>
      z.looseObject({ version: z.string(), journal: z.looseObject({}) }).safeParse(value).success,
  ),
});

export type StatusAnswer = z.infer<typeof statusAnswer>;
export type Request = z.infer<typeof request>;
export type Answer = z.infer<typeof answer>;
export type Ready = z.infer<typeof ready>;
