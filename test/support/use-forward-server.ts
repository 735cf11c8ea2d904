import { afterEach } from 'vitest';
import { type ServerSetup, startServer, type TestServer } from './forward-server.ts';

/** Forward servers for the tests of a file; the function that is returned starts one, and each ends with its test. */
export function useForwardServer(): (setup?: ServerSetup) => Promise<TestServer> {
  const running: TestServer[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((server) => server.close()));
  });
  return async (setup) => {
    const server = await startServer(setup);
    running.push(server);
    return server;
  };
}
