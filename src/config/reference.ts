import { configJsonSchema, type SchemaNode } from './schema-tree.ts';

/**
 * The configuration reference as Markdown tables, one for each section, made
 * from the schema; the README contains it, and a test compares the two.
 */
export function configReference(): string {
  const schema = configJsonSchema();
  const tables: string[] = [];
  for (const [name, section] of Object.entries(schema.properties ?? {})) {
    const types = name === 'outputs' ? outputTypes(section) : undefined;
    if (types === undefined) tables.push(table(`\`${name}\``, section, rows(section, name)));
    else tables.push(...outputTables(section, types));
  }
  return `${tables.join('\n\n')}\n`;
}

interface Row {
  readonly key: string;
  readonly node: SchemaNode;
  readonly required: boolean;
}

function outputTypes(outputs: SchemaNode): readonly SchemaNode[] | undefined {
  const each = outputs.additionalProperties;
  return each === false ? undefined : each?.oneOf;
}

/** Keys that all types have stand in one table; each type has another with its own. */
function outputTables(outputs: SchemaNode, types: readonly SchemaNode[]): string[] {
  const rows_of = types.map((type) => rows(type, 'outputs.NAME'));
  const [first = []] = rows_of;
  const shared = first.filter(
    ({ key }) =>
      !key.endsWith('.type') && rows_of.every((each) => each.some((row) => row.key === key)),
  );
  const shared_keys = new Set(shared.map(({ key }) => key));
  const own = types.map((type, index) => {
    const kind = type.properties?.['type'];
    const title = `\`outputs.NAME\` with \`type: ${String(kind?.const)}\``;
    const its_rows = (rows_of[index] ?? []).filter(
      ({ key }) => !shared_keys.has(key) && !key.endsWith('.type'),
    );
    return table(title, { description: kind?.description ?? '' }, its_rows);
  });
  return [table('`outputs.NAME`, whatever its type', outputs, shared), ...own];
}

/** Every leaf under `section`, and every section with a meaning of its own. */
function rows(section: SchemaNode, prefix: string): Row[] {
  return Object.entries(section.properties ?? {}).flatMap(([name, node]) => {
    const key = `${prefix}.${name}`;
    const required = section.required?.includes(name) ?? false;
    const inner = sectionInside(node);
    const own: Row = { key, node, required };
    if (inner === undefined) return [own];
    return [own, ...rows(inner, node.items === undefined ? key : `${key}[]`)];
  });
}

function sectionInside(node: SchemaNode): SchemaNode | undefined {
  const candidate = node.items ?? node;
  const alternatives = candidate.anyOf ?? [candidate];
  return alternatives.find(({ properties }) => properties !== undefined);
}

function table(title: string, section: SchemaNode, its_rows: readonly Row[]): string {
  const lines = its_rows.map(
    ({ key, node, required }) =>
      `| \`${key}\` | ${cell(defaultOf(node, required))} | ${cell(meaning(node))} |`,
  );
  return [
    `#### ${title}`,
    '',
    section.description ?? '',
    '',
    '| key | default | meaning |',
    '|---|---|---|',
    ...lines,
  ].join('\n');
}

function defaultOf(node: SchemaNode, required: boolean): string {
  if (required) return 'required';
  const value = node.default;
  if (value === undefined || (typeof value === 'object' && sectionInside(node) && !node.items))
    return '';
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}

function meaning(node: SchemaNode): string {
  const words = node.enum?.map((word) => `\`${String(word)}\``).join(', ');
  const range = node['x-range'];
  const sentences = [
    node.description,
    words === undefined ? undefined : `One of ${words}.`,
    range === undefined ? undefined : `${range[0]?.toUpperCase()}${range.slice(1)}.`,
  ];
  return sentences.filter((sentence) => sentence !== undefined).join(' ');
}

/** A bar would end the cell. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
