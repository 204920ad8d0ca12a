import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { run } from '../src/run.ts';
import { type Planted, planted } from './planted.ts';

// The canary: if the judge were asleep, these would be green, and that is what is tested.

const seedsMax = 2_000;
const timeoutMs = 300_000;

async function firstFailing({ compose }: Planted): Promise<number | undefined> {
  for (let seed = 1; seed <= seedsMax; seed++) {
    const { findings } = await run({ seed, compose });
    await setImmediate();
    if (findings.length > 0) return seed;
  }
  return undefined;
}

test.each(Object.entries(planted) as [string, Planted][])(
  '%s is found',
  { timeout: timeoutMs },
  async (_, bug) => {
    const seed = await firstFailing(bug);
    expect(seed, `${bug.mistake}: not found in ${seedsMax} seeds`).toBeDefined();
    const clean = await run({ seed: seed ?? 0 });
    expect(clean.findings, 'the shop as it is passes the same seed').toEqual([]);
  },
);
