import { resolve } from 'node:path';
import type { Command } from 'commander';
import { SecretReader } from '../config/resolve/secrets.ts';
import { LogboomError } from '../errors.ts';
import type { ClientHandshake, ClientTls } from '../outputs/forward/options.ts';
import type { CatOptions } from './cat.ts';
import { examples } from './examples.ts';
import type { Host } from './host.ts';

/** The flags of `logboom cat`, as commander gives them. */
export interface CatFlags {
  readonly to: string;
  readonly key: string;
  readonly json: boolean;
  readonly ack: boolean;
  readonly ca?: string;
  readonly verify: boolean;
  readonly sharedKeyFile?: string;
  readonly username?: string;
  readonly passwordFile?: string;
}

export function addCatOptions(command: Command): Command {
  return command
    .argument('<tag>', 'the tag of the events')
    .option('--to <url>', 'the server: tcp://, tls:// or unix://', 'tcp://127.0.0.1:24224')
    .option('--key <name>', 'the field for lines that are no JSON objects', 'log')
    .option('--json', 'refuse lines that are no JSON objects', false)
    .option('--no-ack', 'do not wait until the server has confirmed')
    .option('--ca <file>', 'authorities that may sign the certificate of a tls:// server')
    .option('--no-verify', 'accept any certificate of a tls:// server')
    .option('--shared-key-file <file>', 'for a server that asks for a shared key')
    .option('--username <name>', 'for a server that asks for a user')
    .option('--password-file <file>', 'the password of that user')
    .addHelpText(
      'after',
      examples(
        [`echo '{"log":"hello"}' | logboom cat demo`],
        [
          'tail -F app.log | logboom cat --to tcp://relay:24224 app.web',
          'ends when the server goes away: lines that come later are not sent',
        ],
        ['logboom cat --json --to unix:///run/logboom.sock audit < events.ndjson'],
      ),
    );
}

/** @throws LB_USAGE for flags that do not go together, and secrets that cannot be read */
export function catOptions(host: Host, tag: string, flags: CatFlags): CatOptions {
  const { to, key, json, ack } = flags;
  const handshake = handshakeOf(host, flags);
  const common = { tag, to, key, json, ack, tls: tlsOf(host, flags) };
  return handshake === undefined ? common : { ...common, handshake };
}

function tlsOf(host: Host, { verify, ca }: CatFlags): ClientTls {
  const tls = { verify, min_version: 'TLSv1.2' } as const;
  return ca === undefined ? tls : { ...tls, ca_file: resolve(host.cwd, ca) };
}

function handshakeOf(host: Host, flags: CatFlags): ClientHandshake | undefined {
  const { sharedKeyFile, username, passwordFile } = flags;
  if ((username === undefined) !== (passwordFile === undefined)) {
    throw new LogboomError('LB_USAGE', '--username and --password-file go together');
  }
  if (sharedKeyFile === undefined) {
    if (username === undefined) return undefined;
    throw new LogboomError('LB_USAGE', '--username needs --shared-key-file');
  }
  const secrets = new SecretReader(
    (path) => host.readFile(resolve(host.cwd, path)),
    (_path, message, hint) => {
      throw new LogboomError('LB_USAGE', message, hint === undefined ? {} : { hint });
    },
  );
  const files = { shared_key_file: sharedKeyFile, password_file: passwordFile };
  return {
    shared_key: secrets.read(files, 'shared_key', []) ?? '',
    username: username ?? '',
    password: secrets.read(files, 'password', []) ?? '',
  };
}
