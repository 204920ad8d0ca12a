// From PromQL's text to the tree that is evaluated: parsed by Prometheus' own grammar for editors,
// then translated node by node, with the types checked.
//
// Q1. The grammar knows all of PromQL, the tree only what is evaluated: what lies between is refused
//     by its name and place, never answered wrongly.
// Q2. The grammar is that of Prometheus 3. What only version 3 has (numbers as durations, durations
//     as numbers, names in quotes, fill) is refused as well: answers are those of 2.42.

import { parser } from '@prometheus-io/lezer-promql';
import {
  type ArithmeticOperator,
  aggregations,
  type Expression,
  instantFunctions,
  parametrised,
  rangeFunctions,
  type SetOperator,
  typeOf,
} from './ast.ts';
import { parseNumber } from './literals.ts';
import { matchingOf } from './parse-matching.ts';
import { grouped } from './parse-operators.ts';
import { offsetOf, rangeOf, selectorOf } from './parse-selector.ts';
import { checkLength, rootOf, type TreeNode } from './syntax-tree.ts';

const depthMax = 100;
/** By their names in the grammars of both languages. */
export const arithmeticOperators: Readonly<Record<string, ArithmeticOperator>> = {
  Add: '+',
  Sub: '-',
  Mul: '*',
  Div: '/',
  Mod: '%',
  Pow: '^',
};
const comparisons = {
  Eql: '==',
  Neq: '!=',
  Gtr: '>',
  Lss: '<',
  Gte: '>=',
  Lte: '<=',
} as const satisfies Readonly<Record<string, string>>;
const sets: Readonly<Record<string, SetOperator>> = { And: 'and', Or: 'or', Unless: 'unless' };
const functionNames = [...rangeFunctions, ...Object.keys(instantFunctions)].sort();

/** @throws QueryError of the kinds `syntax` and `unsupported` */
export function parsePromql(source: string): Expression {
  checkLength(source);
  const root = rootOf(parser.parse(source), source, (position) =>
    unknownFunction(source, position),
  );
  const [only] = root.children;
  if (only === undefined) return root.fail('the expression is empty');
  return translate(only, 0);
}

function translate(node: TreeNode, depth: number): Expression {
  if (depth > depthMax) node.refuse(`more than ${depthMax} expressions in each other`);
  switch (node.name) {
    case 'BinaryExpr':
    case 'UnaryExpr':
    case 'OffsetExpr':
    case 'NumberDurationLiteral':
      return grouped(node, {
        operand: ({ node: operand, offset }) =>
          offset === undefined ? translateOperand(operand, depth) : offsetOf(operand, offset),
        signed,
        binary,
      });
    default:
      return translateOperand(node, depth);
  }
}

function translateOperand(node: TreeNode, depth: number): Expression {
  switch (node.name) {
    case 'NumberDurationLiteral':
      return numberOf(node);
    case 'VectorSelector':
      return selectorOf(node);
    case 'MatrixSelector':
      return rangeOf(node);
    case 'ParenExpr':
      return translate(onlyChild(node), depth + 1);
    case 'FunctionCall':
      return call(node, depth);
    case 'AggregateExpr':
      return aggregation(node, depth);
    case 'SubqueryExpr':
      return node.refuse(
        'subqueries ([range:step]) are not supported; record the inner expression',
      );
    case 'StepInvariantExpr':
      return node.refuse('the modifier @ is not supported; ask for the instant that you mean');
    case 'AnchoredExpr':
    case 'SmoothedExpr':
      return node.refuse('the modifiers anchored and smoothed are not supported');
    case 'StringLiteral':
      return node.refuse('a string by itself is not supported');
    default:
      return node.refuse(`${node.name} is not supported`);
  }
}

function numberOf(node: TreeNode): Expression {
  const text = node.text.replace(/^[+-]/, '');
  const value = parseNumber(text);
  if (value === undefined) {
    return node.refuse(`${text} is no number; write digits alone, and durations in seconds`);
  }
  return { kind: 'number', value };
}

function onlyChild(node: TreeNode): TreeNode {
  return node.children[0] ?? node.fail('an expression is missing');
}

function signed(isMinus: boolean, of: Expression, node: TreeNode): Expression {
  checkOperand(node, of, 'a sign');
  if (!isMinus) return of;
  return of.kind === 'number' ? { kind: 'number', value: -of.value } : { kind: 'negation', of };
}

function call(node: TreeNode, depth: number): Expression {
  const name = node.must('FunctionIdentifier').text;
  const given = node.must('FunctionCallBody').children;
  const rangeFunction = rangeFunctions.find((known) => known === name);
  if (rangeFunction !== undefined) return overRange(node, rangeFunction, given, depth);
  if (!isInstantFunction(name)) {
    return node.refuse(
      `the function ${name} is not supported; there are ${functionNames.join(', ')}`,
    );
  }
  const takes = instantFunctions[name].takes;
  checkCount(node, name, takes.length, given.length);
  const translated = given.map((argument, index) => {
    const expression = translate(argument, depth + 1);
    checkType(argument, expression, takes[index] ?? 'vector', `the function ${name}`);
    return expression;
  });
  return { kind: 'call', function: name, arguments: translated };
}

function isInstantFunction(name: string): name is keyof typeof instantFunctions {
  return Object.hasOwn(instantFunctions, name);
}

function overRange(
  node: TreeNode,
  name: (typeof rangeFunctions)[number],
  given: readonly TreeNode[],
  depth: number,
): Expression {
  const isQuantile = name === 'quantile_over_time';
  checkCount(node, name, isQuantile ? 2 : 1, given.length);
  const [first, second] = given;
  const rangeNode = (isQuantile ? second : first) ?? node.fail('a range is missing');
  const range = translate(rangeNode, depth + 1);
  if (range.kind !== 'range') {
    return rangeNode.fail(`the function ${name} takes a range, like x[5m]; this is none`);
  }
  const { selector, rangeMs } = range;
  if (!isQuantile || first === undefined) {
    return { kind: 'over-range', function: name, selector, rangeMs };
  }
  const parameter = translate(first, depth + 1);
  checkType(first, parameter, 'scalar', `the function ${name}`);
  return { kind: 'over-range', function: name, selector, rangeMs, parameter };
}

function aggregation(node: TreeNode, depth: number): Expression {
  const name = node.must('AggregateOp').text.toLowerCase();
  const operation = aggregations.find((known) => known === name);
  if (operation === undefined) {
    return node.refuse(
      `the aggregation ${name} is not supported; there are ${aggregations.join(', ')}`,
    );
  }
  const given = node.must('FunctionCallBody').children;
  const takesNumber = parametrised.includes(operation);
  checkCount(node, name, takesNumber ? 2 : 1, given.length);
  const ofNode = given.at(-1) ?? node.fail('an expression is missing');
  const of = translate(ofNode, depth + 1);
  checkType(ofNode, of, 'vector', `the aggregation ${name}`);
  const modifier = node.child('AggregateModifier');
  const by = modifier?.child('Without') === undefined ? 'by' : 'without';
  const labels = modifier === undefined ? [] : labelNames(modifier.must('GroupingLabels'));
  const [first] = given;
  if (!takesNumber || first === undefined)
    return { kind: 'aggregation', operation, by, labels, of };
  const parameter = translate(first, depth + 1);
  checkType(first, parameter, 'scalar', `the aggregation ${name}`);
  return { kind: 'aggregation', operation, by, labels, parameter, of };
}

function labelNames(node: TreeNode): string[] {
  return node.children.map((label) =>
    label.name === 'LabelName'
      ? label.text
      : label.refuse('label names in quotes are not supported'),
  );
}

function binary(
  left: Expression,
  right: Expression,
  { node, operator: operatorNode }: { node: TreeNode; operator: TreeNode },
): Expression {
  for (const side of [left, right]) checkOperand(operatorNode, side, operatorNode.text);
  const scalars = [left, right].filter((side) => typeOf(side) === 'scalar').length;
  const matching = matchingOf(node, operatorNode, scalars > 0);
  const bool = node.child('BoolModifier') !== undefined;
  const operator = operatorNode.name;
  if (isComparison(operator)) {
    if (!bool && scalars === 2) operatorNode.fail('a comparison of two numbers needs bool');
    const sign = comparisons[operator];
    return { kind: 'comparison', operator: sign, bool, left, right, matching };
  }
  if (bool) operatorNode.fail('bool goes with comparisons only');
  const set = sets[operator];
  if (set !== undefined) {
    if (scalars > 0) operatorNode.fail(`${set} takes vectors on both sides; this has a number`);
    return { kind: 'set', operator: set, left, right, matching };
  }
  const sign = arithmeticOperators[operator];
  if (sign !== undefined) return { kind: 'arithmetic', operator: sign, left, right, matching };
  return operatorNode.refuse(`the operator ${operatorNode.text} is not supported`);
}

function isComparison(operator: string): operator is keyof typeof comparisons {
  return Object.hasOwn(comparisons, operator);
}

function checkOperand(node: TreeNode, operand: Expression, what: string): void {
  if (typeOf(operand) === 'range') {
    node.fail(`${what} takes a vector or a number; this is a range`);
  }
}

function checkType(
  node: TreeNode,
  expression: Expression,
  wanted: 'vector' | 'scalar',
  who: string,
): void {
  const type = typeOf(expression);
  const names = { vector: 'an instant vector', scalar: 'a number', range: 'a range' } as const;
  if (type !== wanted) node.fail(`${who} takes ${names[wanted]} here; this is ${names[type]}`);
}

function checkCount(node: TreeNode, name: string, wanted: number, given: number): void {
  if (given !== wanted) node.fail(`${name} takes ${wanted} argument(s); this has ${given}`);
}

/** The grammar has no unknown functions: the call of one is a name and then something unexpected. */
function unknownFunction(source: string, position: number): string | undefined {
  const name = /([A-Za-z_]\w*)\s*$/.exec(source.slice(0, position))?.[1];
  if (name === undefined || !/^\s*\(/.test(source.slice(position))) return undefined;
  return `unknown function ${name}; there are ${functionNames.join(', ')}`;
}
