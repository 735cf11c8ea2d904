/** Where a value stands in the configuration: `['outputs', 'upstream', 'servers', 0]`. */
export type Path = readonly (string | number)[];

/** A place that a problem can point at. */
export interface Place {
  /** `file:line:column`, or the flag that gave the value. */
  readonly where: string;
  /** In the file, in characters; -1 for flags. Problems are sorted by it. */
  readonly offset: number;
  /** The line of the file, and the columns (from 0) to underline; not for flags. */
  readonly excerpt?: { readonly line: string; readonly start: number; readonly end: number };
}

/**
 * A configuration before it is checked: plain values, and where each was
 * written. Immutable: `with` returns another tree.
 */
export class ConfigTree {
  readonly value: unknown;
  readonly #keys: ReadonlyMap<string, Place>;
  readonly #values: ReadonlyMap<string, Place>;

  constructor(
    value: unknown,
    keys: ReadonlyMap<string, Place> = new Map(),
    values: ReadonlyMap<string, Place> = new Map(),
  ) {
    this.value = value;
    this.#keys = keys;
    this.#values = values;
  }

  /** The same tree with `value` at `path`. Where a section on the way is no section, nothing changes: that is an error of its own. */
  with(path: Path, value: unknown, place: Place): ConfigTree {
    const values = new Map(this.#values);
    values.set(pathKey(path), place);
    return new ConfigTree(replaced(this.value, path, value), this.#keys, values);
  }

  get(path: Path): unknown {
    let value = this.value;
    for (const key of path) {
      if (Array.isArray(value) && typeof key === 'number') value = value[key];
      else if (isSection(value) && Object.hasOwn(value, key)) value = value[key];
      else return undefined;
    }
    return value;
  }

  /** Where the value at `path` stands, or else the innermost thing around it. */
  placeOf(path: Path): Place | undefined {
    for (let length = path.length; length >= 0; length--) {
      const key = pathKey(path.slice(0, length));
      const place =
        (length === path.length ? this.#values.get(key) : undefined) ?? this.#keys.get(key);
      const found = place ?? this.#values.get(key);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Where the key at the end of `path` stands. */
  placeOfKey(path: Path): Place | undefined {
    return this.#keys.get(pathKey(path)) ?? this.placeOf(path);
  }
}

export function isSection(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `outputs.upstream.servers[0]` */
export function showPath(path: Path): string {
  return path
    .map((key, index) => {
      if (typeof key === 'number') return `[${key}]`;
      return index === 0 ? key : `.${key}`;
    })
    .join('');
}

/** Keys cannot hold a line feed that is not theirs: each is encoded by itself. */
export function pathKey(path: Path): string {
  return path.map((key) => JSON.stringify(key)).join('\n');
}

function replaced(target: unknown, path: Path, value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (Array.isArray(target) && typeof key === 'number') {
    return target.map((item, index) => (index === key ? replaced(item, rest, value) : item));
  }
  if (target !== undefined && target !== null && !isSection(target)) return target;
  return { ...target, [key]: replaced(target?.[key], rest, value) };
}
