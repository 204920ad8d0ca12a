// The samples of a series, and finding among them.
//
// S1. Instants ascend. An instant at which the series ended (see model.ts) hides every sample before
//     it, and none from it on.

import type { LabelSet } from './label-sets.ts';
import type { Window } from './rate.ts';

/** How far back a selector looks for the last sample: Prometheus' own default. */
export const lookbackMs = 5 * 60_000;

export type LoadedSeries = {
  labels: LabelSet;
  atMs: Float64Array;
  values: Float64Array;
  endedAtMs?: Float64Array;
};

/** The value of the last sample, at most 5 minutes old (that included: version 3 excludes it). */
export function valueAt(series: LoadedSeries, atMs: number): number | undefined {
  const index = countUpTo(series.atMs, atMs) - 1;
  const sampledMs = series.atMs[index];
  if (sampledMs === undefined || sampledMs < atMs - lookbackMs) return undefined;
  if (series.endedAtMs !== undefined) {
    const endedMs = series.endedAtMs[countUpTo(series.endedAtMs, atMs) - 1];
    if (endedMs !== undefined && endedMs > sampledMs) return undefined;
  }
  return series.values[index];
}

/** Whether any of the series can have a sample between two instants, both included. */
export function samplesWithin(
  all: readonly LoadedSeries[],
): (fromMs: number, toMs: number) => boolean {
  let [firstMs, lastMs] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { atMs } of all) {
    firstMs = Math.min(firstMs, atMs.at(0) ?? firstMs);
    lastMs = Math.max(lastMs, atMs.at(-1) ?? lastMs);
  }
  return (fromMs, toMs) => toMs >= firstMs && fromMs <= lastMs;
}

/** The samples of a range that ends at an instant, both ends included (version 3: not the start). */
export function windowAt(series: LoadedSeries, endMs: number, rangeMs: number): Window {
  const startMs = endMs - rangeMs;
  return {
    atMs: series.atMs,
    values: series.values,
    from: countUpTo(series.atMs, startMs - 1),
    to: countUpTo(series.atMs, endMs),
    startMs,
    endMs,
  };
}

/** How many ascending whole instants are at or before one. */
function countUpTo(instants: Float64Array, atMs: number): number {
  let [low, high] = [0, instants.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((instants[middle] ?? 0) <= atMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
