// When a crowd arrives: instants in milliseconds after the start, in order, from a seed.

import { seededRandom } from '@rushlight/chassis';

export type Shape = 'uniform' | 'poisson' | 'rush';

export type ScheduleOptions = {
  arrivals: number;
  durationMs: number;
  /** `uniform`: evenly; `poisson`: at random; `rush`: ever more of them until a sixth is over, then ever fewer. */
  shape: Shape;
  seed: number;
};

const peak = 1 / 6;

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
      return inOrder(arrivals, () => triangular(random()) * durationMs);
  }
}

/** From an even chance to one that rises to the peak and falls after it. */
function triangular(chance: number): number {
  if (chance < peak) return Math.sqrt(chance * peak);
  return 1 - Math.sqrt((1 - chance) * (1 - peak));
}

function inOrder(count: number, draw: () => number): number[] {
  return Array.from({ length: count }, draw).sort((a, b) => a - b);
}
