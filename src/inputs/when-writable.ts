import type { JournalWriter } from '../journal/types.ts';

/** Resolves once the journal takes events, or `signal` aborts. */
export async function whenWritable(journal: JournalWriter, signal: AbortSignal): Promise<void> {
  while (!journal.writable && !signal.aborted) {
    await new Promise<void>((resolve) => {
      const cancel = journal.onceWritable(() => {
        signal.removeEventListener('abort', giveUp);
        resolve();
      });
      const giveUp = (): void => {
        cancel();
        resolve();
      };
      signal.addEventListener('abort', giveUp, { once: true });
    });
  }
}
