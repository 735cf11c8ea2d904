import type { Config, OutputConfig } from '../config/types.ts';
import { formatSize } from '../config/units.ts';

export interface StartupInfo {
  readonly version: string;
  readonly config: Config;
  /** Where the relay really listens, port 0 replaced; URLs. */
  readonly listening: readonly string[];
  /** Where the status page really is. */
  readonly status_url: string | undefined;
}

/** What a person sees when the relay runs: what it does, and what to try next. Ends with a newline. */
export function startupMessage(info: StartupInfo): string {
  const { version, config, listening, status_url } = info;
  const lines = [
    `logboom ${version} is running.`,
    ...row('listening', listening),
    ...row('docker', dockerOf(config)),
    ...row(
      'files',
      config.inputs.tail.flatMap(({ paths }) => paths),
    ),
    ...row('health', healthOf(config)),
    ...row('journal', [`${config.journal.dir} (at most ${formatSize(config.journal.max_bytes)})`]),
    ...row('outputs', config.outputs.map(describeOutput)),
    ...row('status', status_url === undefined ? [] : [status_url]),
  ];
  const next = thingsToTry(listening);
  if (next.length > 0) lines.push('', 'Try it:', ...next.map((command) => `  ${command}`));
  return `${lines.join('\n')}\n`;
}

function dockerOf({ docker: { root, api_socket } }: Config): string[] {
  const api = api_socket === undefined ? [] : [`unix://${api_socket}`];
  return root === undefined ? api : [root, ...api];
}

function healthOf({ inputs: { health } }: Config): string[] {
  if (health === undefined) return [];
  const host = health.host.includes(':') ? `[${health.host}]` : health.host;
  return [`tcp://${host}:${health.port}`];
}

/** The label stands beside the first value only. */
function row(label: string, values: readonly string[]): string[] {
  return values.map((value, index) => `  ${(index === 0 ? label : '').padEnd(10)} ${value}`);
}

function describeOutput(output: OutputConfig): string {
  const { name, match } = output;
  const route = match === '**' ? '' : ` for ${match}`;
  switch (output.type) {
    case 'forward':
      return `${name}: forwards to ${output.servers.map(({ url }) => url).join(', ')}${route}`;
    case 'file':
      return `${name}: writes ${output.path}${route}`;
    case 'stdout':
      return `${name}: shows events here${route}`;
  }
}

const DEFAULT_LISTENER = 'tcp://127.0.0.1:24224';

/** Commands for the first listener that a plain client can reach. */
function thingsToTry(listening: readonly string[]): string[] {
  const url = listening.find((each) => /^(tcp|unix):/.test(each));
  if (url === undefined) return [];
  const reachable = url.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:');
  const address = reachable.replace(/^tcp:\/\//, '');
  const to = reachable === DEFAULT_LISTENER ? '' : ` --to ${reachable}`;
  return [
    `docker run --log-driver=fluentd --log-opt fluentd-address=${address} --log-opt fluentd-sub-second-precision=true alpine echo hello`,
    `echo '{"log":"hello"}' | npx logboom cat${to} demo`,
  ];
}
