// Aggregations: one value of each group of samples, or the first k of them.

import type { Aggregation } from './ast.ts';
import { QueryError } from './errors.ts';
import type { LabelSet } from './label-sets.ts';
import { ascending, quantile, staysInfinite } from './statistics.ts';
import type { Vector, VectorSample } from './vector.ts';

/**
 * @param groupOf the labels of the group that a sample belongs to
 * @param parameter of topk, bottomk and quantile
 * @throws QueryError when k is no whole number that can be counted to
 */
export function aggregate(
  operation: Aggregation,
  vector: Vector,
  groupOf: (labels: LabelSet) => LabelSet,
  parameter: number,
): Vector {
  if (operation === 'topk' || operation === 'bottomk') {
    // Number.isFinite alone would let 1e300 through, which Prometheus refuses.
    if (!(Math.abs(parameter) < 2 ** 63)) {
      throw new QueryError('execution', `Scalar value ${parameter} overflows int64`);
    }
    if (parameter < 1) return [];
  }
  const groups = new Map<LabelSet, VectorSample[]>();
  for (const sample of vector) {
    const labels = groupOf(sample.labels);
    const group = groups.get(labels);
    if (group === undefined) groups.set(labels, [sample]);
    else group.push(sample);
  }
  return [...groups].flatMap(([labels, samples]) => {
    if (operation === 'topk' || operation === 'bottomk') {
      return ranked(samples, operation).slice(0, Math.floor(parameter));
    }
    return [{ labels, value: reduce(operation, samples, parameter) }];
  });
}

function ranked(samples: VectorSample[], operation: 'topk' | 'bottomk'): VectorSample[] {
  const direction = operation === 'topk' ? -1 : 1;
  return samples.sort((a, b) => {
    // NaN is neither large nor small: last in both.
    if (Number.isNaN(a.value) || Number.isNaN(b.value)) return -ascending(a.value, b.value);
    return direction * ascending(a.value, b.value);
  });
}

function reduce(
  operation: Exclude<Aggregation, 'topk' | 'bottomk'>,
  samples: readonly VectorSample[],
  parameter: number,
): number {
  switch (operation) {
    case 'sum':
      return samples.reduce((sum, { value }) => sum + value, 0);
    case 'avg':
      return mean(samples);
    case 'min':
      return extreme(samples, (value, best) => value < best);
    case 'max':
      return extreme(samples, (value, best) => value > best);
    case 'count':
      return samples.length;
    case 'group':
      return 1;
    case 'quantile': {
      const values = samples.map(({ value }) => value);
      return quantile(parameter, values);
    }
  }
}

/** Running, so that large values do not overflow on the way. */
function mean(samples: readonly VectorSample[]): number {
  let average = 0;
  let count = 0;
  for (const { value } of samples) {
    count++;
    if (!staysInfinite(average, value)) average += value / count - average / count;
  }
  return average;
}

/** NaN gives way to any number. */
function extreme(
  samples: readonly VectorSample[],
  beats: (value: number, best: number) => boolean,
): number {
  let best = Number.NaN;
  for (const { value } of samples) {
    if (Number.isNaN(best) || beats(value, best)) best = value;
  }
  return best;
}
