// PromQL as this evaluator has it: what does not stand here is not supported.
//
// A1. Types fit: the parser refuses what does not, so that evaluation never meets a range where a
//     vector belongs. A scalar may stand where an expression may; `typeOf` tells.
// A2. Parentheses are gone: the tree is the order. Durations are whole milliseconds.

import type { Matcher } from '../model.ts';

export type Selector = {
  kind: 'selector';
  /** The name of the metric is a matcher on `__name__`. */
  matchers: readonly Matcher[];
  offsetMs: number;
};

export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%' | '^';
export type ComparisonOperator = '==' | '!=' | '>' | '<' | '>=' | '<=';
export type SetOperator = 'and' | 'or' | 'unless';

/** Which samples of two vectors belong together. */
export type Matching = {
  /** Compare these labels alone (`on`), or all others (`ignoring`). */
  by: 'on' | 'ignoring';
  labels: readonly string[];
  /** `many-to-one` is group_left, `one-to-many` is group_right. */
  cardinality: 'one-to-one' | 'many-to-one' | 'one-to-many';
  /** Labels that the result takes from the one side. */
  include: readonly string[];
};

/** Functions of the samples in a range. */
export const rangeFunctions = [
  'rate',
  'increase',
  'irate',
  'avg_over_time',
  'min_over_time',
  'max_over_time',
  'sum_over_time',
  'count_over_time',
  'last_over_time',
  'present_over_time',
  'absent_over_time',
  'stddev_over_time',
  'stdvar_over_time',
  'quantile_over_time',
] as const;
export type RangeFunction = (typeof rangeFunctions)[number];

type Parameters = readonly ('vector' | 'scalar')[];
/** Functions of vectors and scalars, with what they take and give. */
export const instantFunctions = {
  abs: { takes: ['vector'], gives: 'vector' },
  absent: { takes: ['vector'], gives: 'vector' },
  clamp_max: { takes: ['vector', 'scalar'], gives: 'vector' },
  clamp_min: { takes: ['vector', 'scalar'], gives: 'vector' },
  histogram_quantile: { takes: ['scalar', 'vector'], gives: 'vector' },
  scalar: { takes: ['vector'], gives: 'scalar' },
  time: { takes: [], gives: 'scalar' },
  vector: { takes: ['scalar'], gives: 'vector' },
} as const satisfies Record<string, { takes: Parameters; gives: 'vector' | 'scalar' }>;
export type InstantFunction = keyof typeof instantFunctions;

export const aggregations = [
  'sum',
  'avg',
  'min',
  'max',
  'count',
  'group',
  'topk',
  'bottomk',
  'quantile',
] as const;
export type Aggregation = (typeof aggregations)[number];
/** These take a number first. */
export const parametrised: readonly Aggregation[] = ['topk', 'bottomk', 'quantile'];

export type Expression =
  | { kind: 'number'; value: number }
  | Selector
  /** All samples of a range: only by itself, in an instant query. */
  | { kind: 'range'; selector: Selector; rangeMs: number }
  | {
      kind: 'over-range';
      function: RangeFunction;
      selector: Selector;
      rangeMs: number;
      /** Of quantile_over_time. */
      parameter?: Expression;
    }
  | { kind: 'call'; function: InstantFunction; arguments: readonly Expression[] }
  | {
      kind: 'aggregation';
      operation: Aggregation;
      by: 'by' | 'without';
      labels: readonly string[];
      parameter?: Expression;
      of: Expression;
    }
  | {
      kind: 'arithmetic';
      operator: ArithmeticOperator;
      left: Expression;
      right: Expression;
      matching: Matching;
    }
  | {
      kind: 'comparison';
      operator: ComparisonOperator;
      /** Answers 0 or 1 instead of choosing. */
      bool: boolean;
      left: Expression;
      right: Expression;
      matching: Matching;
    }
  | {
      kind: 'set';
      operator: SetOperator;
      left: Expression;
      right: Expression;
      matching: Matching;
    }
  | { kind: 'negation'; of: Expression };

export type ExpressionType = 'scalar' | 'vector' | 'range';

export function typeOf(expression: Expression): ExpressionType {
  switch (expression.kind) {
    case 'number':
      return 'scalar';
    case 'range':
      return 'range';
    case 'selector':
    case 'over-range':
    case 'aggregation':
    case 'set':
      return 'vector';
    case 'call':
      return instantFunctions[expression.function].gives;
    case 'negation':
      return typeOf(expression.of);
    case 'arithmetic':
    case 'comparison':
      return typeOf(expression.left) === 'scalar' && typeOf(expression.right) === 'scalar'
        ? 'scalar'
        : 'vector';
  }
}
