import { templateError } from './error.ts';

/** A piece of an action, with the column at which it stands, from 0. */
export interface Token {
  readonly kind: 'field' | 'word' | 'text' | 'number' | 'mark';
  /** A field without its dot, a text without its quotes; otherwise as written. */
  readonly value: string;
  readonly at: number;
  /** Whether white space stands before it: `.A.B` is one operand, `.A .B` are two. */
  readonly spaced: boolean;
}

/** Text that stands for itself, or the tokens between `{{` and `}}`. */
export type Piece =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'action'; readonly tokens: readonly Token[]; readonly at: number };

const SPACE = ' \t\r\n';

/**
 * Splits a template of Go's text/template into literal text and actions: trim
 * markers (`{{- `, ` -}}`) are applied, comments are left out.
 */
export function splitTemplate(template: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  let trims_next = false;
  for (;;) {
    const open = template.indexOf('{{', at);
    const literal = template.slice(at, open === -1 ? undefined : open);
    const left = trims_next ? trimStart(literal) : literal;
    if (open === -1) {
      pieces.push({ kind: 'literal', text: left });
      return pieces;
    }
    const trims = template[open + 2] === '-' && isSpace(template[open + 3]);
    pieces.push({ kind: 'literal', text: trims ? trimEnd(left) : left });
    const inside = open + (trims ? 3 : 2);
    const comment = skipComment(template, inside, trims, open);
    const action = comment ?? readAction(template, inside, open);
    if (action.tokens !== undefined) {
      pieces.push({ kind: 'action', tokens: action.tokens, at: open });
    }
    at = action.end;
    trims_next = action.trims_next;
  }
}

interface Action {
  /** Undefined: a comment. */
  readonly tokens: readonly Token[] | undefined;
  /** Behind `}}`. */
  readonly end: number;
  readonly trims_next: boolean;
}

/** `{{/* ... *\/}}`: a comment fills its action; only trim markers stand beside it. */
function skipComment(
  template: string,
  inside: number,
  trims: boolean,
  open: number,
): Action | undefined {
  const start = trims ? inside + leadingSpace(template, inside) : inside;
  if (!template.startsWith('/*', start)) return undefined;
  const close = template.indexOf('*/', start + 2);
  if (close === -1) throw templateError(open, 'this comment is never closed');
  const behind = close + 2;
  if (template.startsWith('}}', behind)) {
    return { tokens: undefined, end: behind + 2, trims_next: false };
  }
  const space = leadingSpace(template, behind);
  if (space > 0 && template.startsWith('-}}', behind + space)) {
    return { tokens: undefined, end: behind + space + 3, trims_next: true };
  }
  throw templateError(open, 'a comment must fill its action');
}

function readAction(template: string, inside: number, open: number): Action {
  const tokens: Token[] = [];
  let at = inside;
  for (;;) {
    const space = leadingSpace(template, at);
    if (space > 0 && template.startsWith('-}}', at + space)) {
      return { tokens, end: at + space + 3, trims_next: true };
    }
    at += space;
    if (template.startsWith('}}', at)) return { tokens, end: at + 2, trims_next: false };
    if (at >= template.length) throw templateError(open, "this '{{' is never closed");
    const { token, end } = readToken(template, at, space > 0);
    tokens.push(token);
    at = end;
  }
}

/** In the order in which they are tried; the group is the token's value. */
const TOKENS: readonly (readonly [Token['kind'], RegExp])[] = [
  ['field', /\.([\p{L}_][\p{L}\p{Nd}_]*)/uy],
  ['number', /([+-]?\d[\w.]*)/y],
  ['word', /([\p{L}_][\p{L}\p{Nd}_]*)/uy],
  ['text', /`([^`]*)`/y],
  ['text', /("(?:[^"\\\n]|\\.)*")/y],
  ['mark', /([|()])/y],
];

function readToken(template: string, at: number, spaced: boolean): { token: Token; end: number } {
  for (const [kind, pattern] of TOKENS) {
    pattern.lastIndex = at;
    const found = pattern.exec(template);
    if (found === null) continue;
    const [whole, written = ''] = found;
    const value = written.startsWith('"') ? unquote(written, at) : written;
    return { token: { kind, value, at, spaced }, end: at + whole.length };
  }
  const found = String.fromCodePoint(template.codePointAt(at) ?? 0);
  const what = '"`'.includes(found) ? 'this text is never closed' : `${found} is not supported`;
  throw templateError(at, what);
}

/** Go's escapes as far as JSON has them too. */
function unquote(quoted: string, at: number): string {
  try {
    return String(JSON.parse(quoted.replaceAll('\t', '\\t')));
  } catch {
    throw templateError(at, `the text ${quoted} has an escape that is not supported`);
  }
}

function isSpace(character: string | undefined): boolean {
  return character !== undefined && SPACE.includes(character);
}

function leadingSpace(template: string, at: number): number {
  let end = at;
  while (isSpace(template[end])) end += 1;
  return end - at;
}

function trimStart(text: string): string {
  return text.slice(leadingSpace(text, 0));
}

function trimEnd(text: string): string {
  return text.replace(/[ \t\r\n]+$/, '');
}
