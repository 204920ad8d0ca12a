// LogQL as this evaluator has it: what does not stand here is not supported.

import type { Matcher } from '../model.ts';
import type { ArithmeticOperator, ComparisonOperator } from '../promql/ast.ts';

/** A condition on the labels that a line has by then. */
export type LabelTest =
  | { kind: 'text'; matcher: Matcher }
  | { kind: 'number'; label: string; operator: ComparisonOperator; value: number }
  | { kind: 'both' | 'either'; left: LabelTest; right: LabelTest };

export type Stage =
  | { kind: 'contains' | 'lacks'; text: string }
  | { kind: 'matches' | 'matches-not'; pattern: string }
  /** The fields of a line of JSON become labels. */
  | { kind: 'json' }
  | { kind: 'labels'; test: LabelTest };

export type LinesExpression = {
  kind: 'lines';
  matchers: readonly Matcher[];
  stages: readonly Stage[];
};

/** Functions of how many lines there are in a range. */
export const countFunctions = ['count_over_time', 'rate'] as const;
/** Functions of the numbers that `unwrap` finds in a range; `rate` is their sum a second. */
export const valueFunctions = [
  'avg_over_time',
  'max_over_time',
  'min_over_time',
  'sum_over_time',
  'rate',
] as const;
export type LineFunction = (typeof countFunctions)[number] | (typeof valueFunctions)[number];

export const lineAggregations = ['sum', 'avg', 'min', 'max', 'count'] as const;

export type MetricExpression =
  /** Stands beside a vector only. */
  | { kind: 'number'; value: number }
  /** One sample without labels. Grafana asks `vector(1)+vector(1)` to see whether a Loki is there. */
  | { kind: 'vector'; value: number }
  /** Samples of two vectors belong together where all labels are the same. */
  | {
      kind: 'arithmetic';
      operator: ArithmeticOperator;
      left: MetricExpression;
      right: MetricExpression;
    }
  | {
      kind: 'over-lines';
      function: LineFunction;
      lines: LinesExpression;
      rangeMs: number;
      unwrap?: {
        label: string;
        /** What the labels are tested for when the number was found. */
        tests: readonly LabelTest[];
      };
      by?: readonly string[];
    }
  | {
      kind: 'aggregation';
      operation: (typeof lineAggregations)[number];
      by: 'by' | 'without';
      labels: readonly string[];
      of: MetricExpression;
    };

export type LogqlExpression = LinesExpression | MetricExpression;
