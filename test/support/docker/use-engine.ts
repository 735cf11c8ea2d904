import { afterAll, beforeAll } from 'vitest';
import { writeAll } from '../write-all.ts';
import { DockerEngine } from './engine.ts';
import { RUN_TIMEOUT_MS } from './scenario.ts';

const STDERR = 2;

/** One Engine for all tests of a suite, since a start takes seconds; the function that is returned gives it. */
export function useEngine(): () => DockerEngine {
  let engine: DockerEngine | undefined;
  beforeAll(async () => {
    engine = await DockerEngine.start();
    // The rows that follow are worth what this Engine is; past vitest's console capture, as they are.
    writeAll(STDERR, `Docker Engine ${await engine.version()}\n`);
  }, RUN_TIMEOUT_MS);
  afterAll(async () => {
    await engine?.stop();
  }, RUN_TIMEOUT_MS);
  return () => {
    if (engine === undefined) throw new Error('the Engine is there only while tests run');
    return engine;
  };
}
