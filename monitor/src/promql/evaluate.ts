// Answers to PromQL over a SeriesSource, as Prometheus 2.42 gives them.
//
// V1. Everything is read before the first step; the steps themselves only calculate.
// V2. A range query is the instant query at each of its steps.
// V3. Nothing runs without a limit: steps, series, samples read and points answered are counted, and
//     between two steps a long evaluation gives way to others and hears its signal.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Labels, LimitError, type Range, type Series, type SeriesSource } from '../model.ts';
import { type Expression, typeOf } from './ast.ts';
import { compileScalar, compileVector, type Inputs } from './compile.ts';
import { QueryError } from './errors.ts';
import { compareLabels, type LabelSet, LabelTable } from './label-sets.ts';
import { load, type ReadLimits } from './load.ts';
import { windowAt } from './loaded-series.ts';
import { parsePromql } from './parse.ts';

export type InstantSample = { labels: Labels; value: number };

export type EvaluationLimits = ReadLimits & {
  /** Steps of a range query. */
  stepsMax: number;
  /** Points that a range query answers. */
  pointsMax: number;
};

export const evaluationLimits: EvaluationLimits = {
  samplesMax: 5_000_000,
  seriesMax: 50_000,
  stepsMax: 11_000,
  pointsMax: 2_000_000,
};

export type EvaluationOptions = {
  /** Ends a long evaluation between two steps, and the source's reading. */
  signal?: AbortSignal;
  limits?: Partial<EvaluationLimits>;
};

/** From, to and between, in ms; `stepMs` is at least 1. */
export type Steps = Range & { stepMs: number };

export type InstantAnswer =
  | { type: 'scalar'; value: number }
  | { type: 'vector'; samples: InstantSample[] }
  | { type: 'matrix'; series: Series[] };

/** Looks at samples after which others get their turn: some ten milliseconds. */
const samplesPerTurn = 500_000;

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
  const { fromMs, toMs, stepMs } = steps;
  if ((toMs - fromMs) / stepMs > stepsMax) {
    throw new LimitError(
      `exceeded maximum resolution of ${stepsMax} points per timeseries; ` +
        `take a step of at least ${Math.ceil((toMs - fromMs) / stepsMax)} ms, or less time`,
    );
  }
  const tree = parsePromql(expression);
  if (typeOf(tree) === 'range') {
    throw new QueryError('syntax', 'a range query takes a vector or a number; this is a range', 0);
  }
  const evaluation = await prepare(tree, steps, source, options);
  const vectorAt = compileVector(tree, evaluation);
  const points = new Points(pointsMax);
  for (let atMs = fromMs; atMs <= toMs; atMs += stepMs) {
    for (const { labels, value } of vectorAt(atMs)) points.add(labels, atMs, value);
    await evaluation.giveWay();
  }
  return points.series();
}

class Evaluation implements Inputs {
  readonly table: LabelTable;
  readonly seriesOf: Inputs['seriesOf'];
  readonly #signal: AbortSignal | undefined;
  #spent = 0;

  constructor(table: LabelTable, seriesOf: Inputs['seriesOf'], signal: AbortSignal | undefined) {
    this.table = table;
    this.seriesOf = seriesOf;
    this.#signal = signal;
  }

  spend(samples: number): void {
    this.#spent += samples;
  }

  async giveWay(): Promise<void> {
    this.#spent += 1_000; // A step costs something even where it finds nothing.
    if (this.#spent < samplesPerTurn) return;
    this.#spent = 0;
    await nextTurn();
    this.#signal?.throwIfAborted();
  }
}

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
  return new Evaluation(table, seriesOf, signal);
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

/** The points of an answer, gathered step by step. */
class Points {
  readonly #bySet = new Map<LabelSet, { atMs: number[]; values: number[] }>();
  readonly #max: number;
  #count = 0;

  constructor(max: number) {
    this.#max = max;
  }

  add(labels: LabelSet, atMs: number, value: number): void {
    if (++this.#count > this.#max) {
      throw new LimitError(
        `the answer has more than ${this.#max} points; take a longer step, or aggregate`,
      );
    }
    const known = this.#bySet.get(labels);
    if (known === undefined) {
      this.#bySet.set(labels, { atMs: [atMs], values: [value] });
    } else {
      known.atMs.push(atMs);
      known.values.push(value);
    }
  }

  series(): Series[] {
    return [...this.#bySet]
      .map(([{ labels }, { atMs, values }]) => ({
        labels,
        atMs: Float64Array.from(atMs),
        values: Float64Array.from(values),
      }))
      .sort((a, b) => compareLabels(a.labels, b.labels));
  }
}
