import { describe, expect, it } from 'vitest';
import { LogStreamReader } from '../../../../src/inputs/docker/api/log-stream.ts';
import type { LogLine } from '../../../../src/inputs/logfile/types.ts';
import { type Parsed, shown } from '../../logfile/formats/parsed.ts';

const SECONDS = Date.parse('2026-11-23T05:58:16Z') / 1000;
const time = (ns: number): string => `2026-11-23T05:58:16.${String(ns).padStart(9, '0')}Z `;

function frame(type: number, payload: string): Buffer {
  const bytes = Buffer.from(payload, 'latin1');
  const header = Buffer.of(type, 0, 0, 0, 0, 0, 0, 0);
  header.writeUInt32BE(bytes.length, 4);
  return Buffer.concat([header, bytes]);
}

interface Read {
  readonly lines: (Omit<Parsed, 'log'> & { log: string })[];
  /** Bytes left at the end. */
  readonly left: number;
}

/** Text compares faster than bytes do. */
const withText = (parsed: Parsed): Read['lines'][number] => ({
  ...parsed,
  log: parsed.log.toString('latin1'),
});

function readChunks(tty: boolean, chunks: readonly Buffer[]): Read {
  const reader = new LogStreamReader(tty);
  const lines: Read['lines'] = [];
  const take = (each: LogLine): number => lines.push(withText(shown(each)));
  for (const chunk of chunks) reader.push(chunk, take);
  return { lines, left: reader.end(take) };
}

/** Reads the body whole, parted in two at every place, and byte by byte: always the same comes out. */
function readBody(tty: boolean, body: Buffer): Read {
  const whole = readChunks(tty, [body]);
  const step = Math.max(1, Math.floor(body.length / 100));
  for (let cut = 1; cut < body.length; cut += step) {
    const parted = readChunks(tty, [body.subarray(0, cut), body.subarray(cut)]);
    expect(parted, `cut at ${cut}`).toEqual(whole);
  }
  if (body.length < 2000) {
    expect(
      readChunks(
        tty,
        Array.from(body, (byte) => Buffer.of(byte)),
      ),
    ).toEqual(whole);
  }
  return whole;
}

const line = (log: string, fields: Partial<Parsed> = {}): Read['lines'][number] => ({
  source: 'stdout',
  time_s: SECONDS,
  time_ns: 0,
  piece: 'whole',
  partial_id: undefined,
  partial_ordinal: 0,
  torn_bytes: 0,
  ...fields,
  log,
});

describe('the body of a logs call', () => {
  it('comes as entries of their source', () => {
    const body = [
      frame(1, `${time(0)}out\n`),
      frame(2, `${time(1)}err\n`),
      frame(1, `${time(2)}\n`),
      frame(1, `${time(3)}tail`),
    ];
    expect(readBody(false, Buffer.concat(body))).toEqual({
      lines: [
        line('out'),
        line('err', { source: 'stderr', time_ns: 1 }),
        line('', { time_ns: 2 }),
        line('tail', { time_ns: 3, piece: 'part' }),
      ],
      left: 0,
    });
  });

  it('shows the bytes of an entry that was cut off', () => {
    const cut = frame(1, `${time(0)}out\n`).subarray(0, 20);
    expect(readBody(false, cut)).toEqual({ lines: [], left: 20 });
  });

  it('keeps bytes that are no UTF-8', () => {
    const { lines } = readBody(false, frame(1, `${time(0)}\xff\x00\xc3\n`));
    expect(lines).toEqual([line('\xff\x00\xc3')]);
  });

  it('gives the entries before an error of the daemon, and then the error', () => {
    const lines: Read['lines'] = [];
    const reader = new LogStreamReader(false);
    const body = Buffer.concat([frame(1, `${time(0)}out\n`), frame(3, 'error: bad file\n')]);
    const push = (): void => reader.push(body, (each) => lines.push(withText(shown(each))));
    expect(push).toThrow(expect.objectContaining({ code: 'LB_DOCKER_API' }));
    expect(lines).toEqual([line('out')]);
    expect(() => readChunks(false, [frame(3, 'error: bad file\n')])).toThrow(/error: bad file$/);
  });

  it.each([
    ['another type', frame(4, `${time(0)}x`), /header, found 0400000000000020/],
    [
      'a header of other bytes',
      Buffer.from('hello world, no frames'),
      /header, found 68656c6c6f20776f/,
    ],
    [
      'an entry that is too long',
      Buffer.of(1, 0, 0, 0, 0x7f, 0, 0, 0),
      /header, found 010000007f000000/,
    ],
    ['no time', frame(1, 'hello\n'), /timestamps=1.*hello/],
    ['an empty entry', frame(1, ''), /timestamps=1/],
  ])('is refused with %s', (_, body, message) => {
    expect(() => readChunks(false, [body])).toThrow(message);
  });
});

describe('the body of a logs call of a TTY', () => {
  it('comes as lines, and what has no newline when the daemon ends it', () => {
    const body = `${time(0)}one\r\n${time(1)}\n${time(2)}tail`;
    expect(readBody(true, Buffer.from(body))).toEqual({
      lines: [line('one\r'), line('', { time_ns: 1 }), line('tail', { time_ns: 2, piece: 'part' })],
      left: 0,
    });
  });

  it('parts a long line where its time is repeated', () => {
    const piece = 'x'.repeat(16_384);
    const body = `${time(5)}${piece}${time(5)}${piece}${time(5)}end\n${time(6)}${piece}${time(6)}\n`;
    const five = { time_ns: 5, piece: 'part' } as const;
    const six = { time_ns: 6, piece: 'part' } as const;
    expect(readBody(true, Buffer.from(body)).lines).toEqual([
      line(piece, five),
      line(piece, five),
      line('end', { time_ns: 5 }),
      line(piece, six),
      line('', { time_ns: 6 }),
    ]);
  });

  it('takes other times in a line for text', () => {
    const text = `a ${time(7)}b`;
    const long = `${'x'.repeat(16_384)}${time(8)}`;
    const body = Buffer.from(`${time(5)}${text}\n${time(6)}${long}\n`);
    expect(readBody(true, body).lines).toEqual([
      line(text, { time_ns: 5 }),
      line(long, { time_ns: 6 }),
    ]);
  });

  it('shows the bytes of a time that was cut off', () => {
    expect(readBody(true, Buffer.from(`${time(0)}a\n2026-`))).toEqual({
      lines: [line('a')],
      left: 5,
    });
  });

  it('is refused without times, and without an end', () => {
    expect(() => readChunks(true, [frame(1, `${time(0)}framed\n`)])).toThrow(/timestamps=1/);
    const endless = Buffer.from(time(0) + 'x'.repeat(2_000_000));
    expect(() => readChunks(true, [endless])).toThrow(/bytes without an end/);
  });
});
