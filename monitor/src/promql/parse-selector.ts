// Selectors, ranges and offsets of PromQL.

import type { Matcher, MatchOperator } from '../model.ts';
import type { Expression, Selector } from './ast.ts';
import { parseDurationMs, unquote } from './literals.ts';
import { matchValue } from './matchers.ts';
import type { TreeNode } from './syntax-tree.ts';

const operators: Readonly<Record<string, MatchOperator>> = {
  EqlSingle: '=',
  Neq: '!=',
  EqlRegex: '=~',
  NeqRegex: '!~',
};
const durationMsMax = 10 * 365 * 86_400_000;

export function selectorOf(node: TreeNode): Selector {
  const name = node.child('Identifier')?.text;
  const written = node.child('LabelMatchers')?.children.map(matcherOf) ?? [];
  if (name !== undefined && written.some(({ label }) => label === '__name__')) {
    node.fail(`the name of the metric stands twice: ${name} and __name__`);
  }
  const matchers: Matcher[] =
    name === undefined ? written : [{ label: '__name__', operator: '=', value: name }, ...written];
  if (matchers.every((matcher) => matchValue(matcher)(''))) {
    node.fail('a selector needs a name, or a matcher that does not match the empty text');
  }
  return { kind: 'selector', matchers, offsetMs: 0 };
}

function matcherOf(node: TreeNode): Matcher {
  if (node.name !== 'UnquotedLabelMatcher') {
    return node.refuse('names in quotes are not supported');
  }
  const operator = operators[node.must('MatchOp').children[0]?.name ?? ''];
  if (operator === undefined) return node.fail('a matcher is =, !=, =~ or !~');
  const value = node.must('StringLiteral');
  const matcher: Matcher = {
    label: node.must('LabelName').text,
    operator,
    value: unquote(value.text, value.from),
  };
  // A pattern that cannot be matched is refused here, where its place is known.
  matchValue(matcher);
  return matcher;
}

export function rangeOf(node: TreeNode): Expression & { kind: 'range' } {
  const [of] = node.children;
  if (of?.name === 'OffsetExpr') of.fail('offset goes behind the range: x[5m] offset 1m');
  if (of?.name !== 'VectorSelector') return node.fail('a range goes with a selector only');
  return {
    kind: 'range',
    selector: selectorOf(of),
    rangeMs: durationOf(node.must('DurationExpr')),
  };
}

/** @param duration the OffsetDurationExpr behind it */
export function offsetOf(node: TreeNode, duration: TreeNode): Expression {
  const offsetMs = durationOf(duration);
  if (node.name === 'VectorSelector') return { ...selectorOf(node), offsetMs };
  if (node.name !== 'MatrixSelector') {
    return node.fail('offset goes with a selector or a range only; put it inside');
  }
  const range = rangeOf(node);
  return { ...range, selector: { ...range.selector, offsetMs } };
}

/** In ms; negative only behind `offset`. */
function durationOf(node: TreeNode): number {
  const [, sign, text] = /^([+-]?)\s*(.*)$/s.exec(node.text) ?? [];
  const ms = parseDurationMs(text ?? '');
  if (ms === undefined) {
    return node.refuse(`${node.text} is no duration; write one like 5m or 1h30m`);
  }
  if (ms === 0) return node.fail('a duration must be longer than 0');
  if (ms > durationMsMax) return node.refuse(`${node.text} is longer than ten years`);
  return sign === '-' ? -ms : ms;
}
