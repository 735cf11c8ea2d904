import { z } from 'zod';
import { LIMITS } from '../limits.ts';
import { parseHttpAddress } from './address.ts';
import type { Reading } from './reading.ts';
import { understood } from './reading.ts';
import { dockerSchema } from './schema/docker.ts';
import { checked, choice, duration, secret, section, size, text } from './schema/fields.ts';
import { inputsSchema } from './schema/inputs.ts';
import { outputsSchema } from './schema/outputs.ts';
import { formatDuration, formatSize } from './units.ts';

/**
 * The whole configuration file. One place says for every key its syntax, range,
 * default and meaning; the JSON Schema, the reference in the README and the
 * resolved configuration all come from here.
 */

const MiB = 1024 ** 2;
const GiB = 1024 ** 3;

const journal = section('Where events are kept until every output has them.', {
  dir: text('The folder. It belongs to one process.').prefault('./logboom-data'),
  max_size: size('The most that the journal may hold.', { min: 64 * MiB }).prefault(
    formatSize(LIMITS.journal_max_bytes),
  ),
  on_full: choice(
    'At `max_size`, or on a full disk: `block` stops reading from senders, `drop_oldest` drops and counts the oldest events.',
    ['block', 'drop_oldest'],
  ).prefault('block'),
  sync: choice(
    '`commit`: an ack means that the events are on the disk. `os`: an ack means that the system has them; a power failure may lose them.',
    ['commit', 'os'],
  ).prefault('commit'),
  segment_size: size('One journal file. Space is given back a file at a time.', {
    min: 8 * MiB,
    max: 1 * GiB,
  }).prefault(formatSize(LIMITS.segment_max_bytes)),
  linger: duration('How long events that nobody waits for are gathered before they are written.', {
    max: 10_000,
  }).prefault(formatDuration(LIMITS.linger_max_ms)),
});

const status = section('The status page and metrics.', {
  listen: checked(
    '`http://HOST:PORT`, or `off`.',
    'a URL such as http://127.0.0.1:24220, or off',
    (text): Reading<unknown> => (text === 'off' ? understood(text) : parseHttpAddress(text)),
  ).prefault('http://127.0.0.1:24220'),
  token: secret(
    "When given, requests for figures need it as a bearer token; `/healthz`, `/readyz` and the page's own files do not.",
  ).optional(),
  token_file: text('File with the token.').optional(),
});

const log = section("logboom's own log, on standard error.", {
  level: choice('The least important messages that are written.', [
    'debug',
    'info',
    'warn',
    'error',
  ]).prefault('info'),
  format: choice('`auto`: `pretty` on a terminal, else `json`.', [
    'auto',
    'json',
    'pretty',
  ]).prefault('auto'),
});

const shutdown = section('Stopping.', {
  timeout: duration(
    'How long outputs may take to send what is under way. What is not sent stays in the journal. Keep it below the patience of whoever stops logboom (`docker stop`: 10 s).',
    { max: 3_600_000 },
  ).prefault(formatDuration(LIMITS.shutdown_timeout_ms)),
});

/** The top-level keys; each is read for itself, so that a mistake in one hides none in another. */
export const SECTIONS = {
  inputs: inputsSchema,
  docker: dockerSchema,
  journal,
  outputs: outputsSchema.optional(),
  status,
  log,
  shutdown,
};

export const configSchema = z
  .strictObject(SECTIONS)
  .meta({ title: 'logboom configuration', description: 'Configuration of the logboom relay.' });

/** A configuration as it was written, with every default filled in; sizes in bytes, durations in milliseconds. */
export type ConfigDocument = z.output<typeof configSchema>;
export type OutputDocument = NonNullable<ConfigDocument['outputs']>[string];
