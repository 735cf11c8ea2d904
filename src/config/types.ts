import type { HttpAddress, ListenAddress, ServerAddress } from './address.ts';

/**
 * The configuration as the rest of logboom takes it: every default filled in,
 * secrets read, paths absolute, sizes in bytes and durations in milliseconds,
 * `undefined` where something is off. Immutable.
 */
export interface Config {
  readonly inputs: InputsConfig;
  readonly docker: DockerConfig;
  readonly journal: JournalConfig;
  /** In the order of the file. */
  readonly outputs: readonly OutputConfig[];
  readonly status: StatusConfig;
  readonly log: LogConfig;
  readonly shutdown_timeout_ms: number;
}

export interface InputsConfig {
  readonly listeners: readonly ListenerConfig[];
  readonly tail: readonly TailConfig[];
  /** Undefined: there is no health check. */
  readonly health: HttpAddress | undefined;
  readonly limits: InputLimits;
  readonly dedup: DedupConfig;
}

export interface ListenerConfig {
  /** As it was written. */
  readonly url: string;
  readonly address: ListenAddress;
  /** Always there for `tls`; on a systemd socket it turns TLS on. */
  readonly tls?: ServerTlsConfig;
  readonly handshake?: ServerHandshakeConfig;
  readonly udp_heartbeat: boolean;
}

export interface TailConfig {
  /** Absolute, with wildcards. */
  readonly paths: readonly string[];
  readonly exclude: readonly string[];
  /** With fields in braces. */
  readonly tag: string;
  readonly start_at: StartAt;
}

type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

export interface ServerTlsConfig {
  readonly cert_file: string;
  readonly key_file: string;
  readonly ca_file?: string;
  readonly client_certificates: 'none' | 'request' | 'require';
  readonly min_version: TlsVersion;
}

export interface ServerHandshakeConfig {
  readonly shared_key: string;
  /** Undefined: the host name. */
  readonly self_hostname?: string;
  readonly users: readonly { readonly name: string; readonly password: string }[];
}

interface InputLimits {
  readonly connections_max: number;
  readonly message_max_bytes: number;
  readonly event_max_bytes: number;
  readonly inflated_max_bytes: number;
  readonly nesting_max_levels: number;
  readonly handshake_timeout_ms: number;
}

interface DedupConfig {
  readonly sender_max_ids: number;
  readonly max_ids: number;
  readonly max_senders: number;
}

export interface DockerConfig {
  /** Undefined: log files are not read. */
  readonly root: string | undefined;
  /** The socket of the Engine API. Undefined: it is not asked. */
  readonly api_socket: string | undefined;
  /** Empty: the listeners' own. */
  readonly addresses: readonly string[];
  /** Undefined: this system's. */
  readonly hostname: string | undefined;
  readonly start_at: StartAt;
  /** Docker's tag template; it compiles. */
  readonly tag: string;
  readonly sub_second: boolean;
  readonly labels: readonly string[];
  readonly env: readonly string[];
  readonly ecs: boolean;
  readonly include: readonly ContainerPatternConfig[];
  readonly exclude: readonly ContainerPatternConfig[];
  readonly forget_after_ms: number;
}

/** At least one is given. */
export interface ContainerPatternConfig {
  readonly name?: string;
  readonly image?: string;
  readonly label?: string;
}

type StartAt = 'newest' | 'oldest';

export interface JournalConfig {
  readonly dir: string;
  readonly max_bytes: number;
  readonly on_full: 'block' | 'drop_oldest';
  readonly sync: 'commit' | 'os';
  readonly segment_max_bytes: number;
  readonly linger_ms: number;
}

export type OutputConfig = ForwardOutputConfig | FileOutputConfig | StdoutOutputConfig;

interface CommonOutputConfig {
  readonly name: string;
  /** fluentd's tag patterns, separated by spaces; they compile. */
  readonly match: string;
  readonly start_at: StartAt;
  readonly max_lag_bytes: number | undefined;
  /** Fields added to every event. */
  readonly add: Readonly<Record<string, string | number | boolean>>;
  readonly tag_prefix: string;
  /** Undefined: fragments of long lines go out as they came. */
  readonly join_partial: JoinPartialConfig | undefined;
}

interface JoinPartialConfig {
  readonly max_bytes: number;
  readonly timeout_ms: number;
}

export interface ForwardOutputConfig extends CommonOutputConfig {
  readonly type: 'forward';
  /** The preferred one first; at least one. */
  readonly servers: readonly ServerConfig[];
  readonly kind: 'fluentd' | 'fluent-bit' | 'logboom';
  readonly balance: 'failover' | 'weighted';
  readonly ack: boolean;
  readonly ack_timeout_ms: number;
  readonly connect_timeout_ms: number;
  readonly connection_max_age_ms: number | undefined;
  /** `keep`: as the events came. */
  readonly compress: 'keep' | 'off' | 'gzip' | 'zstd';
  /** Where metadata goes for a kind that does not know it. Undefined: it is dropped and counted. */
  readonly metadata_key?: string;
  readonly chunk_max_bytes: number;
  readonly window_max_bytes: number;
  readonly windows_in_flight_max: number;
  readonly tls: ClientTlsConfig;
  readonly handshake?: ClientHandshakeConfig;
  readonly retry: RetryConfig;
  readonly dead_letter: DeadLetterConfig;
}

export interface ServerConfig {
  /** As it was written. */
  readonly url: string;
  readonly address: ServerAddress;
  readonly weight: number;
  readonly standby: boolean;
}

export interface ClientTlsConfig {
  /** Undefined: the authorities that Node.js trusts. */
  readonly ca_file?: string;
  readonly cert_file?: string;
  readonly key_file?: string;
  readonly verify: boolean;
  /** Undefined: the host of the URL. */
  readonly server_name?: string;
  readonly min_version: TlsVersion;
}

export interface ClientHandshakeConfig {
  readonly shared_key: string;
  readonly username: string;
  readonly password: string;
  /** Undefined: the host name. */
  readonly self_hostname?: string;
}

interface RetryConfig {
  readonly delay_min_ms: number;
  readonly delay_max_ms: number;
  /** Undefined: never gives up. */
  readonly max_age_ms: number | undefined;
  readonly failover_after_ms: number;
}

export interface DeadLetterConfig {
  readonly dir: string;
  readonly max_bytes: number;
}

export interface FileOutputConfig extends CommonOutputConfig {
  readonly type: 'file';
  /** `{tag}` and `{date}` may stand in it. */
  readonly path: string;
  readonly rotate_max_bytes: number | undefined;
  readonly rotate_every_ms: number | undefined;
  readonly rotate_keep_max: number;
  readonly compress: 'gzip' | 'off';
  readonly mode: number;
}

export interface StdoutOutputConfig extends CommonOutputConfig {
  readonly type: 'stdout';
  readonly format: 'auto' | 'ndjson' | 'pretty';
  /** Keeps no place in the journal: it begins with what arrives after the start, and nothing waits for it. */
  readonly transient: boolean;
}

interface StatusConfig {
  /** Undefined: not served. */
  readonly address: HttpAddress | undefined;
  readonly token: string | undefined;
}

interface LogConfig {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly format: 'auto' | 'json' | 'pretty';
}
