/**
 * What is wrong with a template, and where in it: raised inside this folder only;
 * `tag-template.ts` adds whose template it is.
 */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
  /** From 1. */
  readonly column: number;

  constructor(column: number, message: string) {
    super(message);
    this.column = column;
  }
}

/** `at` counts from 0. */
export function templateError(at: number, message: string): TemplateError {
  return new TemplateError(at + 1, message);
}
