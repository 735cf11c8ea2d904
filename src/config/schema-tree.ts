import { z } from 'zod';
import type { FieldKind } from './schema/fields.ts';
import { configSchema } from './schema.ts';
import { isSection, type Path } from './tree.ts';

/** The parts of a draft-7 JSON Schema that ours uses. */
export interface SchemaNode {
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly default?: unknown;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: SchemaNode | false;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
  readonly 'x-kind'?: FieldKind;
  /** Which quantities are taken, such as `from 64KiB up to 256MiB`. */
  readonly 'x-range'?: string;
}

/** The JSON Schema (draft-7) of the configuration file, for editors. */
export function configJsonSchema(): SchemaNode {
  // zod types its result for every draft; SchemaNode names the part that ours consists of.
  return z.toJSONSchema(configSchema, { io: 'input', target: 'draft-7' }) as SchemaNode;
}

/** What the schema says about `path` in the configuration `root`; the values decide between alternatives. */
export function schemaAt(schema: SchemaNode, path: Path, root: unknown): SchemaNode | undefined {
  let node: SchemaNode | undefined = alternativeFor(schema, root);
  let value: unknown = root;
  for (const key of path) {
    value = childValue(value, key);
    const next: SchemaNode | undefined = node === undefined ? undefined : childSchema(node, key);
    node = next === undefined ? undefined : alternativeFor(next, value);
  }
  return node;
}

export function childSchema(node: SchemaNode, key: string | number): SchemaNode | undefined {
  if (typeof key === 'number') return node.items;
  const own = node.properties;
  if (own !== undefined && Object.hasOwn(own, key)) return own[key];
  return node.additionalProperties === false ? undefined : node.additionalProperties;
}

/** Of several alternatives the one that `value` looks like: by its `type` key, or by being a section or not. */
export function alternativeFor(node: SchemaNode, value: unknown): SchemaNode {
  const alternatives = node.oneOf ?? node.anyOf;
  if (alternatives === undefined) return node;
  const type = isSection(value) ? value['type'] : undefined;
  const by_type = alternatives.find((each) => each.properties?.['type']?.const === type);
  const by_shape = alternatives.find((each) => (each.type === 'object') === isSection(value));
  return (type === undefined ? by_shape : by_type) ?? node;
}

function childValue(value: unknown, key: string | number): unknown {
  if (Array.isArray(value) && typeof key === 'number') return value[key];
  return isSection(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}
