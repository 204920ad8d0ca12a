// The certificate of a run, as it is published: what was asked, how it was answered, what was found.

import type { BadCounts, Counts, NotChecked, Verdict, Violation } from './verdict.ts';

/** The counts that must be 0, in the order in which they are told. */
export const badCounts = [
  'lost',
  'unsettled',
  'duplicated',
  'oversold',
  'chargedTwice',
  'chargedUnsold',
  'refusedNeedlessly',
  'unexpected',
] as const satisfies readonly (keyof BadCounts)[];

export type Percentiles = { p50: number; p95: number; p99: number; max: number };

/** What only the one who made the run knows. */
export type Run = {
  seed: number;
  meals: number;
  arrivals: number;
  seconds: number;
  latencyMs: { accepted: Percentiles; soldOut: Percentiles };
  faults: readonly unknown[];
  settledPerSecond: number;
  /** ISO 8601, UTC. */
  startedAt: string;
  endedAt: string;
};

export type Certificate = { ok: boolean } & Run &
  Counts & { notChecked: NotChecked[]; violations: Violation[] };

export function certificate(verdict: Verdict, run: Run): Certificate {
  const { ok, counts, notChecked, violations } = verdict;
  const { seed, meals, arrivals, seconds, latencyMs } = run;
  const { faults, settledPerSecond, startedAt, endedAt } = run;
  const { answers, sold, stockLeft, queuedThenSold, queuedThenRejected, ...bad } = counts;
  return {
    ...{ ok, seed, meals, arrivals, seconds, answers, latencyMs },
    ...{ sold, stockLeft, queuedThenSold, queuedThenRejected },
    ...bad,
    ...{ notChecked, violations },
    ...{ faults, settledPerSecond, startedAt, endedAt },
  };
}
