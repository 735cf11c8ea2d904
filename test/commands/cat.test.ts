import { readFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { createServer as createTlsServer } from 'node:tls';
import { decode, decodeMulti, decodeMultiStream, encode } from '@msgpack/msgpack';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CAT_DEFAULTS, type CatOptions, cat } from '../../src/commands/cat.ts';
import { LogboomError } from '../../src/errors.ts';
import { checkPing, encodeHelo } from '../../src/protocol/handshake-server.ts';
import { makeCertificates } from '../support/certificates.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { type TempDir, tempDir } from '../support/temp-dir.ts';
import { until } from '../support/wait.ts';

let dir: TempDir;
let closers: (() => Promise<unknown>)[];
let sockets: Socket[];
/** Records that came, by tag, in order. */
let arrived: [tag: string, record: unknown][];
/** Chunks that came. */
let chunks: number;
const never = new AbortController().signal;

beforeEach(async () => {
  dir = await tempDir('cat');
  closers = [];
  sockets = [];
  arrived = [];
  chunks = 0;
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  for (const close of closers) await close();
  await dir.remove();
});

/** Takes chunks off a socket, and acks those for which `acks` says so. */
async function take(socket: Socket, acks: (chunk: number) => boolean): Promise<void> {
  for await (const message of decodeMultiStream(socket)) {
    const [tag, entries, option] = message as [
      string,
      Uint8Array,
      { chunk?: string; size: number },
    ];
    const events = [...decodeMulti(entries)] as [unknown, unknown][];
    expect(events).toHaveLength(option.size);
    for (const [, record] of events) arrived.push([tag, record]);
    chunks += 1;
    if (option.chunk !== undefined && acks(chunks)) socket.write(encode({ ack: option.chunk }));
  }
}

async function listen(server: Server, path?: string): Promise<number> {
  server.on('connection', (socket: Socket) => sockets.push(socket));
  closers.push(() => new Promise((resolve) => server.close(resolve)));
  await new Promise<void>((resolve) => {
    if (path === undefined) server.listen(0, '127.0.0.1', resolve);
    else server.listen(path, resolve);
  });
  return path === undefined ? (server.address() as AddressInfo).port : 0;
}

/** A server that acks, and its URL. */
async function serve(acks: (chunk: number) => boolean = () => true): Promise<string> {
  const server = createServer((socket) => {
    take(socket, acks).catch(() => socket.destroy());
  });
  return `tcp://127.0.0.1:${await listen(server)}`;
}

const options = (to: string, others: Partial<CatOptions> = {}): CatOptions => ({
  ...CAT_DEFAULTS,
  tag: 'demo',
  to,
  ...others,
});

const input = (text: string): Readable => Readable.from([Buffer.from(text)]);

async function failureOf(running: Promise<unknown>): Promise<LogboomError> {
  const error: unknown = await running.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(LogboomError);
  return error as LogboomError;
}

describe('lines', () => {
  test('arrive as events under the tag, objects as records, and the exit code is 0', async () => {
    const code = await cat(options(await serve()), input('hello\n{"a":1}\nlast'), never);
    expect(code).toBe(0);
    expect(arrived).toEqual([
      ['demo', { log: 'hello' }],
      ['demo', { a: 1 }],
      ['demo', { log: 'last' }],
    ]);
  });

  test('of an input that does not end arrive after a moment', async () => {
    const endless = new PassThrough();
    const running = cat(options(await serve(), { key: 'msg' }), endless, never);
    endless.write('one\ntw');
    await until('the first line', () => arrived.length === 1);
    endless.end('o\n');
    expect(await running).toBe(0);
    expect(arrived).toEqual([
      ['demo', { msg: 'one' }],
      ['demo', { msg: 'two' }],
    ]);
  });

  test('that come fast share chunks, and all arrive', async () => {
    const text = Array.from({ length: 50_000 }, (_, i) => `{"n":${i}}\n`).join('');
    await cat(options(await serve()), input(text), never);
    expect(arrived.map(([, record]) => (record as { n: number }).n)).toEqual(
      Array.from({ length: 50_000 }, (_, i) => i),
    );
    expect(chunks).toBeLessThan(50);
  });

  test('are not read while too many chunks wait for their acks', async () => {
    let acking = false;
    let read_bytes = 0;
    const endless = Readable.from(
      (function* () {
        for (let i = 0; i < 400; i += 1) {
          read_bytes += 64_000;
          yield Buffer.from(`${'x'.repeat(63_999)}\n`);
        }
      })(),
    );
    const running = cat(options(await serve(() => acking)), endless, never);
    await until('some chunks', () => chunks >= 8);
    expect(read_bytes).toBeLessThan(10_000_000);
    acking = true;
    // The chunks of before are never acked: that is an error, and no hang.
    sockets[0]?.end();
    await failureOf(running);
  });

  test('before one that is not valid still arrive', async () => {
    const running = cat(options(await serve(), { json: true }), input('{"a":1}\nnot\n'), never);
    const error = await failureOf(running);
    expect(error).toMatchObject({ code: 'LB_USAGE', where: 'line 2' });
    expect(arrived).toEqual([['demo', { a: 1 }]]);
  });

  test('that were read arrive when the command is told to stop', async () => {
    const stop = new AbortController();
    const endless = new PassThrough();
    const running = cat(options(await serve()), endless, stop.signal);
    endless.write('one\n');
    await until('it arrived', () => arrived.length === 1);
    stop.abort();
    expect(await running).toBe(0);
  });
});

describe('acks', () => {
  test('are waited for: the command ends only when all are there', async () => {
    let ended = false;
    const server = createServer((socket) => {
      socket.once('data', (bytes) => {
        const message = decode(bytes) as [string, Uint8Array, { chunk: string }];
        expect(ended).toBe(false);
        socket.write(encode({ ack: message[2].chunk }));
      });
    });
    const to = `tcp://127.0.0.1:${await listen(server)}`;
    await cat(options(to), input('one\n'), never);
    ended = true;
  });

  test('that came in time while this process stood still are read before the time is up', async () => {
    const clock = new ManualClock();
    const to = await serve(() => {
      // As soon as the ack is in the socket.
      queueMicrotask(() => clock.standStill(60_000));
      return true;
    });
    expect(await cat(options(to, { ack_timeout_ms: 100 }), input('one\n'), never, clock)).toBe(0);
  });

  test('that do not come are an error that says how much is safe', async () => {
    const to = await serve((chunk) => chunk === 1);
    const slow = new PassThrough();
    const clock = new ManualClock();
    const running = cat(options(to, { ack_timeout_ms: 100 }), slow, never, clock);
    for (const [index, line] of ['one', 'two'].entries()) {
      slow.write(`${line}\n`);
      await until('it lingers', () => clock.waiting === 1);
      clock.advance(50);
      await until('it is sent', () => chunks === index + 1);
      if (index === 0) await until('its ack is there', () => clock.waiting === 0);
    }
    clock.advance(100);
    const error = await failureOf(running);
    expect(error.message).toBe(
      'no ack within 100 ms; 1 events were acked, 1 sent and not acked; the rest of the input was not sent',
    );
    expect(error.hint).toContain('--no-ack');
  });

  test('are not asked for with --no-ack', async () => {
    const to = await serve(() => false);
    expect(await cat(options(to, { ack: false }), input('one\n'), never)).toBe(0);
    await until('it arrived', () => arrived.length === 1);
  });
});

describe('errors', () => {
  test('nobody listens: the message asks whether logboom is running', async () => {
    const server = createServer();
    const port = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    const error = await failureOf(cat(options(`tcp://127.0.0.1:${port}`), input('one\n'), never));
    expect(error).toMatchObject({ code: 'LB_UPSTREAM', where: `tcp://127.0.0.1:${port}` });
    expect(error.hint).toContain('Is logboom running?');
    const absent = await failureOf(
      cat(options(`unix://${join(dir.path, 'no')}`), input(''), never),
    );
    expect(absent.hint).toContain('Is logboom running?');
  });

  test('the server goes away while the input stands still', async () => {
    const endless = new PassThrough();
    const running = cat(options(await serve()), endless, never);
    endless.write('one\n');
    await until('it arrived', () => arrived.length === 1);
    sockets[0]?.destroy();
    const error = await failureOf(running);
    expect(error.message).toContain(
      '1 events were acked, 0 sent and not acked; the rest of the input was not sent',
    );
    expect(endless.destroyed).toBe(true);
  });

  test('the server goes away when the whole input was sent: nothing of it is left', async () => {
    const running = cat(options(await serve(() => false)), input('one\n'), never);
    running.catch(() => {});
    await until('it arrived', () => arrived.length === 1);
    sockets[0]?.destroy();
    const error = await failureOf(running);
    expect(error.message).toContain('0 events were acked, 1 sent and not acked');
    expect(error.message).not.toContain('the rest of the input');
  });

  test('the server answers something else', async () => {
    const server = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const to = `tcp://127.0.0.1:${await listen(server)}`;
    const error = await failureOf(cat(options(to), new PassThrough(), never));
    expect(error.message).toContain('something that is no ack');
  });

  test.each([
    ['127.0.0.1:24224', 'tcp://127.0.0.1:24224'],
    ['tpc://a', 'tcp://a'],
  ])('--to %s is refused with a suggestion', async (to, suggestion) => {
    const error = await failureOf(cat(options(to), input(''), never));
    expect(error.code).toBe('LB_USAGE');
    expect(error.hint).toContain(suggestion);
  });

  test.each(['', 'x'.repeat(5000)])('a tag that no server takes is refused', async (tag) => {
    const error = await failureOf(cat(options('tcp://127.0.0.1:1', { tag }), input(''), never));
    expect(error.code).toBe('LB_USAGE');
  });
});

describe('other ways to a server', () => {
  test('a unix socket', async () => {
    const path = join(dir.path, 'forward.sock');
    const server = createServer((socket) => {
      take(socket, () => true).catch(() => socket.destroy());
    });
    await listen(server, path);
    await cat(options(`unix://${path}`), input('one\n'), never);
    expect(arrived).toEqual([['demo', { log: 'one' }]]);
  });

  test('TLS, with the authority that signed the certificate and not without', async () => {
    const { ca, cert, key } = await makeCertificates(dir.path);
    const server = createTlsServer(
      { cert: await readFile(cert), key: await readFile(key) },
      (socket) => {
        take(socket, () => true).catch(() => socket.destroy());
      },
    );
    const to = `tls://localhost:${await listen(server)}`;
    const tls = { ca_file: ca, verify: true, min_version: 'TLSv1.2' } as const;
    await cat(options(to, { tls }), input('one\n'), never);
    expect(arrived).toEqual([['demo', { log: 'one' }]]);
    await failureOf(cat(options(to), input('two\n'), never));
    expect(arrived).toHaveLength(1);
  });

  test('a shared key', async () => {
    const challenge = { nonce: Buffer.alloc(16, 1), auth: Buffer.alloc(16, 2) };
    const secrets = { hostname: 'server', shared_key: 's3cret', users: undefined };
    const server = createServer((socket) => {
      socket.write(encodeHelo(challenge));
      socket.once('data', (bytes: Buffer) => {
        socket.pause();
        const ping = decode(bytes, { rawStrings: true }) as unknown[];
        const verdict = checkPing(ping, challenge, secrets);
        socket.write(verdict.pong);
        if (verdict.ok) take(socket, () => true).catch(() => socket.destroy());
        else socket.end();
      });
    });
    const to = `tcp://127.0.0.1:${await listen(server)}`;
    const handshake = { shared_key: 's3cret', username: '', password: '' };
    await cat(options(to, { handshake }), input('one\n'), never);
    expect(arrived).toEqual([['demo', { log: 'one' }]]);
    const wrong = { ...handshake, shared_key: 'guess' };
    const error = await failureOf(cat(options(to, { handshake: wrong }), input('two\n'), never));
    expect(error).toMatchObject({ code: 'LB_HANDSHAKE' });
    const without = await failureOf(cat(options(to), new PassThrough(), never));
    expect(without.hint).toContain('handshake');
  });
});
