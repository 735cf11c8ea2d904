/** What came of reading a person's text: a value, or why there is none and what may have been meant. */
export type Reading<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason?: string; readonly suggestion?: string };

export function understood<T>(value: T): Reading<T> {
  return { ok: true, value };
}

export function refused(reason: string, suggestion?: string): Reading<never> {
  return suggestion === undefined ? { ok: false, reason } : { ok: false, reason, suggestion };
}
