import { LogboomError } from '../../../errors.ts';
import type { Container } from '../types.ts';
import { LOG_INFO_FIELDS, logInfoField, type TagSurroundings } from './log-info.ts';
import { TemplateError } from './template/error.ts';
import { evaluate } from './template/evaluate.ts';
import { FUNCTION_NAMES } from './template/functions.ts';
import { type Node, type Operand, type Pipeline, parseTemplate } from './template/parser.ts';

/** Docker's default for `tag`. */
export const DEFAULT_TAG = '{{.ID}}';

export type TagTemplate = (container: Container, around: TagSurroundings) => string;

/**
 * Compiles Docker's template for the log option `tag` (formats.md 3.3). It renders
 * exactly what dockerd 20.10 to 29.4 would, or throws LB_CONTAINER: fields and
 * functions of Docker, `if`, pipelines and most of Go's own functions are
 * supported; what is not is refused here, and what cannot be rendered for one
 * container is refused then. `where` says whose template it is, for both.
 *
 * `{{.ImageID}}` is `sha256:` and five digits; from 29.5 on it is twelve digits.
 */
export function compileTagTemplate(text: string, where: string): TagTemplate {
  const nodes = placed(where, () => {
    const parsed = parseTemplate(text);
    checkNodes(parsed);
    return parsed;
  });
  return (container, around) =>
    placed(where, () => evaluate(nodes, (name) => logInfoField(container, around, name)));
}

function placed<T>(where: string, compute: () => T): T {
  try {
    return compute();
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new LogboomError('LB_CONTAINER', `column ${error.column} of the tag: ${error.message}`, {
      where,
      hint: `A tag is a template of fields (.${LOG_INFO_FIELDS.slice(0, 4).join(', .')} ...) and functions (${FUNCTION_NAMES.slice(0, 4).join(', ')} ...), as Docker documents them.`,
      cause: error,
    });
  }
}

/** Finds names that nothing has, so that they need no container to be refused. */
function checkNodes(nodes: readonly Node[]): void {
  for (const node of nodes) {
    if (node.kind === 'print') checkPipeline(node.pipeline);
    if (node.kind !== 'if') continue;
    checkPipeline(node.condition);
    checkNodes(node.chosen);
    checkNodes(node.otherwise);
  }
}

function checkPipeline({ commands }: Pipeline): void {
  for (const { operand, args } of commands) {
    for (const each of [operand, ...args]) checkOperand(each);
  }
}

function checkOperand(operand: Operand): void {
  const column = operand.at + 1;
  if (operand.kind === 'group') checkPipeline(operand.pipeline);
  if (operand.kind === 'function' && !FUNCTION_NAMES.includes(operand.name)) {
    throw new TemplateError(column, `the function ${operand.name} is not supported`);
  }
  if (operand.kind !== 'field') return;
  const [name = ''] = operand.names;
  if (!LOG_INFO_FIELDS.includes(name)) {
    throw new TemplateError(column, `the field .${name} is not supported`);
  }
}
