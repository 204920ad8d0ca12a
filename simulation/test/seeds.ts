// A span of seeds as tests: slices, so that a slow machine shows how far it is.

import { expect, test } from 'vitest';
import { type Run, reportFailure, runMany } from '../src/many.ts';
import { run } from '../src/run.ts';

const sliceSeeds = 250;
const timeoutMs = 300_000;

export function testSeeds(from: number, seeds: number): void {
  for (let first = from; first < from + seeds; first += sliceSeeds) {
    const name = `nothing is violated from seed ${first} to ${first + sliceSeeds - 1}`;
    test(name, { timeout: timeoutMs }, () => expectNothingViolated(first, sliceSeeds, run));
  }
}

async function expectNothingViolated(from: number, seeds: number, how: Run): Promise<void> {
  const { totals, failing } = await runMany({ from, seeds, run: how });
  const [worst] = failing;
  if (worst) expect.fail(await reportFailure(worst, { seed: worst.seed }, how));
  expect(totals.seeds).toBe(seeds);
}
