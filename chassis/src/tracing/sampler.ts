// How many ordinary traces are kept: about so many a second, spread over all that come.
//
// S1. The share falls as the rate grows, so that a rush is seen as evenly as a quiet hour.
// S2. Never more than twice the wanted rate in any second, however suddenly a rush begins.

import type { Environment } from '../environment.ts';

export type Sampler = {
  /** Whether the trace that begins now is kept. */
  decide(): boolean;
};

const windowMs = 1_000;
/** How much a second says about the next one. */
const weight = 0.5;

/** @param perSecond traces to keep, on average over a window of a few seconds */
export function createSampler(
  perSecond: number,
  env: Pick<Environment, 'monotonicMs' | 'random'>,
): Sampler {
  let beganMs = env.monotonicMs();
  let seen = 0;
  let kept = 0;
  let expected = 0;

  const turn = (nowMs: number): void => {
    const windows = Math.floor((nowMs - beganMs) / windowMs);
    if (windows < 1) return;
    // Windows without any traces count as well, so that a pause makes the share grow again.
    expected = expected * (1 - weight) + seen * weight;
    expected *= (1 - weight) ** Math.min(windows - 1, 64);
    beganMs += windows * windowMs;
    seen = 0;
    kept = 0;
  };
  return {
    decide: () => {
      turn(env.monotonicMs());
      seen += 1;
      const share = perSecond / Math.max(perSecond, expected, seen);
      if (kept >= 2 * perSecond || env.random() >= share) return false;
      kept += 1;
      return true;
    },
  };
}
