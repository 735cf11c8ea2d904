import { realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type HttpAddress, parseHttpAddress } from '../../config/address.ts';
import { LogboomError, systemCode } from '../../errors.ts';
import { askStatus } from '../../relay/control/ask-status.ts';
import { type StoppedStatus, stoppedStatus } from '../../status/stopped.ts';
import type { RelayStatus } from '../../status/types.ts';
import type { Clock } from '../../sys/clock.ts';
import type { Host } from '../host.ts';
import { loadConfig } from '../load-config.ts';
import { askHttp, type StatusAddress } from './ask-http.ts';
import type { StatusFlags } from './options.ts';

/** Where a relay may be asked, or its journal read; what is undefined is not looked at. */
export interface Places {
  readonly journal_dir: string | undefined;
  readonly http: StatusAddress | undefined;
}

/** What was found. */
export type Look =
  | { readonly answered: true; readonly status: RelayStatus }
  | { readonly answered: false; readonly status: StoppedStatus };

/**
 * A journal or a URL that is given is the only place; else those of the configuration.
 *
 * @throws LB_USAGE, LB_CONFIG
 */
export async function placesOf(host: Host, flags: StatusFlags): Promise<Places> {
  const { config: file, journal, status, tokenFile } = flags;
  const given = [file, journal, status].filter((flag) => flag !== undefined);
  if (given.length > 1) {
    throw new LogboomError('LB_USAGE', 'give one of --config, --journal and --status');
  }
  if (journal !== undefined) {
    return { journal_dir: resolve(host.cwd, journal), http: undefined };
  }
  const token = tokenFile === undefined ? undefined : readToken(host, tokenFile);
  if (status !== undefined) return { journal_dir: undefined, http: { url: urlOf(status), token } };
  const { config } = await loadConfig(host, file, {});
  const { address, token: configured } = config.status;
  const http =
    address === undefined ? undefined : { url: httpUrl(address), token: token ?? configured };
  return { journal_dir: config.journal.dir, http };
}

/**
 * Asks the relay: over its journal's control socket, then over HTTP; if none answers, looks
 * into the journal. A relay that answers over HTTP for another journal does not stand for
 * this one, if there is one.
 *
 * @throws LB_STATUS if there is nothing at any of the places
 */
export async function look({ journal_dir, http }: Places, clock: Clock): Promise<Look> {
  const told = journal_dir === undefined ? 'none' : await askStatus(journal_dir);
  if (typeof told !== 'string') return { answered: true, status: told };
  const status = http === undefined ? undefined : await askHttp(http);
  const url = http?.url ?? '';
  if (status !== undefined && (await answersFor(status, journal_dir))) {
    return { answered: true, status };
  }
  if (journal_dir === undefined) throw nobody(url);
  const other = status === undefined ? null : { url, dir: status.journal.dir };
  try {
    const stopped = await stoppedStatus(journal_dir, clock.now_ms(), other);
    if (stopped.segments > 0) return { answered: false, status: stopped };
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
  if (status !== undefined) return { answered: true, status };
  throw nobody(http === undefined ? journal_dir : `${journal_dir}, ${url}`);
}

/** Where no journal was asked for, any relay will do. */
async function answersFor(
  { journal }: RelayStatus,
  journal_dir: string | undefined,
): Promise<boolean> {
  if (journal_dir === undefined || journal.dir === journal_dir) return true;
  try {
    return (await realpath(journal.dir)) === (await realpath(journal_dir));
  } catch {
    return false; // one of them is not there, or not for this user's eyes
  }
}

function nobody(where: string): LogboomError {
  return new LogboomError('LB_STATUS', 'no relay answers', {
    where,
    hint: 'Say where it runs with --config, --journal or --status.',
  });
}

function urlOf(text: string): string {
  const address = parseHttpAddress(text);
  if (address.ok) return httpUrl(address.value);
  const { reason = 'it is not the URL of a status server', suggestion } = address;
  throw new LogboomError('LB_USAGE', `--status ${text}: ${reason}`, {
    hint: suggestion === undefined ? 'Use http://HOST:PORT.' : `Did you mean ${suggestion}?`,
  });
}

/** One that listens everywhere is asked here. */
function httpUrl({ host, port }: HttpAddress): string {
  const name = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

function readToken(host: Host, file: string): string {
  try {
    return host.readFile(resolve(host.cwd, file)).trim();
  } catch (cause) {
    throw new LogboomError('LB_USAGE', 'the file with the token cannot be read', {
      where: file,
      cause,
    });
  }
}
