import { z } from 'zod';
import { LIMITS } from '../../limits.ts';
import { parseListenAddress } from '../address.ts';
import { formatDuration, formatSize } from '../units.ts';
import {
  checked,
  choice,
  duration,
  flag,
  integer,
  optionalSection,
  secret,
  section,
  size,
  text,
} from './fields.ts';
import { healthField, tailSchema } from './tail.ts';

const MiB = 1024 ** 2;
const GiB = 1024 ** 3;

export const TLS_VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;

const LISTEN_URL =
  'a URL to listen on, such as tcp://0.0.0.0:24224, tls://0.0.0.0:24224 or unix:///run/logboom.sock?mode=0660';

const tls = optionalSection(
  'The certificate of a `tls://` listener. It is read again when its files change.',
  {
    cert: text('File with the certificate chain, PEM.'),
    key: text('File with the private key, PEM.'),
    client_ca: text('File with the authorities that may sign client certificates, PEM.').optional(),
    client_auth: choice(
      'Whether clients show a certificate: `request` verifies one that is shown, `require` refuses those without. Default: `require` when `client_ca` is given, else `none`.',
      ['none', 'request', 'require'],
    ).optional(),
    min_version: choice('The oldest TLS version that is accepted.', TLS_VERSIONS).prefault(
      'TLSv1.2',
    ),
  },
);

const user = z.strictObject({
  name: text('The user name.'),
  password: secret('The password.').optional(),
  password_file: text('File with the password.').optional(),
});

const auth = optionalSection(
  'The Forward handshake: clients prove that they know the shared key.',
  {
    shared_key: secret('The key that both sides know.').optional(),
    shared_key_file: text('File with the shared key.').optional(),
    self_hostname: text(
      'The name given to clients; it must differ from theirs. Default: the host name.',
    ).optional(),
    users: z
      .array(user)
      .meta({ description: 'When not empty, a client must also log in as one of these.' })
      .prefault([]),
  },
);

const listener = z.strictObject({
  listen: checked(
    '`tcp://HOST:PORT`, `tls://HOST:PORT`, `unix:///PATH?mode=0660`, or `systemd://NAME` for a socket that systemd hands over.',
    LISTEN_URL,
    parseListenAddress,
  ),
  tls,
  auth,
  udp_heartbeat: flag('Answer the UDP heartbeats of fluentd on the same port.').prefault(true),
});

const limits = section(
  'What one message, and all of them together, may use. A message beyond a limit closes its connection, and is counted.',
  {
    connections: integer('Connections at the same time.', 1, 1_000_000).prefault(
      LIMITS.connections_max,
    ),
    message_size: size(
      'One message on the wire. Larger messages than memory are fine: they go to disk.',
      {
        min: 1 * MiB,
        max: 64 * GiB,
      },
    ).prefault(formatSize(LIMITS.message_max_bytes)),
    event_size: size('One event; it is held in memory.', {
      min: 64 * 1024,
      max: 256 * MiB,
    }).prefault(formatSize(LIMITS.event_max_bytes)),
    inflated_size: size('What one compressed message may inflate to.', {
      min: 1 * MiB,
      max: 64 * GiB,
    }).prefault(formatSize(LIMITS.inflated_max_bytes)),
    nesting: integer('Arrays and maps inside each other.', 8, 512).prefault(
      LIMITS.nesting_max_levels,
    ),
    handshake_timeout: duration('How long a client may take for the TLS and Forward handshakes.', {
      min: 100,
      max: 600_000,
    }).prefault(formatDuration(LIMITS.handshake_timeout_ms)),
  },
);

const dedup = section(
  'The memory for chunk ids, so that a chunk sent again is acked and not stored again.',
  {
    ids_per_sender: integer('Chunk ids remembered for one sender.', 16, 1_000_000).prefault(
      LIMITS.dedup_sender_max_ids,
    ),
    ids: integer(
      'Chunk ids remembered for all senders together; each takes about 650 bytes of memory.',
      16,
      10_000_000,
    ).prefault(LIMITS.dedup_max_ids),
    senders: integer(
      'Senders remembered; the one silent for longest is forgotten first.',
      1,
      1_000_000,
    ).prefault(LIMITS.dedup_max_senders),
  },
);

export const inputsSchema = section('Where events come from.', {
  forward: z
    .array(listener)
    .meta({ description: 'Fluent Forward listeners.' })
    .prefault([{ listen: 'tcp://127.0.0.1:24224' }]),
  tail: tailSchema,
  health: healthField,
  limits,
  dedup,
});
