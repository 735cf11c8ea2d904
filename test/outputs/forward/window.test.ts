import { describe, expect, it } from 'vitest';
import { RECORD_END } from '../../../src/outputs/forward/chunk-id.ts';
import { AckWindow } from '../../../src/outputs/forward/window.ts';
import { chunkOf, idOf } from './chunks.ts';

const toFirst = (): number => 0;

/** `chunk 1` ... */
const nameOf = (id: string | undefined): string =>
  id === undefined ? '-' : Buffer.from(id, 'base64').toString().trim();

function ids(chunks: readonly { id: string }[]): string[] {
  return chunks.map(({ id }) => nameOf(id));
}

function windowOf(...tags: string[]): AckWindow {
  const window = new AckWindow(2, 1);
  const chunks = tags.map((tag, index) => chunkOf(index + 1, tag));
  window.add(chunks, tags.length + 1, toFirst);
  return window;
}

function send(window: AckWindow, count: number, server = 0): string[] {
  const sent = [];
  for (let i = 0; i < count; i++) sent.push(nameOf(window.next(server, i)?.id));
  return sent;
}

const ack = (window: AckWindow, seq: number, server = 0, now_ms = 0): boolean =>
  window.ack(server, idOf(seq), now_ms) !== 'unknown';

describe('the ack window', () => {
  it('moves the cursor over contiguous acks only', () => {
    const window = windowOf('a', 'b', 'c');
    send(window, 3);
    ack(window, 2);
    expect(window.cursor_seq).toBe(1);
    ack(window, 1);
    expect(window.cursor_seq).toBe(3);
    ack(window, 3);
    expect(window.cursor_seq).toBe(4);
    expect(window.unsettled_bytes).toBe(0);
  });

  it('moves the cursor over records that are not for this output', () => {
    const window = windowOf();
    window.add([], 50, toFirst);
    expect(window.cursor_seq).toBe(50);
    window.add([chunkOf(60, 'a')], 70, toFirst);
    window.add([], 90, toFirst);
    expect(window.cursor_seq).toBe(60);
    send(window, 1);
    ack(window, 60);
    expect(window.cursor_seq).toBe(90);
  });

  it('sends what was in flight again before everything later, in the old order', () => {
    const window = windowOf('a', 'a', 'b', 'a');
    expect(send(window, 3)).toEqual(['chunk 1', 'chunk 2', 'chunk 3']);
    ack(window, 2);
    expect(ids(window.fail(0, 5))).toEqual(['chunk 1', 'chunk 3']);
    expect(send(window, 4)).toEqual(['chunk 1', 'chunk 3', 'chunk 4', '-']);
  });

  it('does not know an ack that was never asked for, that came twice, or from another server', () => {
    const window = windowOf('a');
    expect(ack(window, 1)).toBe(false);
    send(window, 1);
    expect(ack(window, 1, 1)).toBe(false);
    expect(ack(window, 1)).toBe(true);
    expect(ack(window, 1)).toBe(false);
  });

  it('counts the ack timeout from when the oldest chunk became the oldest', () => {
    const window = windowOf('a', 'b', 'c');
    expect(window.oldestSince_ms(0)).toBeUndefined();
    window.next(0, 100);
    window.next(0, 200);
    window.next(0, 300);
    ack(window, 2, 0, 400);
    expect(window.oldestSince_ms(0)).toBe(100);
    ack(window, 1, 0, 500);
    expect(window.oldestSince_ms(0)).toBe(500);
    ack(window, 3, 0, 600);
    expect(window.oldestSince_ms(0)).toBeUndefined();
  });

  it('keeps a tag on its server while a chunk of it is in flight', () => {
    const window = windowOf('a', 'b', 'a');
    expect(send(window, 1)).toEqual(['chunk 1']);
    window.reroute(
      () => 1,
      () => true,
    );
    expect(send(window, 2, 1)).toEqual(['chunk 2', '-']);
    expect(send(window, 2, 0)).toEqual(['chunk 3', '-']);
    ack(window, 1);
    ack(window, 3);
    window.add([chunkOf(4, 'a')], 5, () => 1);
    expect(send(window, 1, 1)).toEqual(['chunk 4']);
  });

  it('moves a chunk of unknown outcome only when it may leave, and tells which did', () => {
    const window = windowOf('a', 'a');
    send(window, 1);
    window.fail(0, 1000);
    expect(
      window.reroute(
        () => 1,
        (chunk) => (chunk.unknown_since_ms ?? 0) < 1000,
      ),
    ).toEqual([]);
    expect(window.hasNext(1)).toBe(false);
    expect(
      ids(
        window.reroute(
          () => 1,
          () => true,
        ),
      ),
    ).toEqual(['chunk 1']);
    expect(send(window, 3, 1)).toEqual(['chunk 1', 'chunk 2', '-']);
  });

  it('sends an isolated chunk with nothing beside it', () => {
    const window = windowOf('a', 'b', 'c');
    const [, second] = window.unsettled();
    if (second === undefined) throw new Error('three were planned');
    window.isolate(second);
    expect(send(window, 2)).toEqual(['chunk 1', '-']);
    ack(window, 1);
    expect(send(window, 2)).toEqual(['chunk 2', '-']);
    ack(window, 2);
    expect(send(window, 1)).toEqual(['chunk 3']);
  });

  it('lets others overtake a chunk that was set aside, until it is taken back', () => {
    const window = windowOf('a', 'a', 'a');
    const [first] = window.unsettled();
    if (first === undefined) throw new Error('three were planned');
    window.setAside(first);
    expect(send(window, 1)).toEqual(['chunk 2']);
    window.takeBack(first);
    expect(send(window, 3)).toEqual(['chunk 1', 'chunk 3', '-']);
  });

  it('puts the parts of a chunk where the chunk was', () => {
    const window = windowOf('a', 'a', 'b');
    const [first] = window.unsettled();
    if (first === undefined) throw new Error('three were planned');
    const half = (event: number) => {
      const range = { ...first.range, first_event: event };
      const id = Buffer.from(`half ${event}`).toString('base64');
      return chunkOf(1, 'a', 1, { id, range });
    };
    window.replace(first, [half(0), half(1)]);
    expect(window.unsettled_count).toBe(4);
    expect(send(window, 5)).toEqual(['half 0', 'half 1', 'chunk 2', 'chunk 3', '-']);
  });

  it('keeps the cursor at a chunk that begins between the parts of another', () => {
    const window = new AckWindow(1, 1);
    const over = (first_seq: number, last_seq: number) => ({
      range: { first_seq, first_event: 0, last_seq, end_event: RECORD_END },
    });
    const first = chunkOf(1, 'a', 1, over(1, 7));
    window.add([first, chunkOf(2, 'b', 1, over(2, 8))], 9, toFirst);
    window.replace(first, [chunkOf(1, 'a', 1, over(1, 3)), chunkOf(5, 'a', 1, over(5, 7))]);
    expect(send(window, 1)).toEqual(['chunk 1']);
    ack(window, 1);
    expect(window.cursor_seq).toBe(2);
    expect(ids(window.unsettled())).toEqual(['chunk 2', 'chunk 5']);
  });

  it('needs a chunk that lies across the place to which the journal moved the cursor', () => {
    const window = new AckWindow(1, 1);
    const range = { first_seq: 1, first_event: 0, last_seq: 7, end_event: RECORD_END };
    window.add([chunkOf(1, 'a', 1, { range })], 8, toFirst);
    window.dropBefore(5);
    expect(window.cursor_seq).toBe(5);
    expect(window.needed_seq).toBe(1);
  });

  it('forgets what the journal dropped, and knows an ack that still comes for it', () => {
    const window = windowOf('a', 'b', 'a', 'b');
    expect(send(window, 1)).toEqual(['chunk 1']);
    expect(ids(window.dropBefore(3))).toEqual(['chunk 1', 'chunk 2']);
    expect(window.cursor_seq).toBe(3);
    expect(ack(window, 1)).toBe(true);
    expect(send(window, 3)).toEqual(['chunk 3', 'chunk 4', '-']);
    window.dropBefore(100);
    expect(window.cursor_seq).toBe(100);
    expect(window.fail(0, 0)).toEqual([]);
  });

  it('leaves out what the journal dropped between planning and adding', () => {
    const window = windowOf();
    window.dropBefore(10);
    window.add([chunkOf(9, 'a'), chunkOf(10, 'a')], 11, toFirst);
    expect(send(window, 2)).toEqual(['chunk 10', '-']);
    window.add([], 5, toFirst);
    expect(window.end_seq).toBe(11);
  });

  it('lets go of the bodies of settled chunks while the cursor waits for an earlier one', () => {
    const window = windowOf('a', 'b');
    const [, second] = window.unsettled();
    send(window, 2);
    ack(window, 2);
    expect(second?.pieces).toEqual([]);
    expect(window.cursor_seq).toBe(1);
  });
});
