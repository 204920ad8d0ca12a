// From LogQL's text to the tree that is evaluated, by Grafana's own grammar for editors.
//
// What the grammar knows and the tree does not is refused by its name and place.

import { parser } from '@grafana/lezer-logql';
import { parseDurationMs, parseNumber } from '../promql/literals.ts';
import { calculate } from '../promql/operators.ts';
import { arithmeticOperators } from '../promql/parse.ts';
import { group, type Item } from '../promql/parse-operators.ts';
import { checkLength, rootOf, type TreeNode } from '../promql/syntax-tree.ts';
import {
  countFunctions,
  type LineFunction,
  type LogqlExpression,
  lineAggregations,
  type MetricExpression,
  valueFunctions,
} from './ast.ts';
import { labelTestOf, linesOf } from './parse-pipeline.ts';

const depthMax = 20;
const itemsMax = 100;
const functionNames = [...new Set<string>([...countFunctions, ...valueFunctions])].sort();
/** On which `by` may follow the function itself, as in Loki. */
const grouping: readonly LineFunction[] = ['avg_over_time', 'max_over_time', 'min_over_time'];

/** @throws QueryError of the kinds `syntax` and `unsupported` */
export function parseLogql(source: string): LogqlExpression {
  checkLength(source);
  const tree = parser.parse(source);
  const root = rootOf(tree, source, (position) => unknownFunction(source, position));
  const expression = root.must('Expr');
  const lines = expression.child('LogExpr');
  if (lines !== undefined) return linesOf(lines);
  const metric = metricOf(expression.must('MetricExpr'), 0);
  return metric.kind === 'number' ? root.refuse('a number by itself is not supported') : metric;
}

function metricOf(node: TreeNode, depth: number): MetricExpression {
  if (depth > depthMax) node.refuse(`more than ${depthMax} expressions in each other`);
  const [of] = node.children;
  switch (of?.name) {
    case 'MetricExpr':
      return metricOf(of, depth + 1);
    case 'RangeAggregationExpr':
      return overLines(of);
    case 'VectorAggregationExpr':
      return aggregation(of, depth);
    case 'BinOpExpr':
      return arithmetic(of, depth);
    case 'LiteralExpr':
      return { kind: 'number', value: numberOf(of) };
    case 'VectorExpr':
      return { kind: 'vector', value: numberOf(of.must('Number')) };
    default:
      return node.refuse(`${of?.text.replace(/\(.*/s, '') ?? node.text} is not supported`);
  }
}

function numberOf(node: TreeNode): number {
  return parseNumber(node.text.replace(/\s+/g, '')) ?? node.fail(`${node.text} is no number`);
}

/** The grammar knows no order of operators; see parse-operators.ts. */
function arithmetic(node: TreeNode, depth: number): MetricExpression {
  const items: Item[] = [];
  flatten(node, items);
  return group<MetricExpression>(items, node, {
    operand: ({ node: operand }) => metricOf(operand, depth + 1),
    signed: (_isMinus, _of, sign) => sign.fail('a sign goes with a number only'),
    binary: (left, right, { node: whole, operator: operatorNode }) => {
      const modifier = whole.child('BinOpModifier');
      if (modifier !== undefined && modifier.text !== '') {
        modifier.refuse(`${modifier.text} is not supported; aggregate both sides alike`);
      }
      const operator = arithmeticOperators[operatorNode.name];
      if (operator === undefined) {
        return operatorNode.refuse(`the operator ${operatorNode.text} is not supported`);
      }
      if (left.kind !== 'number' || right.kind !== 'number') {
        return { kind: 'arithmetic', operator, left, right };
      }
      return { kind: 'number', value: calculate(operator, left.value, right.value) };
    },
  });
}

/** What is in parentheses is an operand: a MetricExpr within a MetricExpr. */
function flatten(node: TreeNode, items: Item[]): void {
  const [left, right] = node.childrenNamed('Expr').map((side) => side.must('MetricExpr'));
  const [, operator] = node.children;
  if (left === undefined || right === undefined || operator === undefined) {
    node.fail('an operand is missing');
  }
  if (items.length > itemsMax) node.refuse(`more than ${itemsMax} operators and operands in a row`);
  const side = (of: TreeNode): void => {
    const inner = of.child('BinOpExpr');
    if (inner === undefined) items.push({ kind: 'operand', node: of });
    else flatten(inner, items);
  };
  side(left);
  items.push({ kind: 'operator', node, operator });
  side(right);
}

function overLines(node: TreeNode): MetricExpression {
  const name = node.must('RangeOp').text;
  const isKnown = functionNames.includes(name);
  if (!isKnown)
    node.refuse(`the function ${name} is not supported; there are ${functionNames.join(', ')}`);
  const range = node.must('LogRangeExpr');
  range.child('OffsetExpr')?.refuse('offset is not supported; ask for the time that you mean');
  const rangeNode = range.must('Range');
  const rangeMs = parseDurationMs(rangeNode.text.replace(/[[\]\s]/g, ''));
  if (rangeMs === undefined || rangeMs === 0) {
    return rangeNode.fail(`${rangeNode.text} is no range; write one like [5m] or [1h30m]`);
  }
  const lines = linesOf(range);
  const unwrapNode = range.child('UnwrapExpr');
  const unwrap = unwrapNode === undefined ? undefined : unwrapOf(unwrapNode);
  const wanted: readonly string[] = unwrap === undefined ? countFunctions : valueFunctions;
  if (!wanted.includes(name)) {
    node.fail(`${name} goes ${unwrap === undefined ? 'with' : 'without'} unwrap`);
  }
  const given = name as LineFunction;
  const groupNode = node.child('Grouping');
  if (groupNode !== undefined && !grouping.includes(given)) {
    groupNode.fail(`by goes with ${grouping.join(', ')}; write sum by (…) (${name}(…))`);
  }
  groupNode?.child('Without')?.refuse('without is not supported here; use by');
  return {
    kind: 'over-lines',
    function: given,
    lines,
    rangeMs,
    ...(unwrap === undefined ? {} : { unwrap }),
    ...(groupNode === undefined ? {} : { by: namesOf(groupNode) }),
  };
}

type Unwrap = NonNullable<Extract<MetricExpression, { kind: 'over-lines' }>['unwrap']>;

/** Left-nested: the label stands innermost, tests of labels around it. */
function unwrapOf(node: TreeNode): Unwrap {
  const conversion = node.child('ConvOp');
  conversion?.refuse(`${conversion.text}() in unwrap is not supported; unwrap a number`);
  const inner = node.child('UnwrapExpr');
  if (inner === undefined) return { label: node.must('Identifier').text, tests: [] };
  const { label, tests } = unwrapOf(inner);
  return { label, tests: [...tests, labelTestOf(node.must('LabelFilter'))] };
}

function aggregation(node: TreeNode, depth: number): MetricExpression {
  const name = node.must('VectorOp').text.toLowerCase();
  const operation = lineAggregations.find((known) => known === name);
  if (operation === undefined) {
    return node.refuse(
      `the aggregation ${name} is not supported; there are ${lineAggregations.join(', ')}`,
    );
  }
  const groupNode = node.child('Grouping');
  const by = groupNode?.child('Without') === undefined ? 'by' : 'without';
  const labels = groupNode === undefined ? [] : namesOf(groupNode);
  const of = metricOf(node.must('MetricExpr'), depth + 1);
  return { kind: 'aggregation', operation, by, labels, of };
}

function namesOf(node: TreeNode): string[] {
  return node.all('Identifier').map(({ text }) => text);
}

function unknownFunction(source: string, position: number): string | undefined {
  const name = /^\s*([A-Za-z_]\w*)\s*\(/.exec(source.slice(position))?.[1];
  if (name === undefined) return undefined;
  return `unknown function ${name}; there are ${functionNames.join(', ')}`;
}
