import type { LogReader, OpenLogOptions } from '../types.ts';
import { FollowedLog, type OpenLogDeps } from './followed-log.ts';

/**
 * Opens a log at a place, whatever its files are called by now (DESIGN 7). A log whose
 * files are not there yet is waited for: `read` brings its entries once they are.
 *
 * @throws what the file system says, when it is not about the file's content.
 */
export async function openLog(options: OpenLogOptions, deps: OpenLogDeps): Promise<LogReader> {
  const log = new FollowedLog(options, deps);
  await log.begin();
  return log;
}
