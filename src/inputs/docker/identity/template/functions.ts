import { formatted, joinedAsPrint, joinedAsPrintln } from './format.ts';
import { asJson, lower, padded, split, title, truncated, upper } from './text.ts';
import {
  compareText,
  isList,
  isMap,
  isTrue,
  sliceBytes,
  typeName,
  type Value,
  ValueError,
} from './values.ts';

type TemplateFunction = (args: readonly Value[]) => Value;

/** Docker's own functions (formats.md 3.3), and of Go's those that can be had exactly. */
const FUNCTIONS: ReadonlyMap<string, TemplateFunction> = new Map<string, TemplateFunction>([
  ['json', (args) => asJson(args[expectCount(args, 1) - 1])],
  ['split', (args) => split(textAt(args, 0, 2), textAt(args, 1, 2))],
  ['join', (args) => listAt(args, 0, 2).join(textAt(args, 1, 2))],
  ['title', (args) => title(textAt(args, 0, 1))],
  ['lower', (args) => lower(textAt(args, 0, 1))],
  ['upper', (args) => upper(textAt(args, 0, 1))],
  ['pad', (args) => padded(textAt(args, 0, 3), numberAt(args, 1, 3), numberAt(args, 2, 3))],
  ['truncate', (args) => truncated(textAt(args, 0, 2), numberAt(args, 1, 2))],
  ['and', (args) => firstOrLast(args, (arg) => !isTrue(arg))],
  ['or', (args) => firstOrLast(args, isTrue)],
  ['not', (args) => !isTrue(args[expectCount(args, 1) - 1])],
  ['len', length],
  ['index', index],
  ['slice', slice],
  ['print', (args) => joinedAsPrint(args)],
  ['println', (args) => joinedAsPrintln(args)],
  ['printf', ([format, ...args]) => formatted(asText(format), args)],
  ['eq', equal],
  ['ne', (args) => compare(args) !== 0],
  ['lt', (args) => compare(args, 'ordered') < 0],
  ['le', (args) => compare(args, 'ordered') <= 0],
  ['gt', (args) => compare(args, 'ordered') > 0],
  ['ge', (args) => compare(args, 'ordered') >= 0],
]);

export const FUNCTION_NAMES: readonly string[] = [...FUNCTIONS.keys()];

/** Throws a ValueError where Go would refuse, and where Go's answer is not known here. */
export function callFunction(name: string, args: readonly Value[]): Value {
  const call = FUNCTIONS.get(name);
  if (call === undefined) throw new ValueError(`the function ${name} is not supported`);
  try {
    return call(args);
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    throw new ValueError(`${name}: ${error.message}`);
  }
}

function length(args: readonly Value[]): number {
  expectCount(args, 1);
  const [value] = args;
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (isMap(value)) return value.size;
  return listAt(args, 0, 1).length;
}

function index(args: readonly Value[]): Value {
  expectCount(args, 2);
  const [value, key] = args;
  // A missing key is Go's zero value here, unlike with `.Map.key`.
  if (isMap(value)) return value.get(asText(key)) ?? '';
  const list = listAt(args, 0, 2);
  const place = numberAt(args, 1, 2);
  const item = list[place];
  if (item === undefined) {
    throw new ValueError(`there is no item ${place}; the list has ${list.length}`);
  }
  return item;
}

function slice(args: readonly Value[]): Value {
  const [value, start, end] = args;
  if (args.length < 1 || args.length > 3) throw wrongCount('1 to 3', args);
  const from = args.length > 1 ? asNumber(start) : 0;
  if (typeof value === 'string') {
    return sliceBytes(value, from, args.length > 2 ? asNumber(end) : Buffer.byteLength(value));
  }
  const list = listAt(args, 0, args.length);
  const to = args.length > 2 ? asNumber(end) : list.length;
  if (!(0 <= from && from <= to && to <= list.length)) {
    throw new ValueError(`cannot take items ${from} to ${to} of ${list.length}`);
  }
  return list.slice(from, to);
}

/** Whether the first equals any of the others. */
function equal(args: readonly Value[]): boolean {
  const [first, ...others] = args;
  if (others.length === 0) throw wrongCount('2 or more', args);
  return others.some((other) => compare([first, other]) === 0);
}

function compare(args: readonly Value[], need: 'equality' | 'ordered' = 'equality'): number {
  expectCount(args, 2);
  const [a, b] = args;
  // A label that is missing differs from every text.
  const one_is_missing = (a === undefined) !== (b === undefined);
  if (one_is_missing && need === 'equality' && typeof (a ?? b) !== 'object') return 1;
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'boolean' && typeof b === 'boolean' && need === 'equality') {
    return Number(a) - Number(b);
  }
  throw new ValueError(`${typeName(a)} and ${typeName(b)} cannot be compared`);
}

function firstOrLast(args: readonly Value[], decides: (arg: Value) => boolean): Value {
  if (args.length === 0) throw wrongCount('1 or more', args);
  const place = args.findIndex(decides);
  return args.at(place);
}

function expectCount(args: readonly Value[], count: number): number {
  if (args.length !== count) throw wrongCount(String(count), args);
  return count;
}

function wrongCount(expected: string, args: readonly Value[]): ValueError {
  return new ValueError(`expected ${expected} arguments, found ${args.length}`);
}

function textAt(args: readonly Value[], place: number, count: number): string {
  expectCount(args, count);
  return asText(args[place]);
}

function numberAt(args: readonly Value[], place: number, count: number): number {
  expectCount(args, count);
  return asNumber(args[place]);
}

function listAt(args: readonly Value[], place: number, count: number): readonly string[] {
  expectCount(args, count);
  const value = args[place];
  if (!isList(value)) throw new ValueError(`expected a list, found ${typeName(value)}`);
  return value;
}

function asText(value: Value): string {
  if (typeof value === 'string') return value;
  throw new ValueError(`expected a text, found ${typeName(value)}`);
}

function asNumber(value: Value): number {
  if (typeof value === 'number') return value;
  throw new ValueError(`expected a number, found ${typeName(value)}`);
}
