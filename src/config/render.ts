import { stringify } from 'yaml';
import type { ConfigDocument } from './schema.ts';
import { alternativeFor, childSchema, configJsonSchema, type SchemaNode } from './schema-tree.ts';
import { isSection } from './tree.ts';
import { formatDuration, formatSize } from './units.ts';

/** What stands in the place of a secret. */
export const HIDDEN = '(hidden)';

/**
 * A document as YAML that reads back as the same document, every default
 * spelled out. Secrets are hidden unless `secrets` is `shown` (for tests: the
 * text is then as good as the secrets themselves).
 */
export function renderDocument(document: ConfigDocument, secrets: 'hidden' | 'shown'): string {
  const value = written(document, configJsonSchema(), secrets);
  // Without a width, no value is folded over lines.
  return stringify(value, { lineWidth: 0 });
}

function written(
  value: unknown,
  schema: SchemaNode | undefined,
  secrets: 'hidden' | 'shown',
): unknown {
  const node = schema && alternativeFor(schema, value);
  if (Array.isArray(value)) return value.map((item) => written(item, node?.items, secrets));
  if (isSection(value)) {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    return Object.fromEntries(
      entries.map(([key, item]) => [key, written(item, node && childSchema(node, key), secrets)]),
    );
  }
  if (node?.['x-kind'] === 'secret') return secrets === 'shown' ? escaped(value) : HIDDEN;
  if (typeof value !== 'number') return escaped(value);
  if (node?.['x-kind'] === 'size') return formatSize(value);
  return node?.['x-kind'] === 'duration' ? formatDuration(value) : value;
}

/** So that `${` reads back as text, and not as a variable. */
function escaped(value: unknown): unknown {
  return typeof value === 'string' ? value.replaceAll('${', '$$$${') : value;
}
