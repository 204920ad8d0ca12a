import fc from 'fast-check';
import { expect, test } from 'vitest';
import { backoffMs, createRetryBudget, retryBudgetRules } from '../src/retry-budget.ts';
import { fakeEnvironment } from './fake-environment.ts';

const anyStep = fc.record({
  pauseMs: fc.nat(3_000),
  tries: fc.oneof(fc.nat(5), fc.nat(300)),
  wanted: fc.nat(40),
});

test('over any stretch of time, retries stay within a tenth and what was saved up', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { maxLength: 25 }), async (steps) => {
      const env = fakeEnvironment();
      const budget = createRetryBudget(env);
      const { triesPerRetry, savedMax, idleRetries, idleRetryEveryMs } = retryBudgetRules;
      const seen: { atMs: number; tries: number; granted: number }[] = [];
      for (const { pauseMs, tries, wanted } of steps) {
        await env.advance(pauseMs);
        for (let n = 0; n < tries; n++) budget.onFirstTry();
        const granted = Array.from({ length: wanted }, () => budget.tryRetry()).filter(Boolean);
        seen.push({ atMs: env.monotonicMs(), tries, granted: granted.length });
      }
      for (let from = 0; from < seen.length; from++) {
        let tries = 0;
        let granted = 0;
        // The time before the first step of a stretch is part of what was saved up before it.
        const startMs = from === 0 ? 1_000 : (seen[from - 1]?.atMs ?? 0);
        const saved = from === 0 ? idleRetries : savedMax;
        for (const step of seen.slice(from)) {
          tries += step.tries;
          granted += step.granted;
          const trickled = (step.atMs - startMs) / idleRetryEveryMs;
          expect(granted).toBeLessThanOrEqual(saved + tries / triesPerRetry + trickled + 1e-9);
        }
      }
    }),
  );
});

test('ten first tries pay for one retry, exactly', () => {
  const budget = createRetryBudget(fakeEnvironment(), { ...retryBudgetRules, idleRetries: 0 });
  for (let n = 0; n < 9; n++) budget.onFirstTry();
  expect(budget.tryRetry()).toBe(false);
  budget.onFirstTry();
  expect(budget.tryRetry()).toBe(true);
  expect(budget.tryRetry()).toBe(false);
});

test('a client that calls rarely can retry again after a while', async () => {
  const env = fakeEnvironment();
  const budget = createRetryBudget(env);
  while (budget.tryRetry());
  await env.advance(1_000);
  expect([budget.tryRetry(), budget.tryRetry()]).toEqual([true, false]);
  await env.advance(3_600_000);
  expect([1, 2, 3, 4].map(() => budget.tryRetry())).toEqual([true, true, true, false]);
});

test('a wait before a retry is anywhere between nothing and a ceiling that doubles', () => {
  const rules = { baseMs: 25, maxMs: 500 };
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5_000 }),
      fc.double({ min: 0, max: 0.999 }),
      (n, dice) => {
        const waitMs = backoffMs({ random: () => dice }, n, rules);
        const ceilingMs = n > 5 ? 500 : Math.min(500, 25 * 2 ** (n - 1));
        expect(waitMs).toBe(Math.round(dice * ceilingMs));
      },
    ),
  );
});
