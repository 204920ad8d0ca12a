import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { run } from '../src/run.ts';
import { settingMax } from '../src/settings.ts';

// Runs that failed once, or that met what is rare: kept for ever.

const numbers = z.array(z.int()).optional();
const Kept = z.array(
  z.strictObject({
    seed: z.int(),
    what: z.string(),
    settings: z.record(z.enum(Object.keys(settingMax)), z.number()).optional(),
    without: z.strictObject({ faults: numbers, orders: numbers }).optional(),
  }),
);
const kept = Kept.parse(
  JSON.parse(readFileSync(new URL('../regressions.json', import.meta.url), 'utf8')),
);

test('there are some', () => {
  expect(kept.length).toBeGreaterThan(0);
});

test.each(kept)('seed $seed: $what', async ({ seed, settings, without }) => {
  const { findings } = await run({
    seed,
    settings: settings as object,
    without: without as object,
  });
  expect(findings).toEqual([]);
});
