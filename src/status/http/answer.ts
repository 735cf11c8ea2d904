import type { IncomingMessage, ServerResponse } from 'node:http';

/** A whole answer. */
export interface Answer {
  readonly code: number;
  readonly type: string;
  readonly body: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

const JSON_TYPE = 'application/json; charset=utf-8';
const TEXT_TYPE = 'text/plain; charset=utf-8';

/**
 * Of every answer. Nothing is kept by anybody on the way; a page may take only what comes
 * from here, and stand in no other page.
 */
const COMMON_HEADERS = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy':
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
} as const;

/** A line of text, its newline added. */
export function plain(code: number, text: string, headers: Answer['headers'] = {}): Answer {
  return { code, type: TEXT_TYPE, body: `${text}\n`, headers };
}

export function json(value: unknown): Answer {
  return { code: 200, type: JSON_TYPE, body: `${JSON.stringify(value)}\n` };
}

export function send(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  writeHead(response, answer.code, {
    'Content-Type': answer.type,
    'Content-Length': String(Buffer.byteLength(answer.body)),
    ...answer.headers,
  });
  response.end(request.method === 'HEAD' ? undefined : answer.body);
}

export function writeHead(
  response: ServerResponse,
  code: number,
  headers: Readonly<Record<string, string>>,
): void {
  response.writeHead(code, { ...COMMON_HEADERS, ...headers });
}
