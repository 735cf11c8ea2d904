import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../src/limits.ts';
import { run } from './support/process.ts';

const TOP = fileURLToPath(new URL('..', import.meta.url));
const FILE_MAX_LINES = 400;

/** What any module may ask of the process: facts that do not change and measurements. */
const HARMLESS = new Set([
  'arch',
  'hrtime',
  'memoryUsage',
  'pid',
  'platform',
  'version',
  'versions',
]);

interface SourceFile {
  /** Relative to the top folder: `src/journal/format.ts`. */
  readonly path: string;
  readonly text: string;
}

const SOURCES: readonly SourceFile[] = readdirSync(join(TOP, 'src'), { recursive: true })
  .map((name) => `src/${String(name)}`)
  .filter((path) => path.endsWith('.ts'))
  .map((path) => ({ path, text: readFileSync(join(TOP, path), 'utf8') }));

interface CruiseResult {
  readonly summary: {
    readonly totalCruised: number;
    readonly violations: readonly {
      readonly from: string;
      readonly to: string;
      readonly rule: { readonly name: string };
    }[];
  };
}

describe('imports', () => {
  it('run downward only, without cycles (.dependency-cruiser.mjs)', async () => {
    const depcruise = join(TOP, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
    const config = join(TOP, '.dependency-cruiser.mjs');
    const json = await run(
      process.execPath,
      [depcruise, '--config', config, '--output-type', 'json', 'src'],
      { cwd: TOP },
    );
    const { summary } = JSON.parse(json) as CruiseResult;
    const violations = summary.violations.map(
      ({ rule, from, to }) => `${rule.name}: ${from} → ${to}`,
    );
    expect(violations).toEqual([]);
    // With a TypeScript that it can't use, dependency-cruiser looks at nothing and passes.
    expect(summary.totalCruised).toBeGreaterThanOrEqual(SOURCES.length);
  });
});

describe('source files', () => {
  it(`have ${FILE_MAX_LINES} lines at most`, () => {
    const long = SOURCES.filter(({ text }) => text.split('\n').length > FILE_MAX_LINES + 1);
    expect(long.map(({ path }) => path)).toEqual([]);
  });

  it('leave the console and the process to cli.ts', () => {
    const uses = SOURCES.filter(({ path }) => path !== 'src/cli.ts').flatMap(usesOfTheProcess);
    expect(uses).toEqual([]);
  });

  it('use every limit of limits.ts', () => {
    const elsewhere = textWithout('src/limits.ts');
    const unused = Object.keys(LIMITS).filter(
      (name) => !new RegExp(`\\b${name}\\b`).test(elsewhere),
    );
    expect(unused).toEqual([]);
  });

  it('raise every error code of errors.ts', () => {
    const table = readFileSync(join(TOP, 'src/errors.ts'), 'utf8');
    const codes = [...table.matchAll(/^ {2}(LB_\w+):/gm)].map(([, code]) => code ?? '');
    expect(codes.length).toBeGreaterThan(5);
    const elsewhere = textWithout('src/errors.ts');
    expect(codes.filter((code) => !elsewhere.includes(`'${code}'`))).toEqual([]);
  });
});

function textWithout(path: string): string {
  return SOURCES.filter((source) => source.path !== path)
    .map(({ text }) => text)
    .join('\n');
}

/** `path:line: console.log` for every use of `console` or, harmless facts aside, of `process`. */
function usesOfTheProcess({ path, text }: SourceFile): string[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true);
  const uses: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAccessExpression(node) && ts.isIdentifier(node.expression)) {
      const object = node.expression.text;
      const property = node.name.text;
      if (object === 'console' || (object === 'process' && !HARMLESS.has(property))) {
        const { line } = file.getLineAndCharacterOfPosition(node.getStart());
        uses.push(`${path}:${line + 1}: ${object}.${property}`);
      }
    }
    if (ts.isImportDeclaration(node)) {
      for (const name of namesFromProcess(node)) {
        if (!HARMLESS.has(name)) uses.push(`${path}: imports ${name} from node:process`);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return uses;
}

/** What a declaration imports from `node:process`; `*` for anything but named imports. */
function namesFromProcess({ moduleSpecifier, importClause }: ts.ImportDeclaration): string[] {
  if (!/^.(?:node:)?process.$/.test(moduleSpecifier.getText())) return [];
  const bindings = importClause?.namedBindings;
  if (bindings === undefined || !ts.isNamedImports(bindings)) return ['*'];
  return bindings.elements.map(({ name, propertyName }) => (propertyName ?? name).text);
}
