import { LIMITS } from '../../src/limits.ts';
import type { FrameSink } from '../../src/protocol/frame.ts';
import { FrameReader } from '../../src/protocol/frame-reader.ts';
import { type LoadShape, loadBlock } from '../lib/wire.ts';
import type { Micro } from './measure.ts';

/** As a socket hands them over. */
const READ_BYTES = 64 * 1024;
const BLOCK_BYTES = 1024 * 1024;

const NOTHING: FrameSink = {
  frame() {},
  largeBegin() {},
  largeRun() {},
  largeEnd() {},
  largeAbort() {},
  heartbeat() {},
};

function frameReader(name: string, shape: LoadShape): Micro {
  return {
    name: `frame reader, ${name}: an event`,
    async begin() {
      const block = loadBlock(shape, BLOCK_BYTES);
      const reader = new FrameReader(NOTHING, LIMITS);
      const work = (): void => {
        for (let at = 0; at < block.bytes.length; at += READ_BYTES) {
          reader.feed(block.bytes.subarray(at, at + READ_BYTES));
        }
      };
      return { ops_count: block.events_count, work };
    },
  };
}

const LINE = { line_bytes: 100, tags_count: 1 } as const;

export const PROTOCOL: readonly Micro[] = [
  frameReader('Message', { ...LINE, mode: 'message' }),
  frameReader('Message, 1,000 tags', { ...LINE, mode: 'message', tags_count: 1000 }),
  frameReader('PackedForward', { ...LINE, mode: 'packed' }),
];
