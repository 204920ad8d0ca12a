// One checkout: an order that is asked for, under one Idempotency-Key, until there is a definite
// answer.
//
// A1. The key is made once and kept (also over a reload) until the answer is definite: an order, or
//     a refusal that guarantees that nothing was done.
// A2. Unknown (nothing answered, 5xx, still in progress, too many requests) → the same key again,
//     after the wait that the platform asked for, or a back-off with jitter.
// A3. The tries end at `giveUpAfterMs`. Then the person decides; a further try has the same key.

import type { OrderLine, OrderView } from '@rushlight/contracts';
import { CallError, errorText } from './call-error.ts';

export type Attempt = { readonly key: string; readonly lines: readonly OrderLine[] };

export type AttemptStep =
  | { kind: 'sending'; tries: number }
  | { kind: 'waiting'; tries: number; untilMs: number; why: string }
  | { kind: 'given_up'; tries: number; why: string }
  | { kind: 'placed'; order: OrderView }
  | { kind: 'refused'; error: unknown; why: string };

export type AttemptWorld = {
  readonly nowMs: () => number;
  readonly random: () => number;
  /** Rejects when the signal is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly send: (attempt: Attempt, signal: AbortSignal) => Promise<OrderView>;
};

export const giveUpAfterMs = 120_000;

/** Whether this failure leaves open what became of the order, so that the key must be kept. */
export function isIndefinite(error: unknown): boolean {
  if (!(error instanceof CallError)) return false;
  return error.retryable || error.kind === 'garbled' || error.status >= 500;
}

/** Runs an attempt to its end, or until aborted (then it throws). Each step is told on the way. */
export async function runAttempt(
  attempt: Attempt,
  world: AttemptWorld,
  signal: AbortSignal,
  onStep: (step: AttemptStep) => void,
): Promise<AttemptStep> {
  const beganMs = world.nowMs();
  const tell = (step: AttemptStep): AttemptStep => {
    onStep(step);
    return step;
  };
  for (let tries = 1; ; tries += 1) {
    tell({ kind: 'sending', tries });
    try {
      return tell({ kind: 'placed', order: await world.send(attempt, signal) });
    } catch (error) {
      signal.throwIfAborted();
      const why = errorText(error);
      if (!isIndefinite(error)) return tell({ kind: 'refused', error, why });
      const waitMs = retryWaitMs(tries, error, world.random());
      const untilMs = world.nowMs() + waitMs;
      if (untilMs - beganMs > giveUpAfterMs) return tell({ kind: 'given_up', tries, why });
      tell({ kind: 'waiting', tries, untilMs, why });
      await world.sleep(waitMs, signal);
    }
  }
}

/** The wait before the next try, in ms: what was asked for plus a little, or a jittered back-off. */
export function retryWaitMs(tries: number, error: unknown, random: number): number {
  const saidS = error instanceof CallError ? error.retryAfterS : undefined;
  if (saidS !== undefined) return Math.min(saidS, 60) * 1_000 + random * 500;
  return Math.min(8_000, 400 * 2 ** (tries - 1)) * (0.5 + random / 2);
}
