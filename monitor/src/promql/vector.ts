// The values of an evaluation: what a series is at one instant.

import { QueryError } from './errors.ts';
import { type LabelSet, printLabels } from './label-sets.ts';

export type VectorSample = { labels: LabelSet; value: number };
export type Vector = readonly VectorSample[];

/** A compiled expression. Asked for ascending instants. */
export type VectorAt = (atMs: number) => Vector;
export type ScalarAt = (atMs: number) => number;

/**
 * The vector itself, when each label set stands in it once.
 *
 * @throws QueryError as Prometheus refuses a vector that names a series twice
 */
export function distinct(vector: Vector): Vector {
  if (vector.length < 2) return vector;
  const seen = new Set<LabelSet>();
  for (const { labels } of vector) {
    if (seen.has(labels)) throw sameLabels(labels);
    seen.add(labels);
  }
  return vector;
}

export function sameLabels({ labels }: LabelSet): QueryError {
  return new QueryError(
    'execution',
    `vector cannot contain metrics with the same labelset: ${printLabels(labels)} stands twice; ` +
      'aggregate, or select by name',
  );
}
