// rate, increase and irate: how fast a counter grows.

/** The samples of a series in a range, both ends included: indices `from` to `to` (exclusive). */
export type Window = {
  atMs: Float64Array;
  values: Float64Array;
  from: number;
  to: number;
  startMs: number;
  endMs: number;
};

const secondMs = 1_000;

/**
 * What the counter grew by in the range, extrapolated to its ends; undefined for fewer than two
 * samples. The formula of Prometheus 2.42 (promql/functions.go, extrapolatedRate): resets are added
 * back; an end further away than 1.1 mean distances is met half a distance on; nothing is
 * extrapolated below zero. Version 3 leaves the range's start out, and limits the distance before
 * it looks for zero: its values differ a little where a sample stands exactly on an end.
 */
export function increase(window: Window): number | undefined {
  return extrapolated(window, 1);
}

/** The increase a second; see {@link increase}. `rangeMs` is the range as it was asked for. */
export function rate(window: Window, rangeMs: number): number | undefined {
  return extrapolated(window, rangeMs / secondMs);
}

function extrapolated(window: Window, dividedBy: number): number | undefined {
  const { atMs, from, to, startMs, endMs } = window;
  if (to - from < 2) return undefined;
  const first = window.values[from] ?? Number.NaN;
  const grown = growth(window);
  const [firstMs, lastMs] = [atMs[from] ?? 0, atMs[to - 1] ?? 0];
  const sampledS = (lastMs - firstMs) / secondMs;
  const distanceS = sampledS / (to - from - 1);
  let toStartS = (firstMs - startMs) / secondMs;
  const toEndS = (endMs - lastMs) / secondMs;
  if (grown > 0 && first >= 0) toStartS = Math.min(toStartS, sampledS * (first / grown));
  let coveredS = sampledS;
  for (const gapS of [toStartS, toEndS]) {
    coveredS += gapS < distanceS * 1.1 ? gapS : distanceS / 2;
  }
  return grown * (coveredS / sampledS / dividedBy);
}

/** From the first sample to the last, with what was lost at resets. */
function growth({ values, from, to }: Window): number {
  let grown = (values[to - 1] ?? Number.NaN) - (values[from] ?? Number.NaN);
  for (let index = from + 1; index < to; index++) {
    const before = values[index - 1] ?? Number.NaN;
    if ((values[index] ?? Number.NaN) < before) grown += before;
  }
  return grown;
}

/** The growth a second between the last two samples; a fall is a reset. */
export function instantRate({ atMs, values, from, to }: Window): number | undefined {
  if (to - from < 2) return undefined;
  const [before, last] = [values[to - 2] ?? Number.NaN, values[to - 1] ?? Number.NaN];
  const distanceMs = (atMs[to - 1] ?? 0) - (atMs[to - 2] ?? 0);
  if (distanceMs === 0) return undefined;
  return (last < before ? last : last - before) / (distanceMs / secondMs);
}
