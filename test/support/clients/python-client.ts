import { fileURLToPath } from 'node:url';
import { DEBIAN_PYTHON } from '../peers.ts';
import { Child } from '../process.ts';
import type { Sending } from './client.ts';

const SCRIPT = fileURLToPath(new URL('./python-client.py', import.meta.url));

export interface PythonSending extends Sending {
  readonly to: { readonly port: number } | { readonly socket: string };
  readonly sub_second?: boolean;
}

/** Starts the client; it never asks for acks, since the library can't. */
export function pythonClient(sending: PythonSending): Child {
  const { name, tag, lines, to } = sending;
  const target =
    'port' in to ? { host: '127.0.0.1', port: to.port } : { host: `unix://${to.socket}`, port: 0 };
  const options = { name, tag, lines, ...target, sub_second: sending.sub_second ?? false };
  return new Child(DEBIAN_PYTHON, [SCRIPT, JSON.stringify(options)], { name: 'python client' });
}
