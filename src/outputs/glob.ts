import { LogboomError } from '../errors.ts';

/**
 * fluentd's tag patterns, compiled to a matcher that takes time linear in the
 * tag whatever the pattern (a peer chooses the tag, so backtracking is not for us).
 *
 * The rules, as fluentd has them (lib/fluent/match.rb):
 *
 *     a.b        that tag and no other
 *     *          any bytes but a dot, none included: one part, or some of one (`web-*`)
 *     **         any bytes, dots included
 *     a.**       the dot before a double star may be missing: `a`, `a.b`, `a.b.c`; not `ab`
 *     **.a       a double star takes the dot behind it along: `a`, `x.a`, `x.y.a`; not `xa`
 *     {x,y.**}   one of these; may be empty, may be nested
 *     \*         that character itself
 *     /regex/    the whole tag matches the regular expression
 *     p1 p2      white space between patterns: any of them matches
 *
 * `?`, `[`, and a `,` or `}` outside of braces stand for themselves.
 *
 * Unlike fluentd: an unclosed `{` and a `\` at the end are errors (fluentd
 * guesses), a dot at the end stands for itself (fluentd forgets it), a newline is
 * a character like any other, and a regex is JavaScript's, not Ruby's (what only
 * Ruby knows is refused); it is the one form whose time is not bounded by us.
 */
export type TagMatcher = (tag: Buffer) => boolean;

/** Compiles `patterns`. Throws LB_CONFIG, which names the column in `patterns`, from 1. */
export function compileTagPatterns(patterns: string): TagMatcher {
  const matchers = [...patterns.matchAll(/\S+/g)].map((word) => compileOne(word[0], word.index));
  const [first, ...others] = matchers;
  if (first === undefined) {
    throw new LogboomError('LB_CONFIG', 'expected a tag pattern, found nothing', {
      hint: "Use '**' to match every tag.",
    });
  }
  return others.length === 0 ? first : (tag) => matchers.some((matches) => matches(tag));
}

function compileOne(pattern: string, offset: number): TagMatcher {
  if (pattern === '**') return () => true;
  if (pattern.startsWith('/')) return compileRegex(pattern, offset);
  const program = new GlobCompiler(pattern, offset).compile();
  return (tag) => run(program, tag);
}

function syntaxError(offset: number, message: string, hint: string): LogboomError {
  return new LogboomError('LB_CONFIG', `tag pattern, column ${offset + 1}: ${message}`, { hint });
}

// ── regular expressions ──────────────────────────────────────────────────────

/** Ruby's syntax that JavaScript would take for something else, or not at all. */
const RUBY_ONLY = /\\[AzZhHGRXK]|\[\[:|\(\?[imx-]+[:)]|\(\?>|[*+?}]\+/;

function compileRegex(pattern: string, offset: number): TagMatcher {
  if (pattern.length < 3 || !pattern.endsWith('/')) {
    const hint = 'White space separates patterns: write it as \\s inside a regular expression.';
    throw syntaxError(offset, "expected a regular expression closed by '/'", hint);
  }
  const source = pattern.slice(1, -1);
  const foreign = RUBY_ONLY.exec(source);
  if (foreign !== null) {
    const at = offset + 1 + foreign.index;
    const hint = 'Regular expressions are JavaScript syntax, anchored at both ends.';
    throw syntaxError(at, `'${foreign[0]}' means something else outside of Ruby`, hint);
  }
  let regex: RegExp;
  try {
    regex = new RegExp(`^(?:${source})$`);
  } catch (cause) {
    throw syntaxError(
      offset,
      cause instanceof Error ? cause.message : String(cause),
      'Correct it.',
    );
  }
  return (tag) => regex.test(tag.toString('utf8'));
}

// ── globs ────────────────────────────────────────────────────────────────────

const DOT = 0x2e;

/**
 * One step of a compiled glob: it consumes a byte, or asserts something about
 * the place it stands at, or goes on elsewhere. Unless said otherwise the next
 * step is the one behind it.
 */
type Step =
  | { readonly op: 'byte'; readonly byte: number }
  | { readonly op: 'any' }
  | { readonly op: 'not_dot' }
  | { readonly op: 'at_start' }
  | { readonly op: 'at_dot_or_end' }
  /** Goes on at each of these, all at once. */
  | { readonly op: 'fork'; readonly to: number[] }
  | { readonly op: 'accept' };

class GlobCompiler {
  readonly #pattern: string;
  readonly #offset: number;
  readonly #steps: Step[] = [];
  #at = 0;

  constructor(pattern: string, offset: number) {
    this.#pattern = pattern;
    this.#offset = offset;
  }

  compile(): readonly Step[] {
    this.#sequence(false);
    this.#steps.push({ op: 'accept' });
    return this.#steps;
  }

  /** Compiles up to the end, or in braces up to the `,` or `}` that closes this alternative. */
  #sequence(in_braces: boolean): void {
    while (this.#at < this.#pattern.length) {
      if (in_braces && (this.#sees(',') || this.#sees('}'))) return;
      this.#element();
    }
  }

  #element(): void {
    if (this.#take('**.')) this.#anyPartsAndDot();
    else if (this.#take('**')) this.#loop({ op: 'any' });
    else if (this.#sees('.**')) this.#optionalDot();
    else if (this.#take('*')) this.#loop({ op: 'not_dot' });
    else if (this.#take('{')) this.#alternatives(this.#at - 1);
    else this.#literal();
  }

  /** `.` before `**`: nothing, as long as the tag goes on with a dot or ends here. */
  #optionalDot(): void {
    this.#at += 1;
    this.#steps.push({ op: 'at_dot_or_end' });
  }

  /** `**.`: nothing at the start of the tag, or anything that ends in a dot. */
  #anyPartsAndDot(): void {
    const fork = this.#fork();
    this.#loop({ op: 'any' });
    this.#steps.push({ op: 'byte', byte: DOT });
    const leave = this.#fork();
    fork.push(this.#steps.length);
    this.#steps.push({ op: 'at_start' });
    leave.push(this.#steps.length);
  }

  #alternatives(opened_at: number): void {
    const enter = this.#fork(false);
    const leave: number[][] = [];
    do {
      enter.push(this.#steps.length);
      this.#sequence(true);
      leave.push(this.#fork(false));
    } while (this.#take(','));
    if (!this.#take('}')) {
      const hint = "Close it with '}', or write '\\{' for the character.";
      throw syntaxError(this.#offset + opened_at, "this '{' is never closed", hint);
    }
    for (const to of leave) to.push(this.#steps.length);
  }

  #literal(): void {
    if (this.#take('\\') && this.#at === this.#pattern.length) {
      const hint = "Write '\\\\' for a backslash.";
      throw syntaxError(this.#offset + this.#at - 1, "nothing follows this '\\'", hint);
    }
    // The loop in #sequence saw that there is one; by code point, so that UTF-8 is whole.
    const character = String.fromCodePoint(this.#pattern.codePointAt(this.#at) as number);
    this.#at += character.length;
    for (const byte of Buffer.from(character, 'utf8')) this.#steps.push({ op: 'byte', byte });
  }

  /** Any number of what `step` consumes. */
  #loop(step: Step): void {
    const start = this.#steps.length;
    const exit = this.#fork();
    this.#steps.push(step);
    this.#steps.push({ op: 'fork', to: [start] });
    exit.push(this.#steps.length);
  }

  /** Adds a fork and returns its targets, for the caller to complete; the first is the step behind it. */
  #fork(to_next = true): number[] {
    const to = to_next ? [this.#steps.length + 1] : [];
    this.#steps.push({ op: 'fork', to });
    return to;
  }

  #sees(text: string): boolean {
    return this.#pattern.startsWith(text, this.#at);
  }

  #take(text: string): boolean {
    if (!this.#sees(text)) return false;
    this.#at += text.length;
    return true;
  }
}

/** Walks all ways through `program` side by side: at most program × tag steps. */
function run(program: readonly Step[], tag: Buffer): boolean {
  let here = new Set<number>([0]);
  for (let at = 0; ; at += 1) {
    const byte = tag[at];
    const next = new Set<number>();
    // A Set is walked in order of insertion, members added on the way included.
    for (const index of here) {
      const step = program[index] as Step; // every target is the index of a step
      if (step.op === 'accept' && byte === undefined) return true;
      if (consumes(step, byte)) next.add(index + 1);
      else if (step.op === 'fork') for (const to of step.to) here.add(to);
      else if (holds(step, at, byte)) here.add(index + 1);
    }
    if (byte === undefined || next.size === 0) return false;
    here = next;
  }
}

function consumes(step: Step, byte: number | undefined): boolean {
  if (byte === undefined) return false;
  if (step.op === 'byte') return step.byte === byte;
  return step.op === 'any' || (step.op === 'not_dot' && byte !== DOT);
}

function holds(step: Step, at: number, byte: number | undefined): boolean {
  if (step.op === 'at_start') return at === 0;
  return step.op === 'at_dot_or_end' && (byte === undefined || byte === DOT);
}
