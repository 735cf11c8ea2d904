import type { Container } from '../types.ts';
import { sliceBytes, type Value, ValueError } from './template/values.ts';

/** What a template may show besides the container. */
export interface TagSurroundings {
  /** Of the host that the Engine runs on, for `{{.Hostname}}`; undefined when it is not known. */
  readonly host_name: string | undefined;
}

/** How a field is had from a container. Throws a ValueError where it cannot be. */
type Field = (container: Container, around: TagSurroundings) => Value;

const SHORT_ID_CHARACTERS = 12;

/**
 * What a log driver is told of its container, by the names that templates use
 * (Docker's logger.Info; formats.md 3.3). Its `ContainerCreated` is refused: it
 * prints with more digits than are kept.
 */
const FIELDS: ReadonlyMap<string, Field> = new Map<string, Field>([
  ['ID', ({ id }) => id.slice(0, SHORT_ID_CHARACTERS)],
  ['FullID', ({ id }) => id],
  ['Name', ({ name }) => name],
  ['ImageID', ({ image_id }) => shortImageId(image_id)],
  ['ImageFullID', ({ image_id }) => image_id],
  ['ImageName', ({ image_name }) => image_name],
  ['Command', ({ command }) => command.join(' ')],
  ['Hostname', (_, { host_name }) => hostName(host_name)],
  ['DaemonName', () => 'docker'],
  ['ContainerID', ({ id }) => id],
  ['ContainerName', ({ name }) => `/${name}`],
  ['ContainerEntrypoint', ({ command }) => command[0] ?? ''],
  ['ContainerArgs', ({ command }) => command.slice(1)],
  ['ContainerImageID', ({ image_id }) => image_id],
  ['ContainerImageName', ({ image_name }) => image_name],
  ['ContainerEnv', ({ env }) => env],
  ['ContainerLabels', ({ labels }) => new Map(Object.entries(labels))],
  ['Config', ({ log_options }) => new Map(Object.entries(log_options))],
]);

export const LOG_INFO_FIELDS: readonly string[] = [...FIELDS.keys()];

export function logInfoField(container: Container, around: TagSurroundings, name: string): Value {
  const field = FIELDS.get(name);
  if (field === undefined) throw new ValueError(`the field .${name} is not supported`);
  return field(container, around);
}

/** Docker takes the first characters as they are, the algorithm's name included. */
function shortImageId(image_id: string): string {
  return sliceBytes(image_id, 0, SHORT_ID_CHARACTERS);
}

function hostName(host_name: string | undefined): string {
  if (host_name !== undefined) return host_name;
  throw new ValueError("the host's name is not known; give it as docker.hostname");
}
