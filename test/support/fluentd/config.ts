import type { Certificates } from '../certificates.ts';

/**
 * Blocks of a Fluentd configuration. Each has its own label, so that several fit into one
 * process. Times below a second go without a unit: Fluentd reads `200ms` as 200 s.
 */

export interface ReceiverOptions {
  /** Names the label and the output file. */
  readonly name: string;
  readonly port: number;
  /** Where `<name>.log` with one JSON object a line is written. */
  readonly dir: string;
  readonly shared_key?: string;
  readonly tls?: Certificates;
}

/**
 * in_forward into a file. The buffer is a file and staged before the ack, so a kill of
 * Fluentd loses nothing that it acked (it may write a chunk twice).
 */
export function forwardReceiver(options: ReceiverOptions): string {
  const { name, port, dir } = options;
  return `
<source>
  @type forward
  @label @${name}
  bind 127.0.0.1
  port ${port}
  ${options.tls === undefined ? '' : receiverTls(options.tls)}
  ${options.shared_key === undefined ? '' : security(`receiver.${name}`, options.shared_key)}
</source>
<label @${name}>
  <match **>
    @type file
    path ${dir}/${name}
    append true
    <format>
      @type json
    </format>
    <inject>
      tag_key fluentd_tag
    </inject>
    <buffer []>
      @type file
      path ${dir}/${name}-buffer
      flush_mode interval
      flush_interval 0.2
    </buffer>
  </match>
</label>
`;
}

/** The file that a receiver of this name writes. */
export function receivedFile(dir: string, name: string): string {
  return `${dir}/${name}.log`;
}

export interface SenderOptions {
  readonly name: string;
  /** Each line of this file is an event `{"message": line}`. */
  readonly file: string;
  readonly tag: string;
  readonly dir: string;
  /** On 127.0.0.1; a TLS server's certificate must be for localhost. */
  readonly port: number;
  readonly ack?: boolean;
  readonly gzip?: boolean;
  readonly shared_key?: string;
  readonly user?: { readonly name: string; readonly password: string };
  /** The CA that the server's certificate is checked against. */
  readonly tls_ca?: string;
}

/** in_tail into out_forward. */
export function forwardSender(options: SenderOptions): string {
  const { name, dir, user } = options;
  return `
<source>
  @type tail
  @label @${name}
  path ${options.file}
  pos_file ${dir}/${name}.pos
  tag ${options.tag}
  read_from_head true
  refresh_interval 1s
  <parse>
    @type none
  </parse>
</source>
<label @${name}>
  <match **>
    @type forward
    require_ack_response ${options.ack ?? false}
    ${options.ack ? 'ack_response_timeout 10s' : ''}
    ${options.gzip ? 'compress gzip' : ''}
    heartbeat_type transport
    heartbeat_interval 1s
    recover_wait 1s
    ${options.tls_ca === undefined ? '' : senderTls(options.tls_ca)}
    <server>
      host 127.0.0.1
      name localhost
      port ${options.port}
      ${user === undefined ? '' : `username ${user.name}\n      password ${user.password}`}
    </server>
    ${options.shared_key === undefined ? '' : security(`sender.${name}`, options.shared_key)}
    <buffer tag>
      @type file
      path ${dir}/${name}-buffer
      flush_mode interval
      flush_interval 0.1
      chunk_limit_size 64k
      retry_forever true
      retry_max_interval 1s
    </buffer>
  </match>
</label>
`;
}

function receiverTls(certificates: Certificates): string {
  return `<transport tls>
    cert_path ${certificates.cert}
    private_key_path ${certificates.key}
  </transport>`;
}

function senderTls(ca: string): string {
  return `transport tls
    tls_cert_path ${ca}
    tls_verify_hostname true`;
}

function security(self_hostname: string, shared_key: string): string {
  return `<security>
    self_hostname ${self_hostname}
    shared_key ${shared_key}
  </security>`;
}
