// Answers to PromQL over a SeriesSource, as Prometheus 2.42 gives them.
//
// V1. Everything is read before the first step; the steps themselves only calculate.
// V2. A range query is the instant query at each of its steps.
// V3. Nothing runs without a limit: steps, series, samples read and points answered are counted, and
//     between two steps a long evaluation gives way to others and hears its signal.

import type { Range, Series, SeriesSource } from '../model.ts';
import { type Expression, typeOf } from './ast.ts';
import { compileScalar, compileVector, type Inputs } from './compile.ts';
import { QueryError } from './errors.ts';
import {
  checkSteps,
  type EvaluationLimits,
  evaluationLimits,
  type InstantSample,
  Points,
  type Steps,
  Turns,
} from './evaluation.ts';
import { LabelTable } from './label-sets.ts';
import { load } from './load.ts';
import { windowAt } from './loaded-series.ts';
import { parsePromql } from './parse.ts';

export type { InstantSample } from './evaluation.ts';

export type EvaluationOptions = {
  /** Ends a long evaluation between two steps, and the source's reading. */
  signal?: AbortSignal;
  limits?: Partial<EvaluationLimits>;
};

export type InstantAnswer =
  | { type: 'scalar'; value: number }
  | { type: 'vector'; samples: InstantSample[] }
  | { type: 'matrix'; series: Series[] };

/**
 * What an expression is at one instant. A scalar answers as one sample without labels.
 *
 * @throws QueryError when the expression cannot be read, is not supported, or fails on its data
 * @throws LimitError when it would have to read more than one question may
 */
export async function evaluateInstant(
  expression: string,
  atMs: number,
  source: SeriesSource,
  options: EvaluationOptions = {},
): Promise<InstantSample[]> {
  const answer = await answerInstant(expression, atMs, source, options);
  switch (answer.type) {
    case 'scalar':
      return [{ labels: {}, value: answer.value }];
    case 'vector':
      return answer.samples;
    case 'matrix':
      throw new QueryError('syntax', 'a range by itself has no single value; aggregate it', 0);
  }
}

/** Like {@link evaluateInstant}, with what kind of answer it is: a range answers all its samples. */
export async function answerInstant(
  expression: string,
  atMs: number,
  source: SeriesSource,
  options: EvaluationOptions = {},
): Promise<InstantAnswer> {
  const tree = parsePromql(expression);
  const evaluation = await prepare(tree, { fromMs: atMs, toMs: atMs }, source, options);
  switch (typeOf(tree)) {
    case 'scalar':
      return { type: 'scalar', value: compileScalar(tree, evaluation)(atMs) };
    case 'vector': {
      const vector = compileVector(tree, evaluation)(atMs);
      const samples = vector.map(({ labels, value }) => ({ labels: labels.labels, value }));
      return { type: 'vector', samples };
    }
    case 'range':
      return { type: 'matrix', series: rawRange(tree, atMs, evaluation) };
  }
}

/**
 * What an expression is at each step from `fromMs` to `toMs`: series by their labels, with a point
 * wherever there is a value.
 *
 * @throws QueryError and LimitError as {@link evaluateInstant}; LimitError also for too many steps
 */
export async function evaluateRange(
  expression: string,
  steps: Steps,
  source: SeriesSource,
  options: EvaluationOptions = {},
): Promise<Series[]> {
  const { stepsMax, pointsMax } = { ...evaluationLimits, ...options.limits };
  checkSteps(steps, stepsMax);
  const tree = parsePromql(expression);
  if (typeOf(tree) === 'range') {
    throw new QueryError('syntax', 'a range query takes a vector or a number; this is a range', 0);
  }
  const evaluation = await prepare(tree, steps, source, options);
  const vectorAt = compileVector(tree, evaluation);
  const points = new Points(pointsMax);
  for (let atMs = steps.fromMs; atMs <= steps.toMs; atMs += steps.stepMs) {
    for (const { labels, value } of vectorAt(atMs)) points.add(labels, atMs, value);
    await evaluation.turns.giveWay(options.signal);
  }
  return points.series();
}

type Evaluation = Inputs & { turns: Turns };

async function prepare(
  tree: Expression,
  range: Range,
  source: SeriesSource,
  { signal, limits }: EvaluationOptions,
): Promise<Evaluation> {
  signal?.throwIfAborted();
  const table = new LabelTable();
  const allowed = { ...evaluationLimits, ...limits };
  const seriesOf = await load(tree, range, source, table, allowed, signal);
  signal?.throwIfAborted();
  const turns = new Turns();
  return { table, seriesOf, turns, spend: (samples) => turns.spend(samples) };
}

function rawRange(tree: Expression, atMs: number, inputs: Inputs): Series[] {
  if (tree.kind !== 'range') throw new Error(`${tree.kind} is no range`);
  const { selector, rangeMs } = tree;
  return inputs.seriesOf(selector).flatMap((one) => {
    const { from, to } = windowAt(one, atMs - selector.offsetMs, rangeMs);
    if (from === to) return [];
    const { labels } = one.labels;
    return [{ labels, atMs: one.atMs.slice(from, to), values: one.values.slice(from, to) }];
  });
}
