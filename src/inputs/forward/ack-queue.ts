import type { HeldChunk } from './sender-window.ts';

/** One ack on its way to a client. */
export interface AckSlot {
  readonly ack: Buffer;
  readonly chunk: HeldChunk;
  ready: boolean;
}

/**
 * The acks that one connection owes, in the order in which its chunks came.
 *
 *     | ready: written | waits for its commit | ready, but not its turn |
 *
 * An ack is written when it is ready and all before it are written, never earlier.
 */
export class AckQueue {
  readonly #write: (slot: AckSlot) => void;
  readonly #slots: AckSlot[] = [];

  constructor(write: (slot: AckSlot) => void) {
    this.#write = write;
  }

  get length(): number {
    return this.#slots.length;
  }

  /** Takes the next place in the order. */
  push(ack: Buffer, chunk: HeldChunk): AckSlot {
    const slot: AckSlot = { ack, chunk, ready: false };
    this.#slots.push(slot);
    return slot;
  }

  /** The events of these are durable. Writes every ack whose turn has come. */
  release(slots: readonly AckSlot[]): void {
    for (const slot of slots) slot.ready = true;
    while (this.#slots[0]?.ready === true) {
      const slot = this.#slots.shift();
      if (slot !== undefined) this.#write(slot);
    }
  }
}
