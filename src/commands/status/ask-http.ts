import { request } from 'node:http';
import { LogboomError, messageOf, systemCode } from '../../errors.ts';
import type { RelayStatus } from '../../status/types.ts';

const TIMEOUT_MS = 5_000;
const ANSWER_MAX_BYTES = 16 * 1024 * 1024;

/** A status server, and what it may want to see. */
export interface StatusAddress {
  readonly url: string;
  readonly token: string | undefined;
}

/**
 * The status of the relay at this address; undefined: nobody listens there.
 *
 * @throws LB_STATUS if what answers is no relay, or refuses
 */
export async function askHttp({ url, token }: StatusAddress): Promise<RelayStatus | undefined> {
  try {
    const { code, body } = await get(new URL('/status.json', url), token);
    if (code === 200) return relayStatus(body, url);
    const hint = code === 401 ? 'Give its token with --token-file.' : undefined;
    throw failure(`it answers ${code}: ${body.slice(0, 200).trim()}`, url, { hint });
  } catch (error) {
    if (systemCode(error) === 'ECONNREFUSED') return undefined;
    if (error instanceof LogboomError) throw error;
    throw failure(messageOf(error), url, { cause: error });
  }
}

interface Response {
  readonly code: number;
  readonly body: string;
}

function get(url: URL, token: string | undefined): Promise<Response> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  return new Promise((resolve, reject) => {
    const asking = request(url, { agent: false, headers, signal }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
        if (body.length > ANSWER_MAX_BYTES) asking.destroy(new Error('the answer does not end'));
      });
      response.on('end', () => resolve({ code: response.statusCode ?? 0, body }));
      response.on('error', reject);
    });
    asking.on('error', reject).end();
  });
}

function relayStatus(body: string, url: string): RelayStatus {
  const value = parsed(body);
  const is_status = typeof value === 'object' && value !== null && 'journal' in value;
  if (!is_status) throw failure('what answers there is not logboom', url, {});
  // Of another version's status some fields may be missing; what is shown of them is odd, not harmful.
  return value as RelayStatus;
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function failure(
  message: string,
  where: string,
  { hint, cause }: { readonly hint?: string | undefined; readonly cause?: unknown },
): LogboomError {
  return new LogboomError('LB_STATUS', message, {
    where,
    cause,
    ...(hint === undefined ? {} : { hint }),
  });
}
