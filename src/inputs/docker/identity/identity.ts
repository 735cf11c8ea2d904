import type { Container, Identity } from '../types.ts';
import { ecsFields } from './ecs.ts';
import { type ExtraNames, extraFields, NO_EXTRA_NAMES } from './extra-fields.ts';
import type { TagSurroundings } from './log-info.ts';
import { compileTagTemplate, DEFAULT_TAG } from './tag-template.ts';

/** The part of the configuration that says what events of followed files look like. */
export interface IdentityOptions extends TagSurroundings, ExtraNames {
  /** For containers whose log driver has no `tag`. */
  readonly tag: string;
  readonly sub_second: boolean;
  /** Whether fields are made from the labels of Amazon ECS. */
  readonly ecs: boolean;
}

/**
 * Fields that make a line what it is: no label or variable takes their place in an
 * event that is made from a file. (In the driver's own events one does; see `cacheUse`.)
 */
export const RESERVED_FIELDS: readonly string[] = [
  'container_id',
  'source',
  'log',
  'partial_message',
  'partial_id',
  'partial_ordinal',
  'partial_last',
];

/**
 * What a container's events carry, as its fluentd driver would have it. For the
 * fluentd driver only its own log options count. For others, which have no tag and
 * no precision, the log option `tag` or else `options.tag` makes the tag, and
 * `options.labels`, `options.env` and ECS add fields; a field of a container's own
 * choice wins over one of ECS.
 *
 * Pure. Throws LB_CONTAINER, naming the container, for a template or regular
 * expression that cannot be done as Docker does it.
 */
export function identityOf(container: Container, options: IdentityOptions): Identity {
  const is_fluentd = container.log_driver === 'fluentd';
  const fields = new Map([
    ...(options.ecs && !is_fluentd ? ecsFields(container.labels) : []),
    ...extraFields(container, is_fluentd ? NO_EXTRA_NAMES : options),
  ]);
  const container_name = fields.get('container_name') ?? `/${container.name}`;
  for (const name of [...RESERVED_FIELDS, 'container_name']) fields.delete(name);
  return {
    container_id: container.id,
    container_name,
    tag: tagOf(container, is_fluentd ? DEFAULT_TAG : options.tag, options),
    extra: Object.fromEntries(fields),
    sub_second: is_fluentd
      ? goBoolean(container.log_options['fluentd-sub-second-precision'])
      : options.sub_second,
  };
}

function tagOf(container: Container, otherwise: string, around: TagSurroundings): string {
  const own = container.log_options['tag'] ?? '';
  const [template, option] = own === '' ? [otherwise, 'docker.tag'] : [own, 'log option tag'];
  const where = `container ${container.name || container.id}, ${option}`;
  return compileTagTemplate(template, where)(container, around);
}

/** As strconv.ParseBool reads it; the driver has refused anything else. */
export function goBoolean(text: string | undefined): boolean {
  return text !== undefined && ['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text);
}
