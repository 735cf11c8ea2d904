import { LogboomError } from '../../../errors.ts';
import type { Container } from '../types.ts';

/** What a container's folder holds about it (formats.md 4.3). */
export interface ContainerDocuments {
  /** The folder; its name is the container's id. */
  readonly directory: string;
  readonly id: string;
  readonly config_json: string;
  readonly hostconfig_json: string;
}

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * A container from `config.v2.json` and `hostconfig.json`. These are internal to the
 * Engine: a field that is missing, null or of another type is taken for empty. Throws
 * LB_DOCKER if the text is no JSON object (a file that was caught half-way), or is
 * about another container.
 */
export function parseContainer(documents: ContainerDocuments): Container {
  const { directory, id } = documents;
  const root = parseObject(documents.config_json, directory, 'config.v2.json');
  const host = parseObject(documents.hostconfig_json, directory, 'hostconfig.json');
  if (textAt(root, 'ID') !== id) {
    throw new LogboomError(
      'LB_DOCKER',
      `expected the container ${id}, found ${textAt(root, 'ID')}`,
      {
        where: `${directory}/config.v2.json`,
      },
    );
  }
  const config = objectAt(root, 'Config');
  const state = objectAt(root, 'State');
  const log_config = objectAt(host, 'LogConfig');
  return {
    id,
    name: textAt(root, 'Name').replace(/^\//, ''),
    image_name: textAt(config, 'Image'),
    image_id: textAt(root, 'Image'),
    labels: textsAt(config, 'Labels'),
    env: listAt(config, 'Env'),
    hostname: textAt(config, 'Hostname'),
    command: [textAt(root, 'Path'), ...listAt(root, 'Args')],
    tty: config['Tty'] === true,
    log_driver: textAt(log_config, 'Type'),
    log_options: textsAt(log_config, 'Config'),
    created_ms: timeAt(root, 'Created'),
    started_ms: timeAt(state, 'StartedAt'),
    running: state['Running'] === true,
    directory,
    log_path: textAt(root, 'LogPath'),
  };
}

function parseObject(json: string, directory: string, file: string): JsonObject {
  const where = `${directory}/${file}`;
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new LogboomError('LB_DOCKER', 'expected JSON, found something else', { where, cause });
  }
  if (isObject(value)) return value;
  throw new LogboomError('LB_DOCKER', 'expected a JSON object, found something else', { where });
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function objectAt(object: JsonObject, key: string): JsonObject {
  const value = object[key];
  return isObject(value) ? value : {};
}

function textAt(object: JsonObject, key: string): string {
  const value = object[key];
  return typeof value === 'string' ? value : '';
}

function textsAt(object: JsonObject, key: string): Readonly<Record<string, string>> {
  const entries = Object.entries(objectAt(object, key));
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

function listAt(object: JsonObject, key: string): readonly string[] {
  const value = object[key];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/** Go writes the year 1 where there is no time. */
function timeAt(object: JsonObject, key: string): number {
  const time_ms = Date.parse(textAt(object, key));
  return Number.isNaN(time_ms) ? 0 : Math.max(0, time_ms);
}
