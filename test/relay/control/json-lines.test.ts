import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { JsonLines } from '../../../src/relay/control/json-lines.ts';

const GENEROUS_MS = 30_000;

function lines() {
  const socket = new PassThrough();
  return { socket, channel: new JsonLines(socket, z.object({ n: z.number() })) };
}

describe('messages over a connection', () => {
  test('are found however the bytes are cut', async () => {
    const { socket, channel } = lines();
    for (const text of ['{"n"', ':1}\n{"n":2}\n{', '"n":3,"more":true}\n']) socket.write(text);
    const ns = [];
    for (let count = 0; count < 3; count++) ns.push((await channel.next(GENEROUS_MS))?.n);
    expect(ns).toEqual([1, 2, 3]);
  });

  test('that are here are read before the end is told', async () => {
    const { socket, channel } = lines();
    socket.end('{"n":1}\n{"n":');
    expect(await channel.next(GENEROUS_MS)).toEqual({ n: 1 });
    expect(await channel.next(GENEROUS_MS)).toBeUndefined();
  });

  test.each(['no json', '{"n":"one"}'])('%j are none', async (line) => {
    const { socket, channel } = lines();
    socket.write(`${line}\n`);
    await expect(channel.next(GENEROUS_MS)).rejects.toMatchObject({ code: 'LB_TAKEOVER' });
  });

  test('that do not come in time are not waited for', async () => {
    await expect(lines().channel.next(1)).rejects.toThrow('no answer within 1 ms');
  });

  test('without an end are cut off', async () => {
    const { socket, channel } = lines();
    socket.write('x'.repeat(100_000));
    expect(await channel.next(GENEROUS_MS)).toBeUndefined();
  });

  test('end when the connection breaks', async () => {
    const { socket, channel } = lines();
    const next = channel.next(GENEROUS_MS);
    socket.destroy(new Error('reset'));
    expect(await next).toBeUndefined();
  });
});
