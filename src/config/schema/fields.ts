import { z } from 'zod';
import { type Reading, refused, understood } from '../reading.ts';
import { formatDuration, formatSize, parseDuration, parseSize } from '../units.ts';

/**
 * The leaves of the schema. Each takes what YAML or `${VARIABLE}` gives (so
 * numbers and booleans may also come as text), yields bytes, milliseconds or
 * plain values, and carries what the JSON Schema and the reference need.
 */

/** What a leaf is beyond its JSON type; the key `x-kind` of the JSON Schema. */
export type FieldKind = 'size' | 'duration' | 'secret';

/** `params` of the custom zod issues that leaves raise; `problems.ts` turns them into sentences. */
export interface Complaint {
  readonly expected: string;
  readonly reason?: string | undefined;
  readonly suggestion?: string | undefined;
}

interface Range {
  readonly min?: number;
  readonly max?: number;
}

/** Editors check a configuration before `${VARIABLE}` is replaced, so every pattern lets it pass. */
const orVariable = (pattern: string): string => `^(?:${pattern})$|\\$\\{`;

const SIZE_PATTERN = '\\d+(?:\\.\\d+)?\\s*(?:[KMGT]i?)?B|0';
const DURATION_PATTERN = '(?:\\d+(?:\\.\\d+)?(?:ms|[smhd]))+|0';

/** Bytes. */
export function size(description: string, range: Range = {}) {
  const expected = `a size with its unit${rangeWords(range, formatSize, ', such as 8GiB')}`;
  const leaf = written(expected, (text) => inRange(parseSize, text, range, formatSize));
  return leaf.meta({
    description,
    ...quantity('size', SIZE_PATTERN),
    ...inWords(range, formatSize),
  });
}

/** Bytes, or `off`. */
export function sizeOrOff(description: string, range: Range = {}) {
  const expected = `a size with its unit${rangeWords(range, formatSize, ', such as 8GiB')}, or off`;
  const leaf = written(
    expected,
    orOff((text) => inRange(parseSize, text, range, formatSize)),
  );
  const kind = quantity('size', `${SIZE_PATTERN}|off`);
  return leaf.meta({ description, ...kind, ...inWords(range, formatSize) });
}

/** Milliseconds. */
export function duration(description: string, range: Range = {}) {
  const words = rangeWords(range, formatDuration, ', such as 10s');
  const expected = `a duration with its unit${words}`;
  const leaf = written(expected, (text) => inRange(parseDuration, text, range, formatDuration));
  const kind = quantity('duration', DURATION_PATTERN);
  return leaf.meta({ description, ...kind, ...inWords(range, formatDuration) });
}

/** Milliseconds, or `off`. */
export function durationOrOff(description: string, range: Range = {}) {
  const words = rangeWords(range, formatDuration, ', such as 10s');
  const expected = `a duration with its unit${words}, or off`;
  const read = orOff((text) => inRange(parseDuration, text, range, formatDuration));
  const leaf = written(expected, read);
  const kind = quantity('duration', `${DURATION_PATTERN}|off`);
  return leaf.meta({ description, ...kind, ...inWords(range, formatDuration) });
}

/** A whole number. */
export function integer(description: string, min: number, max: number) {
  const number = z.int().min(min).max(max);
  return z
    .preprocess((input) => (isDigits(input) ? Number(input) : input), number)
    .meta({
      description,
      type: ['integer', 'string'],
      pattern: orVariable('\\d+'),
      ...inWords({ min, max }, String),
    });
}

/** `true` or `false`; `on` and `off` are the same. */
export function flag(description: string) {
  const words: Record<string, boolean> = { true: true, on: true, false: false, off: false };
  return z
    .preprocess(
      (input) => (typeof input === 'string' ? (words[input] ?? input) : input),
      z.boolean(),
    )
    .meta({ description, type: ['boolean', 'string'], pattern: orVariable('on|off|true|false') });
}

/** Text that is not empty. */
export function text(description: string) {
  return z.string().min(1).meta({ description });
}

/** Text that is never shown again. */
export function secret(description: string) {
  const kind: FieldKind = 'secret';
  return z.string().min(1).meta({ description, 'x-kind': kind });
}

/** One of a few words. */
export function choice<const Words extends readonly [string, ...string[]]>(
  description: string,
  words: Words,
) {
  return z.enum(words).meta({ description });
}

/** Text with a syntax of its own, checked by `read` and kept as written. */
export function checked(
  description: string,
  expected: string,
  read: (text: string) => Reading<unknown>,
) {
  const leaf = written(expected, (input) => {
    const reading = read(input);
    return reading.ok ? understood(input) : reading;
  });
  return leaf.meta({ description });
}

/** Several keys; when the section is left out, or left empty, each key has its default. */
export function section<Shape extends z.core.$ZodShape>(description: string, shape: Shape) {
  const keys = z.strictObject(shape);
  return z
    .preprocess((input) => input ?? {}, keys)
    .meta({ description })
    .prefault({});
}

/** Several keys; when the section is left out, what it describes is not used. */
export function optionalSection<Shape extends z.core.$ZodShape>(description: string, shape: Shape) {
  return z.strictObject(shape).meta({ description }).optional();
}

/** `true` for the defaults of the keys, `false`, or the keys. */
export function flagOrSection<Shape extends z.core.$ZodShape>(description: string, shape: Shape) {
  return z.union([flag(description), z.strictObject(shape)]).meta({ description });
}

function written<T>(expected: string, read: (text: string) => Reading<T>) {
  const leaf = z.string().transform((input, context) => {
    const reading = read(input);
    if (reading.ok) return reading.value;
    const complaint: Complaint = { expected, ...reading };
    context.addIssue({ code: 'custom', message: expected, params: { ...complaint } });
    return z.NEVER;
  });
  return z.preprocess(scalarText, leaf);
}

/** A bare number or boolean becomes text, so that the complaint is about the unit and not about a type. */
function scalarText(input: unknown): unknown {
  return typeof input === 'number' || typeof input === 'boolean' ? String(input) : input;
}

function isDigits(input: unknown): boolean {
  return typeof input === 'string' && /^\d{1,15}$/.test(input);
}

function orOff(read: (text: string) => Reading<number>): (text: string) => Reading<number | 'off'> {
  return (input) => {
    if (input === 'off') return understood('off');
    if (input === 'false') return refused('it is not a duration or size', 'off');
    return read(input);
  };
}

function inRange(
  parse: (text: string) => Reading<number>,
  text: string,
  range: Range,
  format: (value: number) => string,
): Reading<number> {
  const { min = 0, max = Number.POSITIVE_INFINITY } = range;
  const reading = parse(text);
  if (!reading.ok) {
    const { reason, suggestion } = reading;
    if (reason === undefined || suggestion === undefined) return reading;
    // Nothing is suggested that would be refused as well.
    return inRange(parse, suggestion, range, format).ok ? reading : refused(reason);
  }
  if (reading.value < min) return refused('it is too small', format(min));
  if (reading.value > max) return refused('it is too large', format(max));
  return reading;
}

function rangeWords(range: Range, format: (value: number) => string, otherwise: string): string {
  const from = range.min === undefined ? '' : ` from ${format(range.min)}`;
  const to = range.max === undefined ? '' : ` up to ${format(range.max)}`;
  return from === '' && to === '' ? otherwise : from + to;
}

/** The range as the reference tells it, under a key of the JSON Schema that validators pass over. */
function inWords(range: Range, format: (value: number) => string): { 'x-range'?: string } {
  const words = rangeWords(range, format, '').trim();
  return words === '' ? {} : { 'x-range': words };
}

/** JSON Schema of a quantity: text, or the bare number 0. */
function quantity(kind: FieldKind, pattern: string) {
  return {
    'x-kind': kind,
    type: ['string', 'integer'],
    pattern: orVariable(pattern),
    minimum: 0,
    maximum: 0,
  };
}
