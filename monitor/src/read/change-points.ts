// Where the level of a series changed for good.
//
// Of all ways to cut the series in two, the one is taken whose sides differ most by the Mann-Whitney
// statistic, standardised for the length of the sides (Hawkins and Deng, "A nonparametric
// change-point control chart", Journal of Quality Technology 42, 2010). It looks at ranks only, so
// single wild values do not matter. Its p is that of the normal distribution times the number of
// cuts that were tried (Bonferroni). The cut is then moved to where the two medians fit best, by
// the sum of absolute distances. Further changes are looked for on both sides (binary segmentation).
//
// C1. A change is told only if chance is an unlikely reason (p) and if it is large against the noise:
//     in a long series every little drift is significant.
// C2. The noise is that of the differences of neighbours, which changes of level do not inflate.
// C3. Missing values (NaN) are left out; they are no change.

import { medianOf, spreadOf } from './numbers.ts';

export type ChangePoint = {
  /** The first value of the new level. */
  index: number;
  before: number;
  after: number;
  /** The noise of single values (C2). */
  spread: number;
  p: number;
};

export type ChangeLimits = {
  pMax: number;
  /** Values that each side must have. */
  sideMin: number;
  /** The least change, in spreads. */
  spreadsMin: number;
  /** The least spread there is, in the unit of the series. */
  spreadMin: number;
  changesMax: number;
};

export const changeDefaults: ChangeLimits = {
  pMax: 1e-3,
  sideMin: 5,
  spreadsMin: 3,
  spreadMin: 0,
  changesMax: 5,
};

/** The changes of level in these values, in their order. */
export function changePointsOf(
  values: ArrayLike<number>,
  limits: Partial<ChangeLimits> = {},
): ChangePoint[] {
  const all = { ...changeDefaults, ...limits };
  const kept: { value: number; index: number }[] = [];
  for (let index = 0; index < values.length; index++) {
    const value = values[index] ?? Number.NaN;
    if (!Number.isNaN(value)) kept.push({ value, index });
  }
  const found: ChangePoint[] = [];
  const waiting: [number, number][] = [[0, kept.length]];
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
    const [from, to] = part;
    const cut = bestCut(
      kept.slice(from, to).map(({ value }) => value),
      all,
    );
    if (cut === undefined || found.length >= all.changesMax) continue;
    found.push({ ...cut, index: kept[from + cut.index]?.index ?? 0 });
    waiting.push([from, from + cut.index], [from + cut.index, to]);
  }
  return found.sort((a, b) => a.index - b.index);
}

function bestCut(values: readonly number[], limits: ChangeLimits): ChangePoint | undefined {
  const { sideMin, pMax, spreadsMin, spreadMin } = limits;
  const n = values.length;
  if (n < 2 * sideMin) return undefined;
  const ranks = ranksOf(values);
  let [rankSum, zMax, cut] = [0, 0, 0];
  for (let i = 1; i <= n - sideMin; i++) {
    rankSum += ranks[i - 1] ?? 0;
    if (i < sideMin) continue;
    const u = Math.abs(2 * rankSum - i * (n + 1));
    const z = u / Math.sqrt((i * (n - i) * (n + 1)) / 3);
    if (z > zMax) [zMax, cut] = [z, i];
  }
  const p = Math.min(1, (n - 2 * sideMin + 1) * 2 * normalTail(zMax));
  if (p > pMax) return undefined;
  const index = fitted(values, cut, sideMin);
  const [before, after] = [medianOf(values.slice(0, index)), medianOf(values.slice(index))];
  const spread = Math.max(noiseOf(values), spreadMin);
  const isLarge = before !== after && Math.abs(after - before) >= spreadsMin * spread;
  return isLarge ? { index, before, after, spread, p } : undefined;
}

/** The cut at which the medians of both sides are closest to the values. */
function fitted(values: readonly number[], cut: number, sideMin: number): number {
  const [before, after] = [medianOf(values.slice(0, cut)), medianOf(values.slice(cut))];
  let [cost, leastCost, best] = [0, Number.POSITIVE_INFINITY, cut];
  values.forEach((value, at) => {
    if (at >= sideMin && at <= values.length - sideMin && cost < leastCost) {
      [leastCost, best] = [cost, at];
    }
    cost += Math.abs(value - before) - Math.abs(value - after);
  });
  return best;
}

/** The difference of two neighbours is √2 times as wide as either (C2). */
function noiseOf(values: readonly number[]): number {
  const differences = values.slice(1).map((value, at) => value - (values[at] ?? value));
  return spreadOf(differences, 0) / Math.SQRT2;
}

/** P(Z > z) of the standard normal distribution, to 10⁻⁷ (Abramowitz and Stegun, 26.2.17). */
function normalTail(z: number): number {
  const t = 1 / (1 + 0.2316419 * z);
  const series =
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * series;
}

/** From 1; equal values share the middle of their ranks. */
function ranksOf(values: readonly number[]): Float64Array {
  const order = values.map((_, at) => at).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
  const ranks = new Float64Array(values.length);
  for (let first = 0; first < order.length; ) {
    let end = first + 1;
    while (end < order.length && values[order[end] ?? 0] === values[order[first] ?? 0]) end += 1;
    for (let i = first; i < end; i++) ranks[order[i] ?? 0] = (first + 1 + end) / 2;
    first = end;
  }
  return ranks;
}
