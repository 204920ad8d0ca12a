// Functions of the samples in a range: one value of each series that has samples there.

import type { RangeFunction } from './ast.ts';
import { increase, instantRate, rate, type Window } from './rate.ts';
import { add, type CompensatedSum, quantile, settled, staysInfinite } from './statistics.ts';

/**
 * The value of a function, undefined where the window has too few samples for it. NaN counts as a
 * sample; Infinity is a number, as in Prometheus.
 *
 * @param parameter of quantile_over_time
 */
export function overRange(
  name: Exclude<RangeFunction, 'absent_over_time'>,
  window: Window,
  rangeMs: number,
  parameter: number,
): number | undefined {
  if (window.to === window.from) return undefined;
  switch (name) {
    case 'rate':
      return rate(window, rangeMs);
    case 'increase':
      return increase(window);
    case 'irate':
      return instantRate(window);
    case 'avg_over_time':
      return mean(window);
    case 'min_over_time':
      return extreme(window, (value, least) => value < least);
    case 'max_over_time':
      return extreme(window, (value, most) => value > most);
    case 'sum_over_time':
      return sum(window);
    case 'count_over_time':
      return window.to - window.from;
    case 'last_over_time':
      return window.values[window.to - 1];
    case 'present_over_time':
      return 1;
    case 'stddev_over_time':
      return Math.sqrt(variance(window));
    case 'stdvar_over_time':
      return variance(window);
    case 'quantile_over_time':
      return quantile(parameter, [...window.values.subarray(window.from, window.to)]);
  }
}

function mean({ values, from, to }: Window): number {
  const kept: CompensatedSum = { sum: 0, rest: 0 };
  let count = 0;
  for (let index = from; index < to; index++) {
    const value = values[index] ?? Number.NaN;
    count++;
    if (staysInfinite(kept.sum, value)) continue;
    add(kept, value / count - kept.sum / count);
  }
  return settled(kept);
}

function sum({ values, from, to }: Window): number {
  const kept: CompensatedSum = { sum: 0, rest: 0 };
  for (let index = from; index < to; index++) add(kept, values[index] ?? Number.NaN);
  return settled(kept);
}

/** NaN gives way to any number. */
function extreme(
  { values, from, to }: Window,
  beats: (value: number, best: number) => boolean,
): number {
  let best = values[from] ?? Number.NaN;
  for (let index = from + 1; index < to; index++) {
    const value = values[index] ?? Number.NaN;
    if (Number.isNaN(best) || beats(value, best)) best = value;
  }
  return best;
}

/** Of the whole population, by Welford's method with compensated sums. */
function variance({ values, from, to }: Window): number {
  const middle: CompensatedSum = { sum: 0, rest: 0 };
  const squares: CompensatedSum = { sum: 0, rest: 0 };
  let count = 0;
  for (let index = from; index < to; index++) {
    const value = values[index] ?? Number.NaN;
    count++;
    const delta = value - (middle.sum + middle.rest);
    add(middle, delta / count);
    add(squares, delta * (value - (middle.sum + middle.rest)));
  }
  return (squares.sum + squares.rest) / count;
}
