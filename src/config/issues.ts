import type { z } from 'zod';
import { didYouMean, type Problem, problemAt } from './problem.ts';
import type { Complaint } from './schema/fields.ts';
import { alternativeFor, configJsonSchema, type SchemaNode, schemaAt } from './schema-tree.ts';
import { closest } from './suggest.ts';
import { type ConfigTree, isSection, type Path } from './tree.ts';

type Issue = z.core.$ZodIssue;

/** zod's issues as sentences, each at its place in the file. */
export function problemsFromIssues(issues: readonly Issue[], tree: ConfigTree): Problem[] {
  // The schema that the sentences come from takes its time to make, and a start has none.
  return issues.length === 0 ? [] : new IssueReader(tree).read(issues, []);
}

class IssueReader {
  readonly #tree: ConfigTree;
  readonly #schema: SchemaNode = configJsonSchema();

  constructor(tree: ConfigTree) {
    this.#tree = tree;
  }

  read(issues: readonly Issue[], around: Path): Problem[] {
    return issues.flatMap((issue) => this.#problems(issue, [...around, ...textKeys(issue.path)]));
  }

  #problems(issue: Issue, path: Path): Problem[] {
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => this.#unknownKey(path, key));
    }
    if (issue.code === 'invalid_key') {
      return issue.issues.map((inner) => this.#badName(path, inner));
    }
    if (issue.code === 'invalid_union') {
      if (issue.errors.length === 0) return [this.#noSuchType(path)];
      return this.#union(issue.errors, path);
    }
    return [this.#complaint(path, complaintOf(issue, this.#tree.get(path)))];
  }

  #unknownKey(path: Path, key: string): Problem {
    const section = schemaAt(this.#schema, path, this.#tree.value);
    const known = Object.keys(section?.properties ?? {});
    const meant = closest(key, known);
    const place = this.#tree.placeOfKey([...path, key]);
    const message = `there is no key ${JSON.stringify(key)} here`;
    const hint =
      key === '<<'
        ? 'Merge keys are not read; an alias (*name) can stand for a whole value.'
        : (didYouMean(meant) ?? `There are ${known.join(', ')}.`);
    return problemAt(place, [...path, key], message, hint);
  }

  #badName(path: Path, issue: Issue): Problem {
    const { expected, reason, suggestion } = complaintOf(issue, path.at(-1));
    const found = JSON.stringify(path.at(-1));
    const message = sentence(`expected ${expected}, found ${found}`, reason);
    return problemAt(this.#tree.placeOfKey(path), path, message, didYouMean(suggestion));
  }

  #noSuchType(path: Path): Problem {
    const output = schemaAt(this.#schema, path.slice(0, -1), undefined);
    const types = (output?.oneOf ?? []).map((each) => String(each.properties?.['type']?.const));
    const complaint = oneOf(types, this.#tree.get(path));
    const missing = this.#tree.get(path) === undefined;
    return missing ? this.#missing(path, complaint.expected) : this.#complaint(path, complaint);
  }

  /** Of several alternatives, the one whose own type fits tells what is wrong; else all are named. */
  #union(alternatives: readonly (readonly Issue[])[], path: Path): Problem[] {
    const fitting = alternatives.find((issues) => !issues.some(concernsTypeItself));
    if (fitting !== undefined) return this.read(fitting, path);
    const expected = alternatives.flatMap((issues) =>
      issues.filter(concernsTypeItself).map((issue) => complaintOf(issue, undefined).expected),
    );
    return [this.#complaint(path, { expected: [...new Set(expected)].join(' or ') })];
  }

  #complaint(path: Path, { expected, reason, suggestion }: Complaint): Problem {
    const value = this.#tree.get(path);
    const place = this.#tree.placeOf(path);
    const schema = schemaAt(this.#schema, path, this.#tree.value);
    if (value === undefined) return this.#missing(path, expected, schema?.description);
    const hidden = schema?.['x-kind'] === 'secret';
    const message = sentence(`expected ${expected}, found ${describe(value, hidden)}`, reason);
    return problemAt(place, path, message, didYouMean(suggestion ?? asList(schema, value)));
  }

  #missing(path: Path, expected: string, hint?: string): Problem {
    const message = `the key ${JSON.stringify(path.at(-1))} is missing; expected ${expected}`;
    return problemAt(this.#tree.placeOf(path), path, message, hint);
  }
}

/** What a zod issue about the value `found` expected. */
function complaintOf(issue: Issue, found: unknown): Complaint {
  switch (issue.code) {
    case 'custom':
      return { expected: issue.message, ...(issue.params as Partial<Complaint>) };
    case 'invalid_value':
      return oneOf(issue.values.map(String), found);
    case 'invalid_type':
      return { expected: TYPE_WORDS[issue.expected] ?? issue.expected };
    case 'too_small':
      if (issue.origin === 'string') return { expected: 'text that is not empty' };
      if (issue.origin === 'array') return { expected: `a list of at least ${issue.minimum}` };
      return { expected: `a whole number from ${issue.minimum} up` };
    case 'too_big':
      return { expected: `a whole number up to ${issue.maximum}` };
    default:
      return { expected: issue.message };
  }
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a whole number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a section of keys and values',
  record: 'a section of keys and values',
};

function oneOf(words: readonly string[], found: unknown): Complaint {
  const suggestion = typeof found === 'string' ? closest(found, words) : undefined;
  return { expected: `one of ${words.join(', ')}`, suggestion };
}

/** What needs no quotes in YAML, and holds no password. */
const PLAIN_TEXT = /^[\w./:-]+$/;

/** The list that one element was written without, where its elements are text. */
function asList(schema: SchemaNode | undefined, value: unknown): string | undefined {
  if (schema?.items === undefined || typeof value !== 'string') return undefined;
  const takes_text = alternativeFor(schema.items, value).type === 'string';
  return takes_text && PLAIN_TEXT.test(value) ? `[${value}]` : undefined;
}

function concernsTypeItself(issue: Issue): boolean {
  return issue.code === 'invalid_type' && issue.path.length === 0;
}

function sentence(statement: string, reason: string | undefined): string {
  return reason === undefined ? statement : `${statement}: ${reason}`;
}

const SHOWN_MAX_CHARACTERS = 60;

function describe(value: unknown, hidden: boolean): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (isSection(value)) return 'a section';
  if (typeof value === 'string') {
    if (hidden) return value === '' ? 'empty text' : 'text (not shown)';
    const text = value.replaceAll(/:\/\/[^/\s]*@/g, '://…@');
    return JSON.stringify(
      text.length > SHOWN_MAX_CHARACTERS ? `${text.slice(0, SHOWN_MAX_CHARACTERS)}…` : text,
    );
  }
  const type = typeof value === 'number' ? 'the number' : 'the value';
  return hidden ? `${type} (not shown)` : `${type} ${JSON.stringify(value)}`;
}

function textKeys(path: readonly PropertyKey[]): (string | number)[] {
  return path.filter((key) => typeof key !== 'symbol');
}
