// The best rate of something: its concurrency is searched in short runs, then it is run several
// times, and the median counts.

import { median } from './percentile.ts';

export type Peak<R> = { concurrency: number; perS: number; runs: R[] };

/** A rate below this share of the best so far ends the search: the peak is behind us. */
const stillRisingShare = 0.9;

/**
 * @param candidates concurrencies to try, in rising order
 * @param measure one run of so many milliseconds
 * @throws Error for a rate of 0, which is no rate but a mistake
 */
export async function findPeak<R extends { perS: number }>(
  candidates: readonly number[],
  times: { searchMs: number; runMs: number; runs: number },
  measure: (concurrency: number, durationMs: number) => Promise<R>,
): Promise<Peak<R>> {
  let best = { concurrency: candidates[0] ?? 1, perS: 0 };
  for (const concurrency of candidates) {
    const { perS } = await measure(concurrency, times.searchMs);
    if (perS > best.perS) best = { concurrency, perS };
    else if (perS < best.perS * stillRisingShare) break;
  }
  const { concurrency } = best;
  const runs: R[] = [];
  for (let n = 0; n < times.runs; n++) runs.push(await measure(concurrency, times.runMs));
  const perS = median(runs.map((run) => run.perS));
  if (perS > 0) return { concurrency, perS, runs };
  throw new Error(`Nothing was done in ${times.runs} runs: ${JSON.stringify(runs)}`);
}
