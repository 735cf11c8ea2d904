import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hashBytes, lineKey } from '../../../src/inputs/logfile/line-key.ts';
import { createLogLine, type LogLine, PIECE } from '../../../src/inputs/logfile/types.ts';

const lineOf = (log: string | Buffer, fields: Partial<LogLine> = {}): LogLine => {
  const buf = Buffer.from(log);
  return { ...createLogLine(), buf, log_end: buf.length, time_s: 1795413495, ...fields };
};

const keyOf = (log: string | Buffer, fields: Partial<LogLine> = {}): number =>
  lineKey(lineOf(log, fields), true);

const hashOf = (bytes: Buffer): number => hashBytes(bytes, 0, bytes.length, 0, 0, 0, 0);

describe('lineKey', () => {
  it('is what it was: journals hold keys', () => {
    const id = Buffer.alloc(64, 'ef22');
    const keys = [
      keyOf(''),
      keyOf('hi'),
      keyOf('hi', { time_ns: 5 }),
      keyOf('GET /index.html 200'),
      keyOf('\u{1f600}', { time_s: 0xffffffff, time_ns: 999_999_999 }),
      keyOf('x'.repeat(16_384), { piece: PIECE.part, partial_id: id, partial_ordinal: 1 }),
    ];
    expect(keys).toEqual([
      5041847396253664, 2561488995081166, 3182809976487856, 1175116573555644, 1912740149854461,
      1247037763957446,
    ]);
  });

  it('is a whole number of at most 53 bits', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(), (log, time_ns) => {
        const key = keyOf(Buffer.from(log), { time_ns });
        expect(Number.isSafeInteger(key) && key >= 0).toBe(true);
      }),
    );
  });

  it('depends on nothing but its line, wherever that lies in memory', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(9), (log, place) => {
        const buf = Buffer.concat([Buffer.alloc(place, 'x'), log, Buffer.alloc(5, 'y')]);
        const fields = { buf, log_start: place, log_end: place + log.length };
        expect(keyOf('', fields)).toBe(keyOf(Buffer.from(log)));
      }),
    );
  });

  it('differs with the time, the partial id, the ordinal, the log and its length', () => {
    const id = Buffer.alloc(64, 'a');
    const keys = [
      keyOf('hi'),
      keyOf('hi', { time_s: 1795413496 }),
      keyOf('hi', { time_ns: 1 }),
      keyOf('hi', { partial_id: id, partial_ordinal: 1 }),
      keyOf('hi', { partial_id: id, partial_ordinal: 2 }),
      keyOf('hi', { partial_id: Buffer.alloc(64, 'b'), partial_ordinal: 1 }),
      keyOf('ho'),
      keyOf('hi\0'),
      keyOf(''),
      keyOf('\0'),
      keyOf('\0\0\0\0'),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('leaves nanoseconds out when the driver does', () => {
    const a = lineOf('hi', { time_ns: 1 });
    const b = lineOf('hi', { time_ns: 2 });
    expect(lineKey(a, false)).toBe(lineKey(b, false));
    expect(lineKey(a, false)).toBe(lineKey(lineOf('hi'), true));
    expect(lineKey(a, true)).not.toBe(lineKey(b, true));
  });
});

describe('the hash under it', () => {
  /** By chance two of 10^8 keys of 53 bits are equal, but two of 10^5 of 32 bits. */
  it('keeps lines apart that are nearly the same', () => {
    const keys = new Set<number>();
    let lines = 0;
    const take = (text: string, time_ns: number): void => {
      keys.add(keyOf(text, { time_ns }));
      lines += 1;
    };
    for (let i = 1; i <= 40_000; i += 1) {
      take(`line ${i}`, 0);
      take(String(i).padStart(12, '0'), 0);
      take('tick', i);
      take(`${'x'.repeat(i % 97)}${i}`, i);
      take('\0'.repeat(i % 211) + String(i), 0);
    }
    expect(keys.size).toBe(lines);
  });

  it('spreads what differs in two words, where lanes of one kind would meet', () => {
    const keys = new Set<number>();
    const bytes = Buffer.alloc(16);
    for (let i = 0; i < 256; i += 1) {
      for (let j = 0; j < 256; j += 1) {
        bytes.writeUInt32LE(i * 0x01000000, 0);
        bytes.writeUInt32LE(j * 0x01000000, 8);
        keys.add(hashOf(bytes));
      }
    }
    expect(keys.size).toBe(65_536);
  });

  it('lets each bit of the input change each bit of the key about every second time', () => {
    const bytes = Buffer.from('2026-11-23 a log line of 32 byte');
    const flips = Array.from({ length: 53 }, () => 0);
    let rounds = 0;
    for (let round = 0; round < 40; round += 1) {
      bytes.writeUInt16LE(round * 1543, 8);
      const before = BigInt(hashOf(bytes));
      for (let bit = 0; bit < bytes.length * 8; bit += 1) {
        const at = bit >> 3;
        bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7));
        const changed = before ^ BigInt(hashOf(bytes));
        bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7));
        for (let i = 0; i < 53; i += 1)
          flips[i] = (flips[i] as number) + Number((changed >> BigInt(i)) & 1n);
        rounds += 1;
      }
    }
    for (const count of flips) {
      expect(count / rounds).toBeGreaterThan(0.47);
      expect(count / rounds).toBeLessThan(0.53);
    }
  });
});
