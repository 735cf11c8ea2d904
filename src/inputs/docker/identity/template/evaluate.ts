import { templateError } from './error.ts';
import { callFunction } from './functions.ts';
import type { Command, Node, Operand, Pipeline } from './parser.ts';
import { isMap, isTrue, printed, typeName, type Value, ValueError } from './values.ts';

/** What the names of a template stand for: `.Name` is `field('Name')`. May throw a ValueError. */
export type FieldOf = (name: string) => Value;

/** The text that a template stands for. Throws a TemplateError with the place. */
export function evaluate(nodes: readonly Node[], fieldOf: FieldOf): string {
  return nodes.map((node) => textOf(node, fieldOf)).join('');
}

function textOf(node: Node, fieldOf: FieldOf): string {
  switch (node.kind) {
    case 'literal':
      return node.text;
    case 'print':
      return printed(pipelineValue(node.pipeline, fieldOf));
    case 'if': {
      const holds = isTrue(pipelineValue(node.condition, fieldOf));
      return evaluate(holds ? node.chosen : node.otherwise, fieldOf);
    }
  }
}

function pipelineValue({ commands }: Pipeline, fieldOf: FieldOf): Value {
  let passed: readonly Value[] = [];
  for (const command of commands) passed = [commandValue(command, passed, fieldOf)];
  return passed[0];
}

function commandValue(command: Command, passed: readonly Value[], fieldOf: FieldOf): Value {
  const { operand, args } = command;
  if (operand.kind !== 'function') return operandValue(operand, fieldOf);
  const values = args.map((arg) => operandValue(arg, fieldOf));
  return placed(operand.at, () => callFunction(operand.name, [...values, ...passed]));
}

function operandValue(operand: Operand, fieldOf: FieldOf): Value {
  switch (operand.kind) {
    case 'constant':
      return operand.value;
    case 'function':
      return placed(operand.at, () => callFunction(operand.name, []));
    case 'field': {
      const [name = '', ...keys] = operand.names;
      return placed(operand.at, () => keysOf(fieldOf(name), keys));
    }
    case 'group': {
      const value = pipelineValue(operand.pipeline, fieldOf);
      return placed(operand.at, () => keysOf(value, operand.names));
    }
  }
}

function keysOf(value: Value, keys: readonly string[]): Value {
  let found = value;
  for (const key of keys) {
    if (!isMap(found)) throw new ValueError(`.${key}: ${typeName(found)} has no keys`);
    found = found.get(key);
  }
  return found;
}

function placed(at: number, compute: () => Value): Value {
  try {
    return compute();
  } catch (error) {
    if (!(error instanceof ValueError)) throw error;
    throw templateError(at, error.message);
  }
}
