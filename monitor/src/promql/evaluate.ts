// Answers to PromQL over a SeriesSource, as Prometheus gives them.

import type { Labels, SeriesSource } from '../model.ts';
import { QueryError } from './errors.ts';

export type InstantSample = { labels: Labels; value: number };

export type EvaluationOptions = {
  /** Ends a long evaluation between two steps, and the source's reading. */
  signal?: AbortSignal;
};

/**
 * What an expression is at one instant. A scalar answers as one sample without labels.
 *
 * @throws QueryError when the expression cannot be read, is not supported, or fails on its data
 * @throws LimitError when it would have to read more than one question may
 */
export async function evaluateInstant(
  expression: string,
  _atMs: number,
  _source: SeriesSource,
  _options: EvaluationOptions = {},
): Promise<InstantSample[]> {
  throw new QueryError('unsupported', `${expression}: nothing is evaluated yet`);
}
