import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/limits.ts';
import { hasDigestShape, isContentDerived, messageContent } from '../../src/protocol/content-id.ts';
import { FrameWalk } from '../../src/protocol/frame-walk.ts';
import { ENTRIES, ENTRY_1, EVENT_TIME, hex, RECORD, SAMPLES } from '../support/forward-messages.ts';

const digest = (content: Buffer): Buffer =>
  createHash('sha512').update(content).digest().subarray(0, 16);
const DOCKER_ID = Buffer.from('udYDawAAAACnYUJap1LJ9Q==');

describe('isContentDerived', () => {
  const content = hex(ENTRIES);
  const pieces = [content.subarray(0, 7), content.subarray(7)];

  it.each(['hex', 'base64'] as const)("recognizes Fluent Bit's id in %s", (form) => {
    const id = Buffer.from(digest(content).toString(form));
    expect(isContentDerived(id, pieces)).toBe(true);
    expect(isContentDerived(id, [hex(ENTRY_1)])).toBe(false);
  });

  it('recognizes the id of a Message-mode event', () => {
    const walk = new FrameWalk(LIMITS);
    for (const [name, metadata] of [
      ['message_3_elements', '80'],
      ['message_metadata', '81a16b01'],
    ] as const) {
      const message = SAMPLES[name];
      walk.walk(message, 0, message.length);
      const hashed = hex(`9292${EVENT_TIME}${metadata}${RECORD}`);
      const id = Buffer.from(digest(hashed).toString('base64'));
      expect(isContentDerived(id, messageContent(message, walk.frame))).toBe(true);
    }
  });

  it('takes no other id for one', () => {
    expect(isContentDerived(DOCKER_ID, pieces)).toBe(false);
    expect(isContentDerived(Buffer.from(`${digest(content).toString('base64')}\n`), pieces)).toBe(
      false,
    );
    expect(isContentDerived(Buffer.alloc(0), pieces)).toBe(false);
  });
});

describe('hasDigestShape', () => {
  it.each([
    ["Fluent Bit's hex", 'a'.repeat(32), true],
    ["Fluent Bit's base64", digest(Buffer.from('x')).toString('base64'), true],
    ["Docker's", DOCKER_ID.toString(), false],
    ["fluentd's", `${digest(Buffer.from('x')).toString('base64')}\n`, false],
    ['any other', 'chunk-1', false],
  ])('%s', (_name, id, expected) => {
    expect(hasDigestShape(Buffer.from(id))).toBe(expected);
  });
});
