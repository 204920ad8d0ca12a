// What evaluations of both languages share: steps, points, limits, and giving way to others.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Labels, LimitError, type Range, type Series } from '../model.ts';
import { compareLabels, type LabelSet } from './label-sets.ts';
import type { ReadLimits } from './load.ts';

export type InstantSample = { labels: Labels; value: number };

/** From, to and between, in ms; `stepMs` is at least 1. */
export type Steps = Range & { stepMs: number };

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

/** @throws LimitError */
export function checkSteps({ fromMs, toMs, stepMs }: Steps, stepsMax: number): void {
  if ((toMs - fromMs) / stepMs <= stepsMax) return;
  throw new LimitError(
    `exceeded maximum resolution of ${stepsMax} points per timeseries; ` +
      `take a step of at least ${Math.ceil((toMs - fromMs) / stepsMax)} ms, or less time`,
  );
}

/** Looks at samples after which others get their turn: some ten milliseconds. */
const samplesPerTurn = 500_000;
/** A step costs something even where it finds nothing. */
const samplesPerStep = 1_000;

/** Lets a long calculation give way to others, and hear its signal, between two steps. */
export class Turns {
  #spent = 0;

  spend(samples: number): void {
    this.#spent += samples;
  }

  /** @throws the signal's reason */
  async giveWay(signal: AbortSignal | undefined): Promise<void> {
    this.#spent += samplesPerStep;
    if (this.#spent < samplesPerTurn) return;
    this.#spent = 0;
    await nextTurn();
    signal?.throwIfAborted();
  }
}

/** The points of an answer, gathered step by step. */
export class Points {
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
