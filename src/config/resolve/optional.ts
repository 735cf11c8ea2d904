/** `T` with the keys that may be undefined made optional. */
type Optional<T> = {
  [K in keyof T as undefined extends T[K] ? never : K]: T[K];
} & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

/** `fields` without the keys that are undefined. */
export function withoutUndefined<T extends object>(fields: T): Optional<T> {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  // The entries that are left are exactly those that the type keeps.
  return Object.fromEntries(given) as Optional<T>;
}
