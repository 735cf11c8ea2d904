/** Sizes in log options as Docker reads them (formats.md 3.1, 3.5, 4.2); undefined: it would refuse them. */
const SIZE = /^(\d+(?:\.\d+)?) ?([kmgtp])?i?b?$/i;
const PREFIXES = 'kmgtp';

/** `max-size`: decimal, `20k` is 20,000. */
export function humanSize(option: string | undefined): number | undefined {
  return sizeWith(option, 1000);
}

/** `fluentd-buffer-limit`, `max-buffer-size`: binary, `1MB` is 1,048,576. */
export function ramSize(option: string | undefined): number | undefined {
  return sizeWith(option, 1024);
}

function sizeWith(option: string | undefined, base: number): number | undefined {
  const [, amount, prefix] = SIZE.exec(option ?? '') ?? [];
  if (amount === undefined) return undefined;
  const power = prefix === undefined ? 0 : PREFIXES.indexOf(prefix.toLowerCase()) + 1;
  return Math.floor(Number(amount) * base ** power);
}
