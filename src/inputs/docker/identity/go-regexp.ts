import { LogboomError } from '../../../errors.ts';

/** POSIX classes inside of brackets, as Go has them: ASCII only. */
const CLASSES: ReadonlyMap<string, string> = new Map([
  ['alnum', '0-9A-Za-z'],
  ['alpha', 'A-Za-z'],
  ['digit', '0-9'],
  ['lower', 'a-z'],
  ['upper', 'A-Z'],
  ['space', '\\t\\n\\v\\f\\r '],
  ['word', '0-9A-Za-z_'],
  ['xdigit', '0-9A-Fa-f'],
]);

/** `(?i)` and the like, at the beginning: JavaScript has flags for these instead. */
const LEADING_FLAGS = /^\(\?([ims]+)\)/;

/** What means something else in JavaScript, or nothing there. */
const REFUSED = /^(?:\\[aCQE0-9]|\[:\^?\w*:\]|\(\?[=!]|\(\?<[=!]|\\k|\\c)/;

/**
 * Go's regular expression as JavaScript's, unanchored as Docker uses it. One that
 * JavaScript cannot take, or would take for another, throws LB_CONTAINER with `where`.
 */
export function compileGoRegexp(source: string, where: string): RegExp {
  const [leading = '', flags = ''] = LEADING_FLAGS.exec(source) ?? [];
  const translated = translate(source.slice(leading.length), where);
  try {
    return new RegExp(translated, `u${[...new Set(flags)].join('')}`);
  } catch (cause) {
    throw refusal(source, where, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function translate(source: string, where: string): string {
  let result = '';
  let at = 0;
  while (at < source.length) {
    const rest = source.slice(at);
    const [from, to] = translateOne(rest);
    if (to === undefined) throw refusal(source, where, `${from} is not supported`);
    result += to;
    at += from.length;
  }
  return result;
}

/** The first piece of an expression, and what stands for it in JavaScript; undefined: nothing does. */
function translateOne(rest: string): [from: string, to: string | undefined] {
  const [, posix] = /^\[:(\w+):\]/.exec(rest) ?? [];
  const members = posix === undefined ? undefined : CLASSES.get(posix);
  if (posix !== undefined && members !== undefined) return [`[:${posix}:]`, members];
  const refused = REFUSED.exec(rest);
  if (refused !== null) return [refused[0], undefined];
  if (rest.startsWith('(?P<')) return ['(?P<', '(?<'];
  if (rest.startsWith('\\A')) return ['\\A', '(?<![\\s\\S])'];
  if (rest.startsWith('\\z')) return ['\\z', '(?![\\s\\S])'];
  if (rest.startsWith('\\s')) return ['\\s', '[\\t\\n\\f\\r ]'];
  if (rest.startsWith('\\S')) return ['\\S', '[^\\t\\n\\f\\r ]'];
  const [category, letter] = /^\\[pP](\w)/.exec(rest) ?? [];
  if (category !== undefined) return [category, `${category.slice(0, 2)}{${letter}}`];
  // Go lets every mark be escaped, JavaScript only those that mean something.
  const [escaped, mark = ''] = /^\\([!-/:-@[-`{-~])/.exec(rest) ?? [];
  if (escaped !== undefined) {
    return [escaped, `\\x${mark.charCodeAt(0).toString(16).padStart(2, '0')}`];
  }
  const [one = ''] = /^(?:\\.|[^\\])/su.exec(rest) ?? [rest];
  return [one, one];
}

function refusal(source: string, where: string, message: string, cause?: unknown): LogboomError {
  return new LogboomError(
    'LB_CONTAINER',
    `the regular expression ${JSON.stringify(source)} cannot be used: ${message}`,
    { where, hint: 'Write it with simpler means, or list the names.', cause },
  );
}
