/** The process's environment, or a stand-in for it. */
export type Environment = Readonly<Record<string, string | undefined>>;

export interface Substitution {
  readonly text: string;
  /** Variables that are not set, and references that cannot be read, as written. */
  readonly unset: readonly string[];
  readonly malformed: readonly string[];
}

const REFERENCE = /\$\$\{|\$\{([^}]*)(\}?)/g;

/**
 * Replaces `${NAME}` by the variable's value and `${NAME:-text}` by `text` where
 * the variable is unset or empty; `$${` stands for `${` itself. What is put in
 * is not looked at again.
 */
export function substitute(text: string, env: Environment): Substitution {
  const unset: string[] = [];
  const malformed: string[] = [];
  const result = text.replaceAll(REFERENCE, (reference, inside?: string, close?: string) => {
    if (reference === '$${') return '${';
    const [, name, fallback] = /^([A-Za-z_]\w*)(?::-(.*))?$/s.exec(inside ?? '') ?? [];
    if (name === undefined || close === '') {
      malformed.push(reference);
      return reference;
    }
    const value = env[name];
    if (fallback !== undefined) return value === undefined || value === '' ? fallback : value;
    if (value === undefined) unset.push(reference);
    return value ?? reference;
  });
  return { text: result, unset, malformed };
}
