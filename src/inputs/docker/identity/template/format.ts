/** Go's fmt, as far as a tag needs it. */
import { printed, runesOf, typeName, type Value, ValueError } from './values.ts';

/** Widths beyond this are a mistake, and would only cost memory. */
const WIDTH_MAX_CHARACTERS = 4096;

/** fmt.Sprint: a space between two values of which neither is a text. */
export function joinedAsPrint(args: readonly Value[]): string {
  let text = '';
  for (const [place, arg] of args.entries()) {
    const both_bare = typeof arg !== 'string' && typeof args[place - 1] !== 'string';
    text += (place > 0 && both_bare ? ' ' : '') + present(arg);
  }
  return text;
}

/** fmt.Sprintln: a space between all, and a newline. */
export function joinedAsPrintln(args: readonly Value[]): string {
  return `${args.map(present).join(' ')}\n`;
}

/** A missing value is printed in another way as an argument than by itself. */
function present(value: Value): string {
  if (value === undefined) throw new ValueError('a value is missing');
  return printed(value);
}

/** fmt.Sprintf with the verbs s, v, d, x, X, t and %; where Go would print a complaint, it is an error. */
export function formatted(format: string, args: readonly Value[]): string {
  let next = 0;
  const text = format.replaceAll(
    /%(?:([-+0 #]*)(\d*)(?:\.(\d*))?(.?))/gsu,
    (directive, flags: string, width: string, precision: string | undefined, verb: string) => {
      if (directive === '%%') return '%';
      const spec = readSpec(directive, flags, width, precision);
      if (next >= args.length) throw new ValueError(`there is no argument for ${directive}`);
      const value = args[next];
      next += 1;
      return padTo(converted(directive, verb, spec, value), spec, value);
    },
  );
  if (next < args.length) {
    throw new ValueError(`the format has ${next} verbs for ${args.length} arguments`);
  }
  return text;
}

interface Spec {
  readonly left: boolean;
  readonly zeros: boolean;
  readonly width: number;
  readonly precision: number | undefined;
}

function readSpec(
  directive: string,
  flags: string,
  width: string,
  precision: string | undefined,
): Spec {
  const spec = {
    left: flags.includes('-'),
    zeros: flags.includes('0'),
    width: Number(width),
    precision: precision === undefined ? undefined : Number(precision),
  };
  const supported = !/[+ #]/.test(flags) && !(spec.left && spec.zeros);
  if (!supported || Math.max(spec.width, spec.precision ?? 0) > WIDTH_MAX_CHARACTERS) {
    throw new ValueError(`${directive} is not supported`);
  }
  return spec;
}

function converted(directive: string, verb: string, spec: Spec, value: Value): string {
  if (typeof value === 'string' && /^[svxX]$/.test(verb)) {
    const cut =
      spec.precision === undefined ? value : runesOf(value).slice(0, spec.precision).join('');
    if (verb === 'x' && spec.precision === undefined) return Buffer.from(cut).toString('hex');
    if (verb === 'X' && spec.precision === undefined) {
      return Buffer.from(cut).toString('hex').toUpperCase();
    }
    if (verb === 's' || verb === 'v') return cut;
  }
  if (spec.precision === undefined) {
    if (typeof value === 'number' && /^[dvxX]$/.test(verb)) return numeral(verb, value);
    if (typeof value === 'boolean' && /^[tv]$/.test(verb)) return String(value);
    const is_plain = spec.width === 0;
    if (typeof value === 'object' && is_plain && /^[sv]$/.test(verb)) return printed(value);
  }
  throw new ValueError(`${directive} is not supported for ${typeName(value)}`);
}

function numeral(verb: string, value: number): string {
  if (verb === 'x') return value.toString(16);
  return verb === 'X' ? value.toString(16).toUpperCase() : String(value);
}

/** Widths count characters; zeros go between the sign and the digits. */
function padTo(text: string, { left, zeros, width }: Spec, value: Value): string {
  const missing = Math.max(0, width - runesOf(text).length);
  if (missing === 0) return text;
  if (left) return text + ' '.repeat(missing);
  if (!zeros) return ' '.repeat(missing) + text;
  if (typeof value !== 'number') throw new ValueError('only numbers are filled with zeros');
  const sign = text.startsWith('-') ? '-' : '';
  return sign + '0'.repeat(missing) + text.slice(sign.length);
}
