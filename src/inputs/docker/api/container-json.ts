import type { Container } from '../types.ts';

/**
 * The answer of `GET /containers/{id}/json` as a `Container`. Takes what an Engine, or
 * something that behaves like one (Podman), leaves out; undefined without an id.
 * `LogConfig` holds the effective log options (formats.md 3.1).
 */
export function containerOf(answer: unknown): Container | undefined {
  const inspected = object(answer);
  const id = text(inspected['Id']);
  if (!/^[0-9a-f]{64}$/.test(id)) return undefined;
  const config = object(inspected['Config']);
  const state = object(inspected['State']);
  const log_config = object(object(inspected['HostConfig'])['LogConfig']);
  return {
    id,
    name: text(inspected['Name']).replace(/^\//, ''),
    image_name: text(config['Image']),
    image_id: text(inspected['Image']),
    labels: texts(config['Labels']),
    env: list(config['Env']),
    hostname: text(config['Hostname']),
    command: [text(inspected['Path']), ...list(inspected['Args'])],
    tty: config['Tty'] === true,
    log_driver: text(log_config['Type']),
    log_options: texts(log_config['Config']),
    created_ms: time_ms(inspected['Created']),
    started_ms: time_ms(state['StartedAt']),
    running: state['Running'] === true,
    directory: undefined,
    log_path: text(inspected['LogPath']),
  };
}

/** The ids in the answer of `GET /containers/json`. */
export function listedIds(answer: unknown): string[] {
  if (!Array.isArray(answer)) return [];
  return answer.map((item: unknown) => text(object(item)['Id'])).filter((id) => id !== '');
}

function object(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function list(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function texts(value: unknown): Record<string, string> {
  const entries = Object.entries(object(value));
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

/** The Engine writes year 1 where something never happened. */
function time_ms(value: unknown): number {
  const parsed = Date.parse(text(value));
  return Number.isNaN(parsed) || parsed < 0 ? 0 : parsed;
}
