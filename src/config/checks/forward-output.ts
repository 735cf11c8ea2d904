import type { OutputDocument } from '../schema.ts';
import type { Path } from '../tree.ts';
import { formatDuration, formatSize } from '../units.ts';
import { checkNotBoth, type Report } from './report.ts';

type ForwardDocument = Extract<OutputDocument, { type: 'forward' }>;

/** What Fluent Bit takes unless its `buffer_max_size` was raised. */
const FLUENT_BIT_MAX_BYTES = 6_144_000;

/** Relations between the keys of one forward output. */
export function checkForwardOutput(output: ForwardDocument, path: Path, report: Report): void {
  checkServers(output, path, report);
  checkSizes(output, path, report);
  checkTls(output, path, report);
  checkAuth(output, path, report);
  const { min, max } = output.retry;
  if (min > max) {
    const message = `expected at most retry.max (${formatDuration(max)}), found ${formatDuration(min)}`;
    report([...path, 'retry', 'min'], message);
  }
}

function checkServers({ servers }: ForwardDocument, path: Path, report: Report): void {
  const urls = new Set<string>();
  for (const [index, server] of servers.entries()) {
    const url = serverUrl(server);
    if (urls.has(url)) report([...path, 'servers', index], `${url} is in this list already`);
    urls.add(url);
  }
  if (servers.every((server) => typeof server !== 'string' && server.standby)) {
    const hint = 'Take standby out of at least one: it means "while no other can be reached".';
    report([...path, 'servers'], 'every server is standby', hint);
  }
}

function checkSizes(output: ForwardDocument, path: Path, report: Report): void {
  const { chunk_size, window_size, kind } = output;
  const found = `found ${formatSize(chunk_size)}`;
  if (chunk_size > window_size) {
    const message = `expected at most window_size (${formatSize(window_size)}), ${found}`;
    report([...path, 'chunk_size'], message);
  }
  if (kind === 'fluent-bit' && chunk_size > FLUENT_BIT_MAX_BYTES) {
    const message = `expected at most ${FLUENT_BIT_MAX_BYTES} bytes for Fluent Bit, ${found}`;
    report([...path, 'chunk_size'], message, 'Did you mean 6144KB?');
  }
}

function checkTls({ servers, tls }: ForwardDocument, path: Path, report: Report): void {
  if (tls === undefined) return;
  const urls = servers.map(serverUrl);
  if (!urls.some((url) => url.startsWith('tls://'))) {
    const hint = `Did you mean ${urls[0]?.replace('tcp:', 'tls:')}?`;
    report([...path, 'tls'], 'expected a tls:// server for this section, found none', hint);
  }
  if ((tls.cert === undefined) !== (tls.key === undefined)) {
    const [given, missing] = tls.cert === undefined ? ['key', 'cert'] : ['cert', 'key'];
    report([...path, 'tls', given], `${given} needs ${missing}`);
  }
}

function checkAuth({ auth }: ForwardDocument, path: Path, report: Report): void {
  if (auth === undefined) return;
  const here = [...path, 'auth'];
  checkNotBoth(auth, 'shared_key', here, report);
  checkNotBoth(auth, 'password', here, report);
  if (auth.shared_key === undefined && auth.shared_key_file === undefined) {
    report(here, 'expected shared_key or shared_key_file, found neither');
  }
  const has_password = auth.password !== undefined || auth.password_file !== undefined;
  if (has_password !== (auth.username !== undefined)) {
    report(here, 'expected both username and a password, or neither');
  }
}

export function serverUrl(server: ForwardDocument['servers'][number]): string {
  return typeof server === 'string' ? server : server.url;
}
