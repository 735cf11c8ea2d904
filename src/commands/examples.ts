/** A command line, and what it does where that is not plain. */
export type Example = readonly [command: string, explanation?: string];

/** Examples as they stand below a command's help. */
export function examples(...each: readonly Example[]): string {
  const lines = each.map(([command, explanation]) =>
    explanation === undefined ? `  $ ${command}` : `  $ ${command}\n      ${explanation}`,
  );
  return `\nExamples:\n${lines.join('\n')}`;
}
