/** What the README says, as far as it can be checked without running anything. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { childSchema, configJsonSchema, type SchemaNode } from '../src/config/schema-tree.ts';
import { DROP_WORDS } from '../src/status/drop-words.ts';
import { parsed } from './config/parsing.ts';

const README = await readFile(new URL('../README.md', import.meta.url), 'utf8');
const PROSE = README.replaceAll(/^```.*?^```/gms, '');

/** As GitHub makes them. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
}

const headings = (level: string): string[] =>
  [...PROSE.matchAll(new RegExp(`^${level} (.+)$`, 'gm'))].map(([, title = '']) => title);

describe("the README's links", () => {
  const targets = [...PROSE.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);

  it('to sections lead to one', () => {
    const anchors = headings('#{1,4}').map(anchorOf);
    const wanted = targets.filter((target) => target.startsWith('#'));
    expect(wanted.length).toBeGreaterThan(10);
    expect(anchors.map((anchor) => `#${anchor}`)).toEqual(
      expect.arrayContaining([...new Set(wanted)]),
    );
  });

  it('to files lead to one', () => {
    const files = targets.filter((target) => !/^(?:#|https?:)/.test(target));
    const there = files.filter((file) => existsSync(new URL(`../${file}`, import.meta.url)));
    expect(there).toEqual(files);
    expect(files).toContain('deploy/compose.yaml');
  });

  it('list every section that follows the contents', () => {
    const contents = /^\*\*Contents\*\*:\n(.*?)\n\n/ms.exec(PROSE)?.[1] ?? '';
    const listed = [...contents.matchAll(/\[(.+?)\]\(/g)].map(([, title]) => title);
    expect(listed).toEqual(
      headings('##').filter((title) => title !== 'Quick start' && title !== 'Licence'),
    );
  });
});

describe("the README's samples", () => {
  const samples = [...README.matchAll(/^```yaml\n(.*?)^```/gms)].map(([, text = '']) => text);
  const [, tail = ''] = /<!-- sample: tail -->\n```yaml\n(.*?)```/s.exec(README) ?? [];

  it('are configurations that load, all of them', () => {
    expect(samples.length).toBeGreaterThan(2);
    for (const sample of samples) expect(() => parsed(sample)).not.toThrow();
  });

  it('call the output that forwards as `--to` does', () => {
    for (const sample of samples) {
      const forwarding = parsed(sample).outputs.filter(({ type }) => type === 'forward');
      expect(forwarding.map(({ name }) => name)).toEqual(['upstream']);
    }
  });

  it('have one for Kubernetes', () => {
    expect(parsed(tail).inputs.tail.map(({ paths }) => paths)).toEqual([
      ['/var/log/containers/*.log'],
    ]);
  });
});

describe("the README's names", () => {
  const spans = [...PROSE.matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code);
  const schema = configJsonSchema();
  const sections = Object.keys(schema.properties ?? {}).filter((name) => name !== 'outputs');

  it('of configuration keys are keys', () => {
    const key = new RegExp(`^((?:${sections.join('|')})(?:\\.[a-z_]+)+)(?::|$)`);
    const keys = spans.flatMap((span) => key.exec(span)?.[1] ?? []);
    expect(new Set(keys).size).toBeGreaterThan(20);
    const unknown = keys.filter((path) => nodeAt(schema, path.split('.')) === undefined);
    expect(unknown).toEqual([]);
  });

  it('of reasons for which events are counted are such reasons', () => {
    const named = [
      'drop_output',
      'missing_segment',
      'corrupt',
      'not_kept',
      'not_stored',
      'no_longer_routed',
    ];
    for (const reason of named) expect(spans).toContain(reason);
    expect(Object.keys(DROP_WORDS)).toEqual(expect.arrayContaining(named));
  });
});

function nodeAt(schema: SchemaNode, path: readonly string[]): SchemaNode | undefined {
  return path.reduce<SchemaNode | undefined>(
    (node, key) => node && childSchema(node.items ?? node, key),
    schema,
  );
}
