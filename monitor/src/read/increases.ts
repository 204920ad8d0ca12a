// How much a counter grew, and when.
//
// I1. A counter that falls was started anew from zero (its process was), so what it shows then is
//     growth.
// I2. The first value counts only if the counter is known to have been zero within the range: its
//     instance was watched before the series appeared. Otherwise it is where we came in.
// I3. Growth seen before `fromMs` is not counted. Series should begin a little earlier, so that the
//     first growth within has something to grow from.
// I4. Nothing is extrapolated to the ends of the range, as PromQL's increase() does: counts stay
//     whole, and parts add up to the sum.

import type { Series } from '../model.ts';

export type Counting = {
  fromMs: number;
  /** When each instance was first seen, in milliseconds, by `instanceKey`. */
  watchedSinceMs: ReadonlyMap<string, number>;
};

function instanceKey(labels: Readonly<Record<string, string>>): string {
  return `${labels['service'] ?? ''}\u0000${labels['instance'] ?? ''}`;
}

/** When each instance of these series was first seen. Give it series that are always there. */
export function watchedSince(series: readonly Series[]): ReadonlyMap<string, number> {
  const since = new Map<string, number>();
  for (const { labels, atMs } of series) {
    const key = instanceKey(labels);
    const [first] = atMs;
    if (first !== undefined) since.set(key, Math.min(first, since.get(key) ?? first));
  }
  return since;
}

/** Calls `visit` with every piece of growth and the instant at which it was seen. */
export function eachIncrease(
  { labels, atMs, values }: Series,
  counting: Counting,
  visit: (atMs: number, by: number) => void,
): void {
  const { fromMs, watchedSinceMs } = counting;
  const watchedFromMs = watchedSinceMs.get(instanceKey(labels)) ?? Number.POSITIVE_INFINITY;
  let before: number | undefined;
  for (let i = 0; i < atMs.length; i++) {
    const [at, value] = [atMs[i] ?? 0, values[i] ?? Number.NaN];
    if (Number.isNaN(value)) continue;
    const startsAtZero = before === undefined && watchedFromMs < at;
    const from = startsAtZero ? 0 : before;
    if (from !== undefined) {
      const by = value >= from ? value - from : value;
      if (by > 0 && at >= fromMs) visit(at, by);
    }
    before = value;
  }
}

/** All growth of one series. */
export function increaseOf(series: Series, counting: Counting): number {
  let sum = 0;
  eachIncrease(series, counting, (_, by) => {
    sum += by;
  });
  return sum;
}

/** The growth of many series by one of their labels, most first; without the label it is ''. */
export function increaseBy(
  series: readonly Series[],
  label: string,
  counting: Counting,
): Map<string, number> {
  const sums = new Map<string, number>();
  for (const one of series) {
    const name = one.labels[label] ?? '';
    sums.set(name, (sums.get(name) ?? 0) + increaseOf(one, counting));
  }
  return new Map([...sums].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)));
}

export type Steps = { stepMs: number; count: number };

/** Growth per step from `fromMs` on; a piece belongs to the step in which it was seen. */
export function increasePerStep(
  series: readonly Series[],
  counting: Counting,
  { stepMs, count }: Steps,
): Float64Array {
  const sums = new Float64Array(count);
  for (const one of series) {
    eachIncrease(one, counting, (atMs, by) => {
      // A value seen on the border tells of the step before it.
      const step = Math.max(0, Math.ceil((atMs - counting.fromMs) / stepMs) - 1);
      if (step < count) sums[step] = (sums[step] ?? 0) + by;
    });
  }
  return sums;
}
