import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child, run } from '../process.ts';
import type { Sending } from './client.ts';

const SOURCE = fileURLToPath(new URL('./go-client.go', import.meta.url));

export interface GoSending extends Sending {
  readonly to: { readonly port: number } | { readonly socket: string };
  readonly ack?: boolean;
  readonly json?: boolean;
  readonly sub_second?: boolean;
}

/** Builds the client into `dir`, offline, against Debian's copy of the library. */
export async function buildGoClient(dir: string): Promise<string> {
  const program = join(dir, 'go-client');
  await run('go', ['build', '-o', program, SOURCE], {
    env: { GO111MODULE: 'off', GOPATH: '/usr/share/gocode', GOFLAGS: '', CGO_ENABLED: '0' },
  });
  return program;
}

/** Starts the client; `succeeded()` resolves once every line is sent (and acked, if asked for). */
export function goClient(program: string, sending: GoSending): Child {
  const target = 'port' in sending.to ? `-port=${sending.to.port}` : `-socket=${sending.to.socket}`;
  return new Child(program, [
    `-name=${sending.name}`,
    `-tag=${sending.tag}`,
    `-lines=${sending.lines}`,
    target,
    `-ack=${sending.ack ?? false}`,
    `-json=${sending.json ?? false}`,
    `-sub-second=${sending.sub_second ?? false}`,
  ]);
}
