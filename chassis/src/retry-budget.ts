// Retries, bounded: a neighbour in trouble must not meet more traffic than on a good day.
//
// R1. Retries are at most a tenth of the first tries, plus what is saved up (at most `savedMax`) and
//     the trickle below.
// R2. A client that calls rarely may still retry: up to `idleRetries` come back with time.

import assert from 'node:assert/strict';
import type { Environment } from './environment.ts';

export type RetryBudget = {
  /** Says that something is tried for the first time, which pays for a part of a retry. */
  onFirstTry(): void;
  /** True, and paid, when one retry is allowed now. */
  tryRetry(): boolean;
};

export type RetryBudgetRules = {
  /** First tries that pay for one retry. */
  triesPerRetry: number;
  /** Retries that can be saved up. */
  savedMax: number;
  /** Retries that an idle client has, and gets back one at a time. */
  idleRetries: number;
  idleRetryEveryMs: number;
};

export const retryBudgetRules: RetryBudgetRules = {
  triesPerRetry: 10,
  savedMax: 10,
  idleRetries: 3,
  idleRetryEveryMs: 1_000,
};

export function createRetryBudget(
  env: Pick<Environment, 'monotonicMs'>,
  rules: RetryBudgetRules = retryBudgetRules,
): RetryBudget {
  const { triesPerRetry, savedMax, idleRetries, idleRetryEveryMs } = rules;
  assert(triesPerRetry >= 1, `triesPerRetry ${triesPerRetry} is less than 1`);
  assert(idleRetries <= savedMax, `idleRetries ${idleRetries} > savedMax ${savedMax}`);
  // Counted in first tries, which are whole, so that ten tenths are one.
  let savedTries = idleRetries * triesPerRetry;
  let trickledMs = env.monotonicMs();

  const trickle = (): void => {
    const nowMs = env.monotonicMs();
    const gained = ((nowMs - trickledMs) / idleRetryEveryMs) * triesPerRetry;
    trickledMs = nowMs;
    const ceiling = idleRetries * triesPerRetry;
    if (savedTries < ceiling) savedTries = Math.min(ceiling, savedTries + gained);
  };

  return {
    onFirstTry: () => {
      savedTries = Math.min(savedMax * triesPerRetry, savedTries + 1);
    },
    tryRetry: () => {
      trickle();
      if (savedTries < triesPerRetry) return false;
      savedTries -= triesPerRetry;
      return true;
    },
  };
}

/**
 * How long to wait before the next try: full jitter, so that those who failed together do not come
 * back together.
 *
 * @param attempt tries made so far, 1 or more
 * @returns milliseconds from 0 to the lesser of `maxMs` and `baseMs` doubled with each attempt
 */
export function backoffMs(
  env: Pick<Environment, 'random'>,
  attempt: number,
  { baseMs, maxMs }: { baseMs: number; maxMs: number },
): number {
  assert(attempt >= 1, `attempt ${attempt} is less than 1`);
  assert(baseMs > 0 && maxMs >= baseMs, `baseMs ${baseMs}, maxMs ${maxMs}`);
  const ceilingMs = Math.min(maxMs, baseMs * 2 ** (attempt - 1));
  return Math.round(env.random() * ceilingMs);
}
