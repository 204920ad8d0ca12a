// Operators between numbers, between a vector and a number, and between two vectors.
//
// O1. Arithmetic and `bool` drop the name of the metric: the result is another thing. A comparison
//     that only chooses keeps it.
// O2. A match that is not unique is an error, never a guess.

import type { ArithmeticOperator, ComparisonOperator, Matching, SetOperator } from './ast.ts';
import { QueryError } from './errors.ts';
import {
  drop,
  keep,
  type LabelSet,
  type LabelTable,
  labelValue,
  metricName,
  printLabels,
} from './label-sets.ts';
import { distinct, type Vector, type VectorSample } from './vector.ts';

export type Operation =
  | { kind: 'arithmetic'; operator: ArithmeticOperator }
  | { kind: 'comparison'; operator: ComparisonOperator; bool: boolean };

export function calculate(operator: ArithmeticOperator, left: number, right: number): number {
  switch (operator) {
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return left / right;
    case '%':
      return left % right;
    case '^':
      return power(left, right);
  }
}

/** IEEE 754's pow, as Go has it: 1 to any power, and -1 to an infinite one, are 1. */
function power(base: number, exponent: number): number {
  if (base === 1) return 1;
  if (base === -1 && Math.abs(exponent) === Number.POSITIVE_INFINITY) return 1;
  return base ** exponent;
}

export function compare(operator: ComparisonOperator, left: number, right: number): boolean {
  switch (operator) {
    case '==':
      return left === right;
    case '!=':
      return left !== right;
    case '>':
      return left > right;
    case '<':
      return left < right;
    case '>=':
      return left >= right;
    case '<=':
      return left <= right;
  }
}

/** The value of a pair, undefined where a comparison does not choose it. */
function combine(operation: Operation, left: number, right: number): number | undefined {
  if (operation.kind === 'arithmetic') return calculate(operation.operator, left, right);
  const holds = compare(operation.operator, left, right);
  if (operation.bool) return holds ? 1 : 0;
  return holds ? left : undefined;
}

function losesName(operation: Operation): boolean {
  return operation.kind === 'arithmetic' || operation.bool;
}

/** @param numberOn the side on which the number stands */
export function withNumber(
  operation: Operation,
  numberOn: 'left' | 'right',
  table: LabelTable,
): (vector: Vector, number: number) => Vector {
  const nameless = table.without([metricName]);
  const chooses = operation.kind === 'comparison' && !operation.bool;
  return (vector, number) => {
    const samples: VectorSample[] = [];
    for (const { labels, value } of vector) {
      const result =
        numberOn === 'right'
          ? combine(operation, value, number)
          : combine(operation, number, value);
      if (result === undefined) continue;
      samples.push({
        labels: losesName(operation) ? nameless(labels) : labels,
        // A comparison chooses from the vector, also where the number stands first.
        value: chooses ? value : result,
      });
    }
    return distinct(samples);
  };
}

/** The labels by which samples of the two sides belong together. */
function signature(matching: Matching, table: LabelTable): (labels: LabelSet) => LabelSet {
  return matching.by === 'on'
    ? table.keeping(matching.labels)
    : table.without([metricName, ...matching.labels]);
}

/**
 * One-to-one, or many-to-one with group_left or group_right.
 *
 * The function that it gives throws a QueryError where a match is not unique.
 */
export function betweenVectors(
  operation: Operation,
  matching: Matching,
  table: LabelTable,
): (left: Vector, right: Vector) => Vector {
  const signatureOf = signature(matching, table);
  const labelsOf = resultLabels(operation, matching, table);
  const swapped = matching.cardinality === 'one-to-many';
  return (left, right) => {
    if (left.length === 0 || right.length === 0) return [];
    const [many, one] = swapped ? [right, left] : [left, right];
    const partners = uniqueBySignature(one, signatureOf, swapped ? 'left' : 'right');
    const taken = new Map<LabelSet, Set<LabelSet>>();
    const samples: VectorSample[] = [];
    for (const sample of many) {
      const shared = signatureOf(sample.labels);
      const partner = partners.get(shared);
      if (partner === undefined) continue;
      const value = swapped
        ? combine(operation, partner.value, sample.value)
        : combine(operation, sample.value, partner.value);
      if (value === undefined) continue;
      const labels = labelsOf(sample.labels, partner.labels);
      claim(taken, shared, labels, matching);
      samples.push({ labels, value });
    }
    return distinct(samples);
  };
}

function uniqueBySignature(
  one: Vector,
  signatureOf: (labels: LabelSet) => LabelSet,
  side: 'left' | 'right',
): Map<LabelSet, VectorSample> {
  const found = new Map<LabelSet, VectorSample>();
  for (const sample of one) {
    const shared = signatureOf(sample.labels);
    const other = found.get(shared);
    if (other !== undefined) {
      throw new QueryError(
        'execution',
        `found duplicate series for the match group ${printLabels(shared.labels)} on the ${side} ` +
          `hand-side of the operation: [${printLabels(sample.labels.labels)}, ` +
          `${printLabels(other.labels.labels)}]; many-to-many matching not allowed: ` +
          'matching labels must be unique on one side',
      );
    }
    found.set(shared, sample);
  }
  return found;
}

function claim(
  taken: Map<LabelSet, Set<LabelSet>>,
  shared: LabelSet,
  labels: LabelSet,
  matching: Matching,
): void {
  const before = taken.get(shared);
  if (before === undefined) {
    taken.set(shared, new Set([labels]));
    return;
  }
  if (matching.cardinality === 'one-to-one') {
    throw new QueryError(
      'execution',
      'multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)',
    );
  }
  if (before.has(labels)) {
    throw new QueryError(
      'execution',
      'multiple matches for labels: grouping labels must ensure unique matches',
    );
  }
  before.add(labels);
}

function resultLabels(
  operation: Operation,
  { by, labels: matched, cardinality, include }: Matching,
  table: LabelTable,
): (many: LabelSet, one: LabelSet) => LabelSet {
  const fromMany = table.derive((labels) => {
    const named = operation.kind === 'arithmetic' ? drop(labels, [metricName]) : labels;
    if (cardinality !== 'one-to-one') return named;
    return by === 'on' ? keep(named, matched) : drop(named, matched);
  });
  const nameless = table.without([metricName]);
  const lastly = (labels: LabelSet): LabelSet => (losesName(operation) ? nameless(labels) : labels);
  if (include.length === 0) return (many) => lastly(fromMany(many));
  const known = new Map<LabelSet, Map<LabelSet, LabelSet>>();
  return (many, one) => {
    const ofMany = known.get(many) ?? new Map<LabelSet, LabelSet>();
    known.set(many, ofMany);
    const before = ofMany.get(one);
    if (before !== undefined) return before;
    const included = Object.fromEntries(
      include.map((name) => [name, labelValue(one.labels, name)]),
    );
    const labels = lastly(table.of({ ...fromMany(many).labels, ...included }));
    ofMany.set(one, labels);
    return labels;
  };
}

/** `and`, `or` and `unless`: many-to-many, the values of the left side where both have one. */
export function betweenSets(
  operator: SetOperator,
  matching: Matching,
  table: LabelTable,
): (left: Vector, right: Vector) => Vector {
  const signatureOf = signature(matching, table);
  const signatures = (vector: Vector): Set<LabelSet> =>
    new Set(vector.map(({ labels }) => signatureOf(labels)));
  return (left, right) => {
    switch (operator) {
      case 'and': {
        const there = signatures(right);
        return left.filter(({ labels }) => there.has(signatureOf(labels)));
      }
      case 'unless': {
        const there = signatures(right);
        return left.filter(({ labels }) => !there.has(signatureOf(labels)));
      }
      case 'or': {
        const there = signatures(left);
        return [...left, ...right.filter(({ labels }) => !there.has(signatureOf(labels)))];
      }
    }
  };
}
