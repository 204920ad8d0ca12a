// The part of LogQL that finds lines: selectors, line filters, json, label filters.

import type { Matcher, MatchOperator } from '../model.ts';
import type { ComparisonOperator } from '../promql/ast.ts';
import { parseNumber, unquote } from '../promql/literals.ts';
import { matchValue } from '../promql/matchers.ts';
import { compilePattern } from '../promql/pattern.ts';
import type { TreeNode } from '../promql/syntax-tree.ts';
import type { LabelTest, LinesExpression, Stage } from './ast.ts';

const matchOperators: Readonly<Record<string, MatchOperator>> = {
  Eq: '=',
  Neq: '!=',
  Re: '=~',
  Nre: '!~',
};
const numberOperators: Readonly<Record<string, ComparisonOperator>> = {
  Eq: '==',
  Eql: '==',
  Neq: '!=',
  Gtr: '>',
  Gte: '>=',
  Lss: '<',
  Lte: '<=',
};
const there = '; there are line filters (|= != |~ !~), json, and filters of labels';

/** A selector and what stands behind it, from a LogExpr or a LogRangeExpr. */
export function linesOf(node: TreeNode): LinesExpression {
  const inner = node.child('LogExpr');
  if (inner !== undefined && node.child('Selector') === undefined) return linesOf(inner);
  const matchers = node.must('Selector').all('Matcher').map(matcherOf);
  if (matchers.every((matcher) => matchValue(matcher)(''))) {
    node.fail('a selector needs a matcher that does not match the empty text');
  }
  const stages = node.childrenNamed('PipelineExpr').flatMap(stagesOf);
  return { kind: 'lines', matchers, stages };
}

function matcherOf(node: TreeNode): Matcher {
  const operator = node.children.map(({ name }) => matchOperators[name]).find(Boolean);
  const label = node.must('Identifier').text;
  if (operator === undefined) return node.fail('a matcher is =, !=, =~ or !~');
  const matcher: Matcher = { label, operator, value: textOf(node.must('String')) };
  // A pattern that cannot be matched is refused here.
  matchValue(matcher);
  return matcher;
}

function textOf(node: TreeNode): string {
  return unquote(node.text, node.from);
}

function stagesOf(pipeline: TreeNode): Stage[] {
  return pipeline.children.flatMap((child): Stage[] => {
    if (child.name === 'PipelineExpr') return stagesOf(child);
    const stage = child.children.find(({ name }) => name !== 'Pipe');
    if (child.name !== 'PipelineStage' || stage === undefined)
      return child.fail('a stage is missing');
    return stageOf(stage);
  });
}

function stageOf(node: TreeNode): Stage[] {
  switch (node.name) {
    case 'LineFilters':
      return node.all('LineFilter').map(lineFilterOf);
    case 'LabelParser': {
      if (node.child('Json') !== undefined) return [{ kind: 'json' }];
      return node.refuse(`${node.children[0]?.text ?? node.text} is not supported${there}`);
    }
    case 'JsonExpressionParser':
      return node.refuse('json with expressions is not supported; write json alone');
    case 'LabelFilter':
      return [{ kind: 'labels', test: labelTestOf(node) }];
    default:
      return node.refuse(`${node.children[0]?.text ?? node.text} is not supported${there}`);
  }
}

function lineFilterOf(node: TreeNode): Stage {
  node.child('FilterOp')?.refuse('ip() is not supported');
  node.child('OrFilter')?.refuse('or between line filters is not supported; use |~ "a|b"');
  const filter = node.must('Filter');
  const text = textOf(node.must('String'));
  switch (filter.text) {
    case '|=':
      return { kind: 'contains', text };
    case '!=':
      return { kind: 'lacks', text };
    case '|~':
    case '!~':
      compilePattern(text);
      return { kind: filter.text === '|~' ? 'matches' : 'matches-not', pattern: text };
    default:
      return filter.refuse(`${filter.text} is not supported${there}`);
  }
}

export function labelTestOf(node: TreeNode): LabelTest {
  const [first] = node.children;
  const parts = node.childrenNamed('LabelFilter');
  const [left, right] = parts;
  if (left !== undefined && right !== undefined) {
    const kind = node.child('Or') === undefined ? 'both' : 'either';
    return { kind, left: labelTestOf(left), right: labelTestOf(right) };
  }
  if (left !== undefined) return labelTestOf(left);
  switch (first?.name) {
    case 'Matcher':
      return { kind: 'text', matcher: matcherOf(first) };
    case 'NumberFilter':
      return numberTestOf(first);
    case 'UnitFilter':
      return first.refuse('durations and sizes in filters of labels are not supported');
    case 'IpLabelFilter':
      return first.refuse('ip() is not supported');
    default:
      return node.refuse(`${node.text} is not supported${there}`);
  }
}

function numberTestOf(node: TreeNode): LabelTest {
  const operator = node.children.map(({ name }) => numberOperators[name]).find(Boolean);
  const value = parseNumber(node.must('LiteralExpr').text.replace(/\s+/g, ''));
  if (operator === undefined || value === undefined) return node.fail('a number is missing');
  return { kind: 'number', label: node.must('Identifier').text, operator, value };
}
