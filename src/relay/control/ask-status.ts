import { once } from 'node:events';
import { connect } from 'node:net';
import { systemCode } from '../../errors.ts';
import type { RelayStatus } from '../../status/types.ts';
import { controlPath } from './control-path.ts';
import { JsonLines } from './json-lines.ts';
import { statusAnswer } from './messages.ts';

const ANSWER_TIMEOUT_MS = 5_000;
/** Of a relay with thousands of containers. */
const STATUS_MAX_BYTES = 16 * 1024 * 1024;

/** Why no relay could be asked. */
export type NoRelay = 'none' | 'denied';

const NOBODY: readonly (string | undefined)[] = ['ENOENT', 'ECONNREFUSED', 'ENOTDIR'];
const DENIED: readonly (string | undefined)[] = ['EACCES', 'EPERM'];

/**
 * The status of the relay that owns the journal in `directory`, over its control socket;
 * `none`: no relay runs there; `denied`: one may, and this user may not ask it.
 *
 * @throws LB_TAKEOVER when what listens there does not answer as a relay does
 */
export async function askStatus(directory: string): Promise<RelayStatus | NoRelay> {
  let way: ReturnType<typeof controlPath> | undefined;
  try {
    way = controlPath(directory);
    const socket = connect(way.path);
    await once(socket, 'connect');
    const channel = new JsonLines(socket, statusAnswer, STATUS_MAX_BYTES);
    try {
      channel.send({ type: 'status' });
      const said = await channel.next(ANSWER_TIMEOUT_MS);
      return said === undefined ? 'none' : said.status;
    } finally {
      channel.destroy();
    }
  } catch (error) {
    const code = systemCode(error);
    if (NOBODY.includes(code)) return 'none';
    if (DENIED.includes(code)) return 'denied';
    throw error;
  } finally {
    way?.close();
  }
}
