// From the tree to functions of the instant: everything that does not change from step to step is
// done once, and the labels that a node derives stay the same objects (see label-sets.ts).

import { aggregate } from './aggregate.ts';
import { type Expression, type Selector, typeOf } from './ast.ts';
import { type Bucket, histogramQuantile } from './histogram-quantile.ts';
import { type LabelSet, type LabelTable, metricName } from './label-sets.ts';
import { parseNumber } from './literals.ts';
import {
  type LoadedSeries,
  lookbackMs,
  samplesWithin,
  valueAt,
  windowAt,
} from './loaded-series.ts';
import { betweenSets, betweenVectors, calculate, compare, withNumber } from './operators.ts';
import { overRange } from './over-range.ts';
import { distinct, type ScalarAt, sameLabels, type Vector, type VectorAt } from './vector.ts';

export type Inputs = {
  table: LabelTable;
  seriesOf(selector: Selector): readonly LoadedSeries[];
  /** Counts looks at samples, so that the evaluation can give way to others now and then. */
  spend(samples: number): void;
};

/** A tree of type `scalar`, as typeOf tells. */
export function compileScalar(expression: Expression, inputs: Inputs): ScalarAt {
  switch (expression.kind) {
    case 'number':
      return () => expression.value;
    case 'negation': {
      const of = compileScalar(expression.of, inputs);
      return (atMs) => -of(atMs);
    }
    case 'arithmetic': {
      const [left, right] = bothScalars(expression, inputs);
      return (atMs) => calculate(expression.operator, left(atMs), right(atMs));
    }
    case 'comparison': {
      const [left, right] = bothScalars(expression, inputs);
      return (atMs) => (compare(expression.operator, left(atMs), right(atMs)) ? 1 : 0);
    }
    case 'call': {
      const [of] = expression.arguments;
      if (expression.function !== 'scalar' || of === undefined) return (atMs) => atMs / 1_000;
      const vector = compileVector(of, inputs);
      return (atMs) => onlyValue(vector(atMs));
    }
    case 'selector':
    case 'range':
    case 'over-range':
    case 'aggregation':
    case 'set':
      throw new Error(`${expression.kind} is no scalar; the parser let it through`);
  }
}

function bothScalars(
  { left, right }: { left: Expression; right: Expression },
  inputs: Inputs,
): [ScalarAt, ScalarAt] {
  return [compileScalar(left, inputs), compileScalar(right, inputs)];
}

function onlyValue(vector: Vector): number {
  const [first] = vector;
  return first !== undefined && vector.length === 1 ? first.value : Number.NaN;
}

/** A tree of type `vector`; one of type `scalar` becomes one sample without labels. */
export function compileVector(expression: Expression, inputs: Inputs): VectorAt {
  if (typeOf(expression) === 'scalar') {
    const scalar = compileScalar(expression, inputs);
    return (atMs) => [{ labels: inputs.table.empty, value: scalar(atMs) }];
  }
  switch (expression.kind) {
    case 'selector':
      return compileSelector(expression, inputs);
    case 'over-range':
      return compileOverRange(expression, inputs);
    case 'call':
      return compileCall(expression, inputs);
    case 'aggregation':
      return compileAggregation(expression, inputs);
    case 'arithmetic':
    case 'comparison':
      return compileOperation(expression, inputs);
    case 'set': {
      const left = compileVector(expression.left, inputs);
      const right = compileVector(expression.right, inputs);
      const combine = betweenSets(expression.operator, expression.matching, inputs.table);
      return (atMs) => combine(left(atMs), right(atMs));
    }
    case 'negation':
      return compileNegation(expression.of, inputs);
    case 'number':
    case 'range':
      throw new Error(`${expression.kind} is no vector; the parser let it through`);
  }
}

function compileSelector(selector: Selector, inputs: Inputs): VectorAt {
  const series = inputs.seriesOf(selector);
  const isSampled = samplesWithin(series);
  return (atMs) => {
    const endMs = atMs - selector.offsetMs;
    if (!isSampled(endMs - lookbackMs, endMs)) return [];
    const samples: { labels: LabelSet; value: number }[] = [];
    for (const one of series) {
      const value = valueAt(one, endMs);
      if (value !== undefined) samples.push({ labels: one.labels, value });
    }
    inputs.spend(series.length);
    return samples;
  };
}

function compileOverRange(
  expression: Expression & { kind: 'over-range' },
  inputs: Inputs,
): VectorAt {
  const { function: name, selector, rangeMs } = expression;
  const series = inputs.seriesOf(selector);
  if (name === 'absent_over_time') {
    const labels = inputs.table.of(labelsWhenAbsent(selector));
    return (atMs) => {
      inputs.spend(series.length);
      const isThere = series.some((one) => {
        const { from, to } = windowAt(one, atMs - selector.offsetMs, rangeMs);
        return to > from;
      });
      return isThere ? [] : [{ labels, value: 1 }];
    };
  }
  const parameter =
    expression.parameter === undefined ? () => 0 : compileScalar(expression.parameter, inputs);
  // Like offset, it gives the samples themselves.
  const labelsOf = name === 'last_over_time' ? kept : renamedOnce(inputs.table);
  const isSampled = samplesWithin(series);
  return (atMs) => {
    const endMs = atMs - selector.offsetMs;
    if (!isSampled(endMs - rangeMs, endMs)) return [];
    const samples: { labels: LabelSet; value: number }[] = [];
    const given = parameter(atMs);
    for (const one of series) {
      const window = windowAt(one, endMs, rangeMs);
      inputs.spend(1 + window.to - window.from);
      const value = overRange(name, window, rangeMs, given);
      if (value !== undefined) samples.push({ labels: labelsOf(one.labels), value });
    }
    return samples;
  };
}

const kept = (labels: LabelSet): LabelSet => labels;

/** Drops the name; two series that become one, at whichever steps, are an error. */
function renamedOnce(table: LabelTable): (labels: LabelSet) => LabelSet {
  const nameless = table.without([metricName]);
  const owners = new Map<LabelSet, LabelSet>();
  return (labels) => {
    const renamed = nameless(labels);
    const owner = owners.get(renamed);
    if (owner === undefined) owners.set(renamed, labels);
    else if (owner !== labels) throw sameLabels(renamed);
    return renamed;
  };
}

function compileNegation(of: Expression, inputs: Inputs): VectorAt {
  const vector = compileVector(of, inputs);
  const labelsOf = renamedOnce(inputs.table);
  return (atMs) =>
    vector(atMs).map(({ labels, value }) => ({ labels: labelsOf(labels), value: -value }));
}

function compileOperation(
  expression: Expression & { kind: 'arithmetic' | 'comparison' },
  inputs: Inputs,
): VectorAt {
  const { left, right, matching } = expression;
  if (typeOf(right) === 'scalar') {
    const combine = withNumber(expression, 'right', inputs.table);
    const [vector, number] = [compileVector(left, inputs), compileScalar(right, inputs)];
    return (atMs) => combine(vector(atMs), number(atMs));
  }
  if (typeOf(left) === 'scalar') {
    const combine = withNumber(expression, 'left', inputs.table);
    const [vector, number] = [compileVector(right, inputs), compileScalar(left, inputs)];
    return (atMs) => combine(vector(atMs), number(atMs));
  }
  const combine = betweenVectors(expression, matching, inputs.table);
  const [first, second] = [compileVector(left, inputs), compileVector(right, inputs)];
  return (atMs) => combine(first(atMs), second(atMs));
}

function compileAggregation(
  expression: Expression & { kind: 'aggregation' },
  inputs: Inputs,
): VectorAt {
  const { operation, by, labels, table } = { ...expression, table: inputs.table };
  const of = compileVector(expression.of, inputs);
  const parameter =
    expression.parameter === undefined ? () => 0 : compileScalar(expression.parameter, inputs);
  const groupOf = by === 'by' ? table.keeping(labels) : table.without([metricName, ...labels]);
  return (atMs) => aggregate(operation, of(atMs), groupOf, parameter(atMs));
}

function compileCall(expression: Expression & { kind: 'call' }, inputs: Inputs): VectorAt {
  const [first, second] = expression.arguments;
  if (first === undefined) throw new Error(`${expression.function} has no argument`);
  switch (expression.function) {
    case 'abs':
      return compileMap(first, inputs, (value) => Math.abs(value));
    case 'clamp_min':
    case 'clamp_max': {
      const bound = second === undefined ? () => Number.NaN : compileScalar(second, inputs);
      const choose = expression.function === 'clamp_min' ? larger : smaller;
      return compileMap(first, inputs, (value, atMs) => choose(bound(atMs), value));
    }
    case 'absent': {
      const labels = inputs.table.of(first.kind === 'selector' ? labelsWhenAbsent(first) : {});
      const of = compileVector(first, inputs);
      return (atMs) => (of(atMs).length > 0 ? [] : [{ labels, value: 1 }]);
    }
    case 'histogram_quantile':
      return compileHistogramQuantile(first, second ?? first, inputs);
    case 'vector': {
      const scalar = compileScalar(first, inputs);
      return (atMs) => [{ labels: inputs.table.empty, value: scalar(atMs) }];
    }
    case 'scalar':
    case 'time':
      throw new Error(`${expression.function} is no vector; the parser let it through`);
  }
}

function compileMap(
  of: Expression,
  inputs: Inputs,
  change: (value: number, atMs: number) => number,
): VectorAt {
  const vector = compileVector(of, inputs);
  const nameless = inputs.table.without([metricName]);
  return (atMs) =>
    distinct(
      vector(atMs).map(({ labels, value }) => ({
        labels: nameless(labels),
        value: change(value, atMs),
      })),
    );
}

/** As Go has them: an infinite bound beats NaN. */
function smaller(a: number, b: number): number {
  if (a === Number.NEGATIVE_INFINITY || b === Number.NEGATIVE_INFINITY) {
    return Number.NEGATIVE_INFINITY;
  }
  return Math.min(a, b);
}

function larger(a: number, b: number): number {
  return -smaller(-a, -b);
}

/** What the matchers say for sure: a label that one equality names, and no other matcher. */
function labelsWhenAbsent({ matchers }: Selector): Record<string, string> {
  const labels: Record<string, string> = {};
  const seen = new Set<string>();
  for (const { label, operator, value } of matchers) {
    if (label === metricName) continue;
    if (operator === '=' && !seen.has(label)) {
      labels[label] = value;
      seen.add(label);
    } else {
      delete labels[label];
    }
  }
  return labels;
}

function compileHistogramQuantile(q: Expression, of: Expression, inputs: Inputs): VectorAt {
  const quantile = compileScalar(q, inputs);
  const vector = compileVector(of, inputs);
  const groupOf = inputs.table.without(['le']);
  const nameless = inputs.table.without([metricName]);
  return (atMs) => {
    const groups = new Map<LabelSet, Bucket[]>();
    for (const { labels, value } of vector(atMs)) {
      const upperBound = parseNumber(labels.labels['le'] ?? '');
      // What has no bound is no bucket; Prometheus skips it too.
      if (upperBound === undefined) continue;
      const group = groupOf(labels);
      const buckets = groups.get(group) ?? [];
      buckets.push({ upperBound, count: value });
      groups.set(group, buckets);
    }
    return distinct(
      [...groups].map(([group, buckets]) => ({
        labels: nameless(group),
        value: histogramQuantile(quantile(atMs), buckets),
      })),
    );
  };
}
