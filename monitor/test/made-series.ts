// Series as tests need them, and healthy telemetry from a seed.

import type { Labels, Series } from '../src/model.ts';

/** Values at these instants. */
export function series(labels: Labels, points: readonly (readonly [number, number])[]): Series {
  return {
    labels,
    atMs: Float64Array.from(points, ([atMs]) => atMs),
    values: Float64Array.from(points, ([, value]) => value),
  };
}

/** Box and Muller's transform. */
export function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** How many events come where this many are expected: Knuth's way, and the normal one from 50 on. */
export function poisson(random: () => number, expected: number): number {
  if (expected > 50) {
    return Math.max(0, Math.round(expected + Math.sqrt(expected) * normal(random)));
  }
  const limit = Math.exp(-expected);
  let [count, product] = [0, random()];
  while (product > limit) {
    count += 1;
    product *= random();
  }
  return count;
}
