import { LIMITS } from '../../limits.ts';
import type { HandshakeOptions } from './handshake-gate.ts';
import type { ListenAddress } from './listen-address.ts';
import type { TlsOptions } from './tls-context.ts';

export interface ListenerOptions {
  readonly address: ListenAddress;
  /** Needed for `tls` addresses; on inherited sockets it turns TLS on. */
  readonly tls?: TlsOptions;
  /** With it, clients have to prove that they know the shared key, and who they are. */
  readonly handshake?: HandshakeOptions;
  /** Answers fluentd's UDP heartbeat on the same port number. `tcp` and `tls` only. */
  readonly udp_heartbeat?: boolean;
}

export interface ForwardInputOptions {
  readonly listeners: readonly ListenerOptions[];
  /** For large messages that outgrow memory. Created when first needed. */
  readonly spool_dir: string;
  readonly limits: ForwardLimits;
}

/** What the input takes from its clients; `limits.ts` says what each one bounds. */
export type ForwardLimits = Readonly<Record<(typeof FORWARD_LIMIT_NAMES)[number], number>>;

const FORWARD_LIMIT_NAMES = [
  'connections_max',
  'handshake_timeout_ms',
  'handshake_max_bytes',
  'tag_max_bytes',
  'chunk_id_max_bytes',
  'option_max_bytes',
  'event_max_bytes',
  'message_max_bytes',
  'inflated_max_bytes',
  'zstd_frame_max_bytes',
  'nesting_max_levels',
  'frame_inline_max_bytes',
  'spool_memory_max_bytes',
  'unfinished_max_bytes',
  'acks_max',
  'ack_buffer_max_bytes',
  'record_max_bytes',
  'chunk_max_bytes',
] as const;

export const FORWARD_LIMITS: ForwardLimits = LIMITS;
