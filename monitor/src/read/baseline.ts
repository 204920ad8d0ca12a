// What is normal for a series: its median and its spread, robust against the odd wild value.
//
// B1. Until there are two days of history the baseline is one level for all times of day. From then
//     on it is what the series did at this time of day (30 minutes to either side) on the days
//     before, so that the evening's rush is normal in the evening.
// B2. The spread is never less than what chance alone does to a count, nor than a small share of
//     the level: a series that never moved would make the least movement a wonder.

import { medianOf, spreadOf } from './numbers.ts';

/** Values at even steps, oldest first; NaN where nothing was measured. */
export type Points = { startMs: number; stepMs: number; values: Float64Array };

export type Baseline = {
  median: number;
  spread: number;
  /** Values that it is made of. */
  count: number;
  daily: boolean;
};

export type BaselineLimits = {
  /** Fewer values make no baseline. */
  countMin: number;
  /** The least spread, as a share of the median. */
  spreadShareMin: number;
  /** The least spread, in the unit of the series. */
  spreadMin: number;
  /** Of a rate of events: seconds per step, for the spread that chance alone gives (Poisson). */
  eventsStepS?: number;
};

const dayMs = 86_400_000;
const besideMs = 30 * 60_000;

/**
 * What the points before `atMs` say is normal at `atMs`.
 *
 * @returns undefined when there are too few
 */
export function baselineAt(
  points: Points,
  atMs: number,
  limits: BaselineLimits,
): Baseline | undefined {
  const daily = valuesOfTimeOfDay(points, atMs);
  const isDaily = daily.length >= limits.countMin;
  const values = isDaily ? daily : valuesBefore(points, atMs);
  if (values.length < limits.countMin) return undefined;
  const median = medianOf(values);
  const spread = Math.max(spreadOf(values, median), leastSpread(median, limits));
  return { median, spread, count: values.length, daily: isDaily };
}

function leastSpread(median: number, limits: BaselineLimits): number {
  const { spreadMin, spreadShareMin, eventsStepS } = limits;
  // The variance of a Poisson count is its mean; a lone event is never a wonder.
  const byChance =
    eventsStepS === undefined ? 0 : Math.sqrt(Math.max(1, median * eventsStepS)) / eventsStepS;
  return Math.max(spreadMin, Math.abs(median) * spreadShareMin, byChance);
}

function valuesBefore({ startMs, stepMs, values }: Points, atMs: number): Float64Array {
  const end = Math.max(0, Math.floor((atMs - startMs) / stepMs));
  return values.subarray(0, end).filter((value) => !Number.isNaN(value));
}

function valuesOfTimeOfDay({ startMs, stepMs, values }: Points, atMs: number): number[] {
  if (atMs - startMs < 2 * dayMs - besideMs) return [];
  const found: number[] = [];
  for (let middleMs = atMs - dayMs; middleMs > startMs - besideMs; middleMs -= dayMs) {
    const first = Math.max(0, Math.ceil((middleMs - besideMs - startMs) / stepMs));
    const last = Math.min(values.length - 1, Math.floor((middleMs + besideMs - startMs) / stepMs));
    for (let i = first; i <= last; i++) {
      const value = values[i] ?? Number.NaN;
      if (!Number.isNaN(value)) found.push(value);
    }
  }
  return found;
}
