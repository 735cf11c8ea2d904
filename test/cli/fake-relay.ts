import { open } from 'node:fs/promises';
import type { RelayModule } from '../../src/commands/run.ts';
import { LogboomError } from '../../src/errors.ts';

/** Stands in for the relay in a real process; the environment says how it behaves. */
export const startRelay: RelayModule['startRelay'] = async (_config, { env, log }) => {
  const behaviour = env['FAKE_RELAY'];
  // Something that keeps the process alive, as listeners do.
  const alive = setInterval(() => {}, 1_000);
  if (behaviour === 'throws later') {
    setTimeout(() => {
      throw new Error('thrown later');
    }, 10);
  }
  if (behaviour === 'rejects later') void Promise.reject(new Error('rejected'));
  return {
    listening: ['tcp://127.0.0.1:24224'],
    status_url: undefined,
    released: new Promise(() => {}),
    reload: async () => log.info({}, 'reloading'),
    stop: async () => {
      log.info({}, 'stopping for good');
      if (behaviour === 'never stops') await new Promise(() => {});
      if (behaviour === 'hangs in a file') {
        // Waits for somebody to open the other end, as a call to a dead disk waits.
        open(env['FAKE_FIFO'] ?? '').catch(() => {});
        await new Promise((resolve) => setTimeout(resolve, 50));
        throw new LogboomError('LB_STOP', 'the journal hangs');
      }
      clearInterval(alive);
    },
  };
};
