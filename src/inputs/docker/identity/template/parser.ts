import { templateError } from './error.ts';
import { type Piece, splitTemplate, type Token } from './lexer.ts';

/** A template as a tree. `at` is the place in its text, from 0. */
export type Node =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'print'; readonly pipeline: Pipeline }
  | {
      readonly kind: 'if';
      readonly condition: Pipeline;
      readonly chosen: readonly Node[];
      readonly otherwise: readonly Node[];
    };

/** Commands, each of which gets the value of the one before it as its last argument. */
export interface Pipeline {
  readonly commands: readonly Command[];
  readonly at: number;
}

export interface Command {
  readonly operand: Operand;
  readonly args: readonly Operand[];
}

export type Operand =
  | { readonly kind: 'constant'; readonly value: string | number | boolean; readonly at: number }
  /** `.A.B`: the first name is one of the root's, the others are keys. */
  | { readonly kind: 'field'; readonly names: readonly string[]; readonly at: number }
  | { readonly kind: 'function'; readonly name: string; readonly at: number }
  | {
      readonly kind: 'group';
      readonly pipeline: Pipeline;
      readonly names: readonly string[];
      readonly at: number;
    };

/** Actions that Go has, and logboom refuses. */
const REFUSED = ['range', 'with', 'define', 'template', 'block', 'break', 'continue', 'nil'];

const NESTING_MAX_LEVELS = 32;

/** Parses a template of Go's text/template; what is outside of the supported part is a TemplateError. */
export function parseTemplate(template: string): readonly Node[] {
  const parser = new TemplateParser(splitTemplate(template));
  return parser.parse();
}

/** How a list of nodes ended. */
type Ending = { readonly word: 'end' | 'else'; readonly rest: TokenReader } | undefined;

class TemplateParser {
  readonly #pieces: readonly Piece[];
  #next = 0;
  #level = 0;

  constructor(pieces: readonly Piece[]) {
    this.#pieces = pieces;
  }

  parse(): readonly Node[] {
    const { nodes, ending } = this.#list();
    if (ending !== undefined) {
      throw templateError(ending.rest.at, `there is no {{if}} for this {{${ending.word}}}`);
    }
    return nodes;
  }

  #list(): { nodes: Node[]; ending: Ending } {
    const nodes: Node[] = [];
    for (;;) {
      const piece = this.#pieces[this.#next];
      if (piece === undefined) return { nodes, ending: undefined };
      this.#next += 1;
      if (piece.kind === 'literal') {
        if (piece.text !== '') nodes.push(piece);
        continue;
      }
      const tokens = new TokenReader(piece.tokens, piece.at);
      if (tokens.takeWord('end')) {
        tokens.expectEnd();
        return { nodes, ending: { word: 'end', rest: tokens } };
      }
      if (tokens.takeWord('else')) return { nodes, ending: { word: 'else', rest: tokens } };
      nodes.push(tokens.takeWord('if') ? this.#if(tokens) : printNode(tokens));
    }
  }

  /** From behind `{{if` to behind the `{{end}}` that closes it and its `{{else if}}`s. */
  #if(tokens: TokenReader): Node {
    this.#level += 1;
    if (this.#level > NESTING_MAX_LEVELS) throw templateError(tokens.at, 'nested too deeply');
    const condition = wholePipeline(tokens);
    const { nodes, ending } = this.#list();
    const otherwise = this.#otherwise(ending, tokens.at);
    this.#level -= 1;
    return { kind: 'if', condition, chosen: nodes, otherwise };
  }

  #otherwise(ending: Ending, opened_at: number): readonly Node[] {
    if (ending?.word === 'end') return [];
    if (ending === undefined) throw templateError(opened_at, 'this {{if}} has no {{end}}');
    if (ending.rest.takeWord('if')) return [this.#if(ending.rest)];
    ending.rest.expectEnd();
    const { nodes, ending: last } = this.#list();
    if (last?.word === 'end') return nodes;
    throw templateError(ending.rest.at, 'this {{else}} has no {{end}}');
  }
}

function printNode(tokens: TokenReader): Node {
  return { kind: 'print', pipeline: wholePipeline(tokens) };
}

function wholePipeline(tokens: TokenReader): Pipeline {
  const pipeline = parsePipeline(tokens, 0);
  tokens.expectEnd();
  return pipeline;
}

function parsePipeline(tokens: TokenReader, level: number): Pipeline {
  const { at } = tokens;
  if (level > NESTING_MAX_LEVELS) throw templateError(at, 'nested too deeply');
  const commands: Command[] = [];
  do {
    commands.push(parseCommand(tokens, level, commands.length > 0));
  } while (tokens.takeMark('|'));
  return { commands, at };
}

function parseCommand(tokens: TokenReader, level: number, is_later: boolean): Command {
  const operand = parseOperand(tokens, level);
  if (operand === undefined) throw templateError(tokens.at, 'a value is missing');
  if (is_later && operand.kind !== 'function') {
    throw templateError(operand.at, "expected a function behind '|'");
  }
  const args: Operand[] = [];
  for (;;) {
    const spaced = tokens.peek()?.spaced ?? true;
    const arg = parseOperand(tokens, level);
    if (arg === undefined) break;
    if (!spaced) throw templateError(arg.at, 'expected a space before this');
    args.push(arg);
  }
  const [first] = args;
  if (first !== undefined && operand.kind !== 'function') {
    throw templateError(first.at, 'only functions take arguments');
  }
  return { operand, args };
}

function parseOperand(tokens: TokenReader, level: number): Operand | undefined {
  const token = tokens.peek();
  const is_end = token?.kind === 'mark' && token.value !== '(';
  if (token === undefined || is_end) return undefined;
  tokens.take();
  const { kind, value, at } = token;
  if (kind === 'field') return { kind, names: [value, ...tokens.takeFields()], at };
  if (kind === 'text') return { kind: 'constant', value, at };
  if (kind === 'number') return { kind: 'constant', value: wholeNumber(token), at };
  if (kind === 'word') return wordOperand(token);
  const pipeline = parsePipeline(tokens, level + 1);
  if (!tokens.takeMark(')')) throw templateError(at, "this '(' is never closed");
  return { kind: 'group', pipeline, names: tokens.takeFields(), at };
}

function wordOperand({ value, at }: Token): Operand {
  if (value === 'true' || value === 'false')
    return { kind: 'constant', value: value === 'true', at };
  if (REFUSED.includes(value)) throw templateError(at, `${value} is not supported`);
  return { kind: 'function', name: value, at };
}

function wholeNumber({ value, at }: Token): number {
  const number = Number(value);
  if (/^[+-]?(?:0|[1-9]\d*)$/.test(value) && Number.isSafeInteger(number)) return number;
  throw templateError(at, `expected a whole decimal number, found ${value}`);
}

/** The tokens of one action. */
class TokenReader {
  readonly #tokens: readonly Token[];
  readonly #opened_at: number;
  #next = 0;

  constructor(tokens: readonly Token[], opened_at: number) {
    this.#tokens = tokens;
    this.#opened_at = opened_at;
  }

  /** Of the next token; at the end, of the action. */
  get at(): number {
    return this.peek()?.at ?? this.#opened_at;
  }

  peek(): Token | undefined {
    return this.#tokens[this.#next];
  }

  take(): void {
    this.#next += 1;
  }

  takeWord(word: string): boolean {
    return this.#takeIf('word', word);
  }

  takeMark(mark: string): boolean {
    return this.#takeIf('mark', mark);
  }

  /** `.B.C` directly behind an operand. */
  takeFields(): string[] {
    const names: string[] = [];
    for (;;) {
      const token = this.peek();
      if (token?.kind !== 'field' || token.spaced) return names;
      names.push(token.value);
      this.take();
    }
  }

  expectEnd(): void {
    const token = this.peek();
    if (token !== undefined) throw templateError(token.at, `did not expect ${token.value} here`);
  }

  #takeIf(kind: Token['kind'], value: string): boolean {
    const token = this.peek();
    if (token?.kind !== kind || token.value !== value) return false;
    this.take();
    return true;
  }
}
