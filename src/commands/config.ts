import type { Config } from '../config/types.ts';
import type { ConfigOptions } from './config-options.ts';
import { EXIT, type ExitCode, type Host } from './host.ts';
import { loadConfig } from './load-config.ts';

/** `logboom config check FILE`: says that it is valid, or throws with all that is not. */
export async function checkConfig(host: Host, file: string): Promise<ExitCode> {
  const { config } = await loadConfig(host, file, {});
  host.stdout.write(`${file}: valid; ${summary(config)}\n`);
  return EXIT.ok;
}

/** `logboom config show [FILE]`: the configuration with every default, secrets hidden. */
export async function showConfig(
  host: Host,
  file: string | undefined,
  options: ConfigOptions,
): Promise<ExitCode> {
  const { document } = await loadConfig(host, file, options);
  const { renderDocument } = await import('../config/render.ts');
  host.stdout.write(renderDocument(document, 'hidden'));
  return EXIT.ok;
}

/** `logboom config schema`: the JSON Schema, for editors. */
export async function printConfigSchema(host: Host): Promise<ExitCode> {
  const { configJsonSchema } = await import('../config/schema-tree.ts');
  host.stdout.write(`${JSON.stringify(configJsonSchema(), null, 2)}\n`);
  return EXIT.ok;
}

function summary({ inputs, outputs }: Config): string {
  const listeners = inputs.listeners.map(({ url }) => url).join(', ');
  const names = outputs.map(({ name, type }) => `${name} (${type})`).join(', ');
  return `listens on ${listeners || 'nothing'}; outputs: ${names}`;
}
