import { LogboomError } from '../../errors.ts';
import { compileTagTemplate } from '../../inputs/docker/identity/tag-template.ts';
import { LIMITS } from '../../limits.ts';
import { compileTagPatterns } from '../../outputs/glob.ts';
import { parseServerAddress } from '../address.ts';
import { type Reading, refused, understood } from '../reading.ts';
import { closest } from '../suggest.ts';

/** The name of an output is also the name of its cursor file, so it is safe and short as one. */
export function readOutputName(name: string): Reading<string> {
  if (/^[a-z0-9][a-z0-9_-]*$/.test(name)) {
    const too_long = name.length > LIMITS.output_name_max_bytes;
    return too_long
      ? refused(`it is ${name.length} characters long; ${LIMITS.output_name_max_bytes} is the most`)
      : understood(name);
  }
  const meant = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]+/g, '-')
    .replaceAll(/^[-_]+|-+$/g, '');
  return refused('other characters are not safe in file names', meant === '' ? undefined : meant);
}

/** An octal file mode, as text: `0640`. */
export function readFileMode(text: string): Reading<number> {
  if (/^0[0-7]{3}$/.test(text)) return understood(Number.parseInt(text, 8));
  const [, digits] = /^(?:0o)?([0-7]{3})$/.exec(text) ?? [];
  return refused('it is not four octal digits', digits === undefined ? undefined : `"0${digits}"`);
}

const PLACEHOLDERS = ['tag', 'date'];

/** A path in which `{tag}` and `{date}` may stand, and no other word in braces. */
export function readPathTemplate(text: string): Reading<string> {
  if (text === '') return refused('it is empty');
  for (const [placeholder, name] of text.matchAll(/\{([^{}]*)\}/g)) {
    if (PLACEHOLDERS.includes(name ?? '')) continue;
    const meant = closest(name ?? '', PLACEHOLDERS);
    const suggestion = meant === undefined ? undefined : text.replace(placeholder, `{${meant}}`);
    return refused(`there is no ${placeholder}`, suggestion);
  }
  return understood(text);
}

/** Tag patterns, several separated by spaces. */
export function readTagPatterns(text: string): Reading<string> {
  try {
    compileTagPatterns(text);
    return understood(text);
  } catch (error) {
    if (!(error instanceof LogboomError)) throw error;
    return refused(error.hint === undefined ? error.message : `${error.message}. ${error.hint}`);
  }
}

/** Docker's template for tags. */
export function readTagTemplate(text: string): Reading<string> {
  try {
    compileTagTemplate(text, 'docker.tag');
    return understood(text);
  } catch (error) {
    if (!(error instanceof LogboomError)) throw error;
    return refused(error.message);
  }
}

/** `unix:///PATH` of the Engine API, or `off`. */
export function readEngineSocket(text: string): Reading<string> {
  if (text === 'off') return understood(text);
  const address = parseServerAddress(text);
  if (!address.ok || address.value.kind === 'unix') return address.ok ? understood(text) : address;
  return refused('the Engine API is reached through its unix socket only');
}

/** The path in what `readEngineSocket` has let pass. */
export function engineSocket(text: string): string {
  const address = parseServerAddress(text);
  if (address.ok && address.value.kind === 'unix') return address.value.path;
  throw new TypeError(`the schema let the socket ${text} pass`);
}

/** `KEY` or `KEY=VALUE`. */
export function readLabel(text: string): Reading<string> {
  return /^[^=]/.test(text) ? understood(text) : refused('it has no key');
}
