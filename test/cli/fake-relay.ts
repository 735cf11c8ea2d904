import type { RelayModule } from '../../src/commands/run.ts';

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
    reload: async () => log.info({}, 'reloading'),
    stop: async () => {
      log.info({}, 'stopping for good');
      if (behaviour === 'never stops') await new Promise(() => {});
      clearInterval(alive);
    },
  };
};
