import { z } from 'zod';
import { LIMITS } from '../../limits.ts';
import { parseServerAddress } from '../address.ts';
import { formatDuration, formatSize } from '../units.ts';
import {
  checked,
  choice,
  duration,
  durationOrOff,
  flag,
  flagOrSection,
  integer,
  optionalSection,
  secret,
  section,
  size,
  sizeOrOff,
  text,
} from './fields.ts';
import { TLS_VERSIONS } from './inputs.ts';
import { readFileMode, readOutputName, readPathTemplate, readTagPatterns } from './names.ts';

const MiB = 1024 ** 2;
const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const DAY = 24 * HOUR;

const SERVER_URL = 'the URL of a server, such as tcp://aggregator:24224 or tls://aggregator:24224';

/** Keys that every type of output has. */
const common = {
  match: checked(
    "Tags that go to this output: fluentd's patterns (`*`, `**`, `{a,b}`), several separated by spaces.",
    'tag patterns, such as "**" or "app.* db.{main,replica}"',
    readTagPatterns,
  ).prefault('**'),
  start_at: choice('Where a new output begins in the journal.', ['newest', 'oldest']).prefault(
    'newest',
  ),
  max_lag: sizeOrOff(
    'How far this output may fall behind before its oldest events are dropped and counted, so that it does not hold the journal for the others.',
    { min: 64 * MiB },
  ).prefault('off'),
  add: z
    .record(z.string().min(1), z.union([z.string(), z.number(), z.boolean()]))
    .meta({ description: 'Fields added to every event, such as `host: web1`.' })
    .prefault({}),
  tag_prefix: text('Put before every tag.').optional(),
  join_partial: flagOrSection(
    'Join the fragments that Docker makes of lines over 16 KiB; `true`, or the keys below. A joined line stands where its last fragment was, without `partial_` fields; what lacks a fragment keeps them. Compressed chunks are not looked into.',
    {
      max_size: size('A line that grows beyond it goes out in parts.', {
        min: 64 * 1024,
        max: 4 * MiB,
      }).prefault(formatSize(LIMITS.join_max_bytes)),
      timeout: duration(
        'A line that is not complete so long after its first fragment goes out as far as it came.',
        { min: 100, max: 600 * SECOND },
      ).prefault(formatDuration(LIMITS.join_timeout_ms)),
    },
  ).prefault(false),
};

const server = z.union([
  checked('URL of the server.', SERVER_URL, parseServerAddress),
  z.strictObject({
    url: checked(
      '`tcp://HOST:PORT`, `tls://HOST:PORT` or `unix:///PATH`.',
      SERVER_URL,
      parseServerAddress,
    ),
    weight: integer('Share of the tags, with `balance: weighted`.', 1, 1_000).prefault(1),
    standby: flag('Used only while no other server can be reached.').prefault(false),
  }),
]);

const tls = optionalSection(
  'For `tls://` servers. Without it, the authorities that Node.js trusts are used.',
  {
    ca: text("File with the authorities that may sign the server's certificate, PEM.").optional(),
    cert: text('File with our own certificate chain, PEM, for servers that ask.').optional(),
    key: text('File with the private key of `cert`, PEM.').optional(),
    verify: flag('Refuse a server whose certificate cannot be verified.').prefault(true),
    server_name: text(
      'The name expected in the certificate. Default: the host of the URL.',
    ).optional(),
    min_version: choice('The oldest TLS version that is accepted.', TLS_VERSIONS).prefault(
      'TLSv1.2',
    ),
  },
);

const auth = optionalSection('The Forward handshake, for servers that ask for it.', {
  shared_key: secret('The key that both sides know.').optional(),
  shared_key_file: text('File with the shared key.').optional(),
  username: text('The user to log in as.').optional(),
  password: secret('The password of `username`.').optional(),
  password_file: text('File with the password.').optional(),
  self_hostname: text(
    'The name given to the server; it must differ from its own. Default: the host name.',
  ).optional(),
});

const retry = section('When a server cannot be reached or does not ack.', {
  min: duration('The first pause; each further one is twice as long, give or take.', {
    min: 10,
    max: HOUR,
  }).prefault(formatDuration(LIMITS.retry_min_ms)),
  max: duration('The longest pause.', { min: 10, max: DAY }).prefault(
    formatDuration(LIMITS.retry_max_ms),
  ),
  max_age: durationOrOff(
    'Events that could not be sent for so long go to the dead letter. `off` never gives up.',
    {
      min: 10 * SECOND,
    },
  ).prefault('off'),
  failover_after: duration(
    'A chunk that may have arrived is sent to the same server for so long before another gets it, which may double it.',
    { max: DAY },
  ).prefault(formatDuration(LIMITS.failover_after_ms)),
});

const dead_letter = section('Where events go that an upstream does not take.', {
  dir: text('The folder. Default: `logboom-dead-letter/NAME` beside the journal.').optional(),
  max_size: size('The most that the folder may hold.', { min: 1 * MiB }).prefault(
    formatSize(LIMITS.dead_letter_max_bytes),
  ),
});

const forward = z.strictObject({
  type: z.literal('forward').meta({ description: 'Send to a Fluent Forward server.' }),
  ...common,
  servers: z.array(server).min(1).meta({
    description: 'The servers, the preferred one first: URLs, or `{url, weight, standby}`.',
  }),
  kind: choice('What the servers are, which decides what they can take.', [
    'fluentd',
    'fluent-bit',
    'logboom',
  ]).prefault('fluentd'),
  balance: choice(
    '`failover`: the first server that can be reached; `weighted`: tags are spread over all.',
    ['failover', 'weighted'],
  ).prefault('failover'),
  ack: flag(
    'Wait for acks. `off` is for servers that never ack, and cannot guarantee that events arrive.',
  ).prefault(true),
  ack_timeout: duration('How long a server may take to ack.', {
    min: 1 * SECOND,
    max: HOUR,
  }).prefault(formatDuration(LIMITS.ack_timeout_ms)),
  connect_timeout: duration('How long connecting, with all handshakes, may take.', {
    min: 100,
    max: 600 * SECOND,
  }).prefault(formatDuration(LIMITS.connect_timeout_ms)),
  connection_max_age: durationOrOff(
    'Connections are made anew after so long, and names looked up again.',
    {
      min: 1 * SECOND,
    },
  ).prefault('1h'),
  compress: choice(
    '`keep` sends events as they came; the others compress, or inflate, what came otherwise.',
    ['keep', 'off', 'gzip', 'zstd'],
  ).prefault('keep'),
  metadata_key: text(
    'The field that takes the metadata of an event for a `kind` that does not know it. Without it, such metadata is dropped and counted.',
  ).optional(),
  chunk_size: size('One chunk, compressed or not.', {
    min: LIMITS.record_max_bytes,
    max: 64 * MiB,
  }).prefault(formatSize(LIMITS.chunk_max_bytes)),
  window_size: size('What is read, written down and sent as one step.', {
    min: LIMITS.record_max_bytes,
    max: 256 * MiB,
  }).prefault(formatSize(LIMITS.window_max_bytes)),
  windows_in_flight: integer('Steps under way at the same time.', 1, 64).prefault(
    LIMITS.windows_in_flight_max,
  ),
  tls,
  auth,
  retry,
  dead_letter,
});

const file = z.strictObject({
  type: z.literal('file').meta({ description: 'Write lines of JSON (NDJSON) to a file.' }),
  ...common,
  path: checked(
    'The file. `{tag}` stands for the tag of an event, `{date}` for the day (UTC) it is written. Rotated files stand beside it, named after it with their time and number.',
    'the path of a file, such as events.ndjson or {date}/{tag}.ndjson',
    readPathTemplate,
  ),
  rotate: section('When the file is closed and another begun.', {
    size: sizeOrOff('At this size.', { min: 64 * 1024 }).prefault(
      formatSize(LIMITS.rotate_max_bytes),
    ),
    every: durationOrOff('At this age.', { min: 60 * SECOND }).prefault('1d'),
    keep: integer('Rotated files that are kept; the oldest go first.', 1, 100_000).prefault(
      LIMITS.rotate_keep_max,
    ),
  }),
  compress: choice('How rotated files are compressed.', ['gzip', 'off']).prefault('gzip'),
  mode: checked(
    'Permissions of the files.',
    'an octal file mode, such as "0640"',
    readFileMode,
  ).prefault('0640'),
});

const stdout = z.strictObject({
  type: z.literal('stdout').meta({ description: 'Write to standard output.' }),
  ...common,
  format: choice('`auto`: `pretty` on a terminal, else `ndjson`.', [
    'auto',
    'ndjson',
    'pretty',
  ]).prefault('auto'),
  transient: flag(
    'Show only what arrives from now on: no place is kept in the journal, and nothing waits for the reader.',
  ).prefault(false),
});

const outputSchema = z.discriminatedUnion('type', [forward, file, stdout]);

export const outputsSchema = z
  .record(
    checked(
      "An output's name.",
      'a name of lower-case letters, digits, - and _',
      readOutputName,
    ) as z.ZodType<string, string>,
    outputSchema,
  )
  .meta({
    description:
      "Where events go, by name. An event goes to every output that it matches. The name stands for the output's place in the journal: rename it, and it is another output.",
  });
