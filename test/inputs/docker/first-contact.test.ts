import { describe, expect, it } from 'vitest';
import { firstContact } from '../../../src/inputs/docker/first-contact.ts';

const ALIVE_MS = 5_000;
const startOf = (started_ms: number, created_ms = 1_000, running = true): string =>
  firstContact({ started_ms, created_ms, running }, ALIVE_MS, 'newest').start_at;

describe('a container that logboom does not know', () => {
  it('is read whole if it was started since logboom last ran', () => {
    expect(startOf(ALIVE_MS + 1)).toBe('oldest');
  });

  it('is read as the configuration says if it ran before', () => {
    expect(startOf(ALIVE_MS)).toBe('newest');
  });

  it('is told why: what is configured, and whether that is the default', () => {
    const container = { started_ms: 1_000, created_ms: 1_000, running: true };
    const whyOf = (otherwise: 'oldest' | 'newest'): string =>
      firstContact(container, ALIVE_MS, otherwise).why;
    expect(whyOf('newest')).toBe('docker.start_at is newest, the default');
    expect(whyOf('oldest')).toBe('docker.start_at is oldest');
  });

  it('is read whole if it was never started: it has no line yet', () => {
    expect(startOf(0, 1_000, false)).toBe('oldest');
  });

  it('is judged by its creation if the Engine does not say when it was started', () => {
    expect(startOf(0, ALIVE_MS + 1)).toBe('oldest');
    expect(startOf(0, ALIVE_MS - 1)).toBe('newest');
  });
});
