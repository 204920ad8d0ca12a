// Time that moves only when a test says so, and chance that comes from a seed.

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Environment } from '../environment.ts';
import { seededRandom } from '../seeded-random.ts';

export type SimulatedEnvironment = Environment & {
  /** Lets this time pass: runs what is due, in order of time, and all that follows from it. */
  advance(durationMs: number): Promise<void>;
  /** How many timers wait. */
  timers(): number;
};

type Timer = { dueMs: number; order: number; run: () => void };

/** @param startMs the wall clock at the beginning */
export function simulatedEnvironment(
  seed: number,
  startMs = 1_767_225_600_000,
): SimulatedEnvironment {
  const random = seededRandom(seed);
  const timers = new Set<Timer>();
  let elapsedMs = 0;
  let order = 0;

  const after = (delayMs: number, run: () => void): (() => void) => {
    const timer = { dueMs: elapsedMs + Math.max(0, delayMs), order: order++, run };
    timers.add(timer);
    return () => timers.delete(timer);
  };
  const nextDue = (endMs: number): Timer | undefined => {
    let next: Timer | undefined;
    for (const timer of timers) {
      if (timer.dueMs > endMs) continue;
      if (!next || timer.dueMs < next.dueMs) next = timer; // The set keeps their order.
    }
    return next;
  };
  const digits = (count: number): string =>
    Array.from({ length: count }, () => Math.floor(random() * 16).toString(16)).join('');

  return {
    nowMs: () => startMs + elapsedMs,
    monotonicMs: () => elapsedMs,
    random,
    newId: () => {
      const time = Math.trunc(startMs + elapsedMs)
        .toString(16)
        .padStart(12, '0');
      return `${time.slice(0, 8)}-${time.slice(8)}-7${digits(3)}-8${digits(3)}-${digits(12)}`;
    },
    sleep: (durationMs, signal) => sleep(after, durationMs, signal),
    after,
    timers: () => timers.size,
    advance: async (durationMs) => {
      const endMs = elapsedMs + durationMs;
      for (;;) {
        await nextTurn(); // All promises that can settle now have settled.
        const timer = nextDue(endMs);
        if (!timer) break;
        timers.delete(timer);
        elapsedMs = timer.dueMs;
        timer.run();
      }
      elapsedMs = endMs;
    },
  };
}

function sleep(
  after: Environment['after'],
  durationMs: number,
  signal?: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = (): void => {
      cancel();
      reject(signal?.reason);
    };
    const cancel = after(durationMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
