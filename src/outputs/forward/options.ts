import { CODEC, type Codec } from '../../protocol/codec.ts';
import type { JoinLimits } from '../joining/joiner.ts';
import type { FieldValue, Rewrite } from './rewrite-spec.ts';

export type ServerAddress =
  | { readonly kind: 'tcp' | 'tls'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

interface ForwardServer {
  /** As it was written: names the server in logs, and takes part in the choice by tag. */
  readonly url: string;
  readonly address: ServerAddress;
  readonly weight: number;
  readonly standby: boolean;
}

export interface ClientTls {
  /** PEM files. Undefined `ca_file`: the authorities that Node.js trusts. */
  readonly ca_file?: string;
  readonly cert_file?: string;
  readonly key_file?: string;
  readonly verify: boolean;
  /** Undefined: the host of the URL. */
  readonly server_name?: string;
  readonly min_version: 'TLSv1.2' | 'TLSv1.3';
}

export interface ClientHandshake {
  readonly shared_key: string;
  readonly username: string;
  readonly password: string;
  /** Undefined: the host name. */
  readonly self_hostname?: string;
}

interface RetryOptions {
  readonly delay_min_ms: number;
  readonly delay_max_ms: number;
  /** Events that are older and cannot be sent go to the dead letter. Undefined: never. */
  readonly max_age_ms: number | undefined;
  /** How long a chunk that may have arrived stays with its server before another gets it. */
  readonly failover_after_ms: number;
  /** A server that failed gets its tags back after so long in good health. Default: 5 s. */
  readonly recover_wait_ms?: number;
  /** A chunk that fails again and again for so long is taken for poison: see poison.ts. Default: 10 s. */
  readonly suspect_after_ms?: number;
}

interface DeadLetterOptions {
  readonly dir: string;
  readonly max_bytes: number;
}

export type ForwardKind = 'fluentd' | 'fluent-bit' | 'logboom';

/** Everything about one forward output, checked and with every default filled in. */
export interface ForwardOutputOptions {
  readonly name: string;
  /** The preferred one first; at least one. */
  readonly servers: readonly ForwardServer[];
  readonly kind: ForwardKind;
  readonly balance: 'failover' | 'weighted';
  /** False: not guaranteed; the cursor moves once the kernel took the bytes. */
  readonly ack: boolean;
  readonly ack_timeout_ms: number;
  /** For connecting, TLS and handshake together. */
  readonly connect_timeout_ms: number;
  /** Undefined: connections are kept for as long as they last. */
  readonly connection_max_age_ms: number | undefined;
  /** `keep`: as stored, where the kind takes it. */
  readonly compress: 'keep' | 'off' | 'gzip' | 'zstd';
  readonly chunk_max_bytes: number;
  /** What is planned, recorded and sent as one step. */
  readonly window_max_bytes: number;
  /** The un-acked bytes are at most about this many windows. */
  readonly windows_in_flight_max: number;
  readonly tls: ClientTls;
  readonly handshake?: ClientHandshake;
  readonly retry: RetryOptions;
  readonly dead_letter: DeadLetterOptions;
  readonly add: Readonly<Record<string, FieldValue>>;
  readonly tag_prefix: string;
  /** Long lines that came in fragments are joined. Undefined: they are sent as they came. */
  readonly join_partial?: JoinLimits | undefined;
  /** Where entry metadata goes for a kind that does not know it. Undefined: it is dropped and counted. */
  readonly metadata_key?: string;
}

/** What a kind of upstream can take (formats.md 1.2, 1.6, 1.8). */
export interface KindProfile {
  /** `[[time, metadata], record]` and group markers. */
  readonly takes_metadata: boolean;
  readonly takes_signals: boolean;
  readonly codecs: readonly Codec[];
  /** A compressed chunk that inflates to more is refused there. */
  readonly inflated_max_bytes: number;
  /** Chunks in flight on one connection. */
  readonly in_flight_max_count: number;
}

const MiB = 1024 * 1024;

export const KINDS: Readonly<Record<ForwardKind, KindProfile>> = {
  // Metadata: fluentd 1.19 drops such entries and acks. zstd: only since 1.19.0.
  fluentd: {
    takes_metadata: false,
    takes_signals: false,
    codecs: [CODEC.gzip],
    inflated_max_bytes: 256 * MiB,
    in_flight_max_count: 1024,
  },
  // Reads what it has of a message before the next; its acks were only ever read one at a time.
  'fluent-bit': {
    takes_metadata: true,
    takes_signals: true,
    codecs: [CODEC.gzip, CODEC.zstd],
    inflated_max_bytes: 6_144_000,
    in_flight_max_count: 1,
  },
  logboom: {
    takes_metadata: true,
    takes_signals: true,
    codecs: [CODEC.gzip, CODEC.zstd],
    inflated_max_bytes: Number.POSITIVE_INFINITY,
    in_flight_max_count: 4096,
  },
};

const COMPRESS_CODEC = {
  keep: CODEC.none,
  off: CODEC.none,
  gzip: CODEC.gzip,
  zstd: CODEC.zstd,
} as const;

/** What the options and the kind of upstream together make of chunks. */
export function rewriteFor(options: ForwardOutputOptions): Rewrite {
  const { kind, compress, add, tag_prefix, metadata_key } = options;
  const profile = KINDS[kind];
  const lost_metadata = metadata_key === undefined ? 'drop' : { key: metadata_key };
  return {
    tag_prefix,
    add,
    metadata: profile.takes_metadata ? 'keep' : lost_metadata,
    group_markers: profile.takes_metadata ? 'keep' : 'drop',
    codecs_kept: profile.codecs.filter(
      (codec) => compress === 'keep' || codec === COMPRESS_CODEC[compress],
    ),
    compress: COMPRESS_CODEC[compress],
  };
}
