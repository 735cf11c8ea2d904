import { describe, expect, it } from 'vitest';
import { DROP_WORDS, isLoss } from '../../../src/status/drop-words.ts';
import { adviceFor, dropMeaning, gapMeaning } from '../../../src/status/page/browser/words.js';
import { sampleStatus, troubledStatus } from '../../support/status-samples.ts';

describe('the page', () => {
  it('has a sentence and advice for every reason under which events are dropped', () => {
    const unknown = dropMeaning('unheard of').advice;
    for (const reason of Object.keys(DROP_WORDS)) {
      const { level, text, advice } = dropMeaning(reason);
      expect({ reason, text, known: advice !== unknown }).toMatchObject({
        text: expect.any(String),
        known: true,
      });
      expect({ reason, is_loss: level === 'error' }).toEqual({ reason, is_loss: isLoss(reason) });
    }
  });

  it('shows a reason that it does not know as it is, also one that objects have by nature', () => {
    for (const reason of ['unheard of', 'constructor', '__proto__']) {
      expect(dropMeaning(reason).text).toBe(`were dropped: ${reason}`);
      expect(gapMeaning(reason).text).toBe(reason);
    }
  });

  it('says what to do about an output that retries and a journal that is full', () => {
    const status = troubledStatus();
    const about = (where: string) => ({ level: 'error', where, text: '' }) as const;
    expect(adviceFor(about('output aggregator'), status)).toContain('tries again by itself');
    expect(adviceFor(about('output archive'), status)).toBe('');
    const journal = { ...sampleStatus().journal, state: 'disk_full' } as const;
    expect(adviceFor(about('journal'), { ...status, journal })).toContain('Free space');
  });
});
