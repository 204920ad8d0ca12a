// When a crowd arrives: instants in milliseconds after the start, in order, from a seed.

import { seededRandom } from './random.ts';

export type Shape = 'uniform' | 'poisson' | 'rush';

export type ScheduleOptions = {
  arrivals: number;
  durationMs: number;
  /** `uniform`: evenly; `poisson`: at random; `rush`: at random, half of them at once (in the first sixth). */
  shape: Shape;
  seed: number;
};

const rushShare = 0.5;
const rushPart = 1 / 6;

/** The same options give the same instants, each in [0, durationMs). */
export function arrivalSchedule({ arrivals, durationMs, shape, seed }: ScheduleOptions): number[] {
  const random = seededRandom(seed);
  switch (shape) {
    case 'uniform':
      return Array.from({ length: arrivals }, (_, index) => (index * durationMs) / arrivals);
    case 'poisson':
      // So many arrivals of a Poisson process in a span are so many independent uniform instants.
      return inOrder(arrivals, () => random() * durationMs);
    case 'rush':
      return inOrder(arrivals, () => {
        const isRush = random() < rushShare;
        return random() * durationMs * (isRush ? rushPart : 1);
      });
  }
}

function inOrder(count: number, draw: () => number): number[] {
  return Array.from({ length: count }, draw).sort((a, b) => a - b);
}
