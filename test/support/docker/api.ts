import { request } from 'node:http';
import { buffer } from 'node:stream/consumers';

/** The Engine's HTTP API over its unix socket: as much of it as the tests need. */
export class DockerApi {
  readonly #socket_path: string;

  constructor(socket_path: string) {
    this.#socket_path = socket_path;
  }

  get(path: string): Promise<unknown> {
    return this.#send('GET', path);
  }

  /** An object is sent as JSON, a buffer as a tar. */
  post(path: string, body?: object | Buffer, signal?: AbortSignal): Promise<unknown> {
    return this.#send('POST', path, body, signal);
  }

  delete(path: string, signal?: AbortSignal): Promise<unknown> {
    return this.#send('DELETE', path, undefined, signal);
  }

  /** Resolves with the decoded body; rejects with the Engine's message on any status from 400. */
  async #send(
    method: string,
    path: string,
    body?: object | Buffer,
    signal?: AbortSignal,
  ): Promise<unknown> {
    const is_tar = Buffer.isBuffer(body);
    const payload = body === undefined || is_tar ? body : Buffer.from(JSON.stringify(body));
    const { status, text } = await new Promise<{ status: number; text: string }>(
      (resolve, reject) => {
        const call = request({
          socketPath: this.#socket_path,
          method,
          path,
          agent: false,
          headers: {
            'content-type': is_tar ? 'application/x-tar' : 'application/json',
            'content-length': payload?.length ?? 0,
          },
          ...(signal === undefined ? {} : { signal }),
        });
        call.once('error', reject);
        call.once('response', (response) => {
          buffer(response).then(
            (bytes) => resolve({ status: response.statusCode ?? 0, text: bytes.toString('utf8') }),
            reject,
          );
        });
        call.end(payload);
      },
    );
    if (status >= 400) throw new Error(`${method} ${path}: ${status} ${text.trim()}`);
    return parseBody(text);
  }
}

/** JSON where the body is JSON; several JSON lines (progress) or plain text stay text. */
function parseBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
