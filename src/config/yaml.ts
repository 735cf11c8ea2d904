import {
  type Alias,
  type Document,
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type Scalar,
  type YAMLError,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import { LIMITS } from '../limits.ts';
import { type Environment, substitute } from './env.ts';
import { type Problem, problemAt } from './problem.ts';
import { ConfigTree, type Path, type Place, pathKey } from './tree.ts';

/**
 * Reads YAML into a tree that knows where each value stands, with `${VARIABLE}`
 * replaced in all text. Bounded whatever the text: in size, in depth, and in
 * the values that aliases multiply.
 */
export function readYaml(
  text: string,
  file: string,
  env: Environment,
): { tree: ConfigTree; problems: Problem[] } {
  const bytes = Buffer.byteLength(text);
  if (bytes > LIMITS.config_file_max_bytes) {
    const message = `expected at most ${LIMITS.config_file_max_bytes} bytes, found ${bytes}`;
    return {
      tree: new ConfigTree({}),
      problems: [problemAt({ where: file, offset: 0 }, [], message)],
    };
  }
  return new YamlReader(text, file, env).read();
}

const DEPTH_MAX_LEVELS = 64;

/** Raised inside the reader only, to leave it at once. */
class TooLarge extends Error {}

class YamlReader {
  readonly #text: string;
  readonly #file: string;
  readonly #env: Environment;
  readonly #lines = new LineCounter();
  readonly #problems: Problem[] = [];
  readonly #keys = new Map<string, Place>();
  readonly #values = new Map<string, Place>();
  /** Collections that the reader is inside of. */
  readonly #open = new Set<Node>();
  #nodes = 0;

  constructor(text: string, file: string, env: Environment) {
    this.#text = text;
    this.#file = file;
    this.#env = env;
  }

  read(): { tree: ConfigTree; problems: Problem[] } {
    let value: unknown;
    try {
      value = this.#document();
    } catch (error) {
      // The yaml package recurses: nesting beyond its stack ends in a RangeError.
      if (!(error instanceof TooLarge || error instanceof RangeError)) throw error;
      const message = `expected at most ${LIMITS.config_nodes_max} values, ${DEPTH_MAX_LEVELS} levels deep`;
      this.#problem(
        { where: this.#file, offset: 0 },
        [],
        message,
        'Do aliases (*name) repeat each other?',
      );
    }
    return {
      tree: new ConfigTree(value ?? {}, this.#keys, this.#values),
      problems: this.#problems,
    };
  }

  /** The document's value; `undefined` when its syntax leaves no sense in looking further. */
  #document(): unknown {
    const document = parseDocument(this.#text, {
      lineCounter: this.#lines,
      prettyErrors: false,
      stringKeys: true,
    });
    const broken = document.errors.find((error) => error.code !== 'DUPLICATE_KEY');
    if (broken !== undefined) {
      // What the parser says about the rest follows from its first stumble.
      this.#syntaxProblem(broken);
      return undefined;
    }
    for (const warning of document.warnings) this.#syntaxProblem(warning);
    for (const duplicate of document.errors) this.#duplicateKey(duplicate);
    return this.#node(document.contents, [], document);
  }

  #syntaxProblem(error: YAMLError): void {
    const [start, end] = error.pos;
    const place = this.#place(start, end);
    const [summary = ''] = error.message.split('\n', 1);
    const found = error.code === 'MULTIPLE_DOCS' ? 'expected one document, found another' : summary;
    const hint = place.excerpt?.line.includes('${')
      ? `Put quotes around "\${...}": inside { } and [ ], YAML takes its braces for its own.`
      : undefined;
    this.#problem(place, [], `not valid YAML: ${found}`, hint);
  }

  #duplicateKey(error: YAMLError): void {
    const [start, end] = error.pos;
    const key = /^[^:\s]*/.exec(this.#text.slice(start))?.[0] ?? '';
    const message = `expected each key once, found ${JSON.stringify(key)} again`;
    this.#problem(this.#place(start, end), [], message);
  }

  #node(node: Node | null, path: Path, document: Document): unknown {
    this.#nodes += 1;
    if (this.#nodes > LIMITS.config_nodes_max || path.length > DEPTH_MAX_LEVELS)
      throw new TooLarge();
    if (node === null) return null;
    const [start, end] = node.range ?? [0, 0];
    // The place of an alias's content is where the alias stands, not its anchor.
    if (!this.#values.has(pathKey(path))) this.#values.set(pathKey(path), this.#place(start, end));
    if (isAlias(node)) return this.#alias(node, path, document);
    if (!isCollection(node)) return isScalar(node) ? this.#scalar(node, path) : null;
    this.#open.add(node);
    const value = isMap(node) ? this.#map(node, path, document) : this.#list(node, path, document);
    this.#open.delete(node);
    return value;
  }

  #alias(alias: Alias, path: Path, document: Document): unknown {
    const target = alias.resolve(document);
    if (target !== undefined && !this.#open.has(target)) return this.#node(target, path, document);
    const [start, end] = alias.range ?? [0, 0];
    const why =
      target === undefined ? 'no anchor of this name stands before it' : 'it stands for itself';
    const message = `expected an alias of something above, found *${alias.source}: ${why}`;
    this.#problem(this.#place(start, end), path, message);
    return null;
  }

  #list(list: YAMLSeq, path: Path, document: Document): unknown[] {
    return list.items.map((item, index) => this.#node(asNode(item), [...path, index], document));
  }

  #map(map: YAMLMap, path: Path, document: Document): Record<string, unknown> {
    const entries = new Map<string, unknown>();
    for (const pair of map.items) {
      const { key } = pair;
      if (!isPair(pair) || !isScalar(key)) continue;
      const name = String(key.value);
      if (entries.has(name)) continue;
      const here = [...path, name];
      const [start, end] = key.range ?? [0, 0];
      if (name === '__proto__') {
        this.#problem(this.#place(start, end), here, 'nothing can have this name');
        continue;
      }
      this.#keys.set(pathKey(here), this.#place(start, end));
      entries.set(name, this.#node(asNode(pair.value), here, document));
    }
    return Object.fromEntries(entries);
  }

  #scalar(scalar: Scalar, path: Path): unknown {
    const { value, source } = scalar;
    // 0640 is a number to YAML 1.2 and another one to YAML 1.1; people mean the digits.
    if (typeof value === 'number' && source !== undefined && /^0\d+$/.test(source)) return source;
    if (typeof value !== 'string') return value;
    const { text, unset, malformed } = substitute(value, this.#env);
    for (const reference of unset) {
      const name = reference.slice(2, -1);
      const hint = `Set it, or write \${${name}:-TEXT} to fall back to TEXT.`;
      const place = this.#placeInside(scalar, reference);
      this.#problem(place, path, `the environment variable ${name} is not set`, hint);
    }
    for (const reference of malformed) {
      const message = `expected an environment variable such as \${NAME} or \${NAME:-TEXT}`;
      this.#problem(
        this.#placeInside(scalar, reference),
        path,
        message,
        'Write $${ for a plain ${.',
      );
    }
    return text;
  }

  #placeInside(scalar: Scalar, part: string): Place {
    const [start, end] = scalar.range ?? [0, 0];
    const at = this.#text.indexOf(part, start);
    return at === -1 || at >= end ? this.#place(start, end) : this.#place(at, at + part.length);
  }

  #place(start: number, end: number): Place {
    const { line, col } = this.#lines.linePos(start);
    const line_start = this.#lines.lineStarts[line - 1] ?? 0;
    const line_end = this.#text.indexOf('\n', line_start);
    const text = this.#text.slice(line_start, line_end === -1 ? undefined : line_end).trimEnd();
    return {
      where: `${this.#file}:${line}:${col}`,
      offset: start,
      excerpt: { line: text, start: col - 1, end: col - 1 + Math.max(1, end - start) },
    };
  }

  #problem(place: Place, path: Path, message: string, hint?: string): void {
    this.#problems.push(problemAt(place, path, message, hint));
  }
}

/** A parsed document holds nodes only; plain values are for documents built by hand. */
function asNode(item: unknown): Node | null {
  return isScalar(item) || isMap(item) || isSeq(item) || isAlias(item) ? item : null;
}
