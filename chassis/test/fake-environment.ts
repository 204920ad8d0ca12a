// Time that only moves when a test says so.

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Environment } from '../src/environment.ts';

export type FakeEnvironment = Environment & {
  /** Runs everything that is due within this time, in order of time. */
  advance(durationMs: number): Promise<void>;
  timers(): number;
};

export function fakeEnvironment(random: () => number = () => 0.5): FakeEnvironment {
  let nowMs = 1_000;
  let ids = 0;
  const timers = new Map<number, { dueMs: number; run: () => void }>();

  const after = (delayMs: number, run: () => void): (() => void) => {
    const id = ++ids;
    timers.set(id, { dueMs: nowMs + delayMs, run });
    return () => {
      timers.delete(id);
    };
  };
  const runNext = (endMs: number): boolean => {
    const due = [...timers].filter(([, timer]) => timer.dueMs <= endMs);
    const [first] = due.sort(([id, a], [other, b]) => a.dueMs - b.dueMs || id - other);
    if (!first) return false;
    const [id, { dueMs, run }] = first;
    timers.delete(id);
    nowMs = Math.max(nowMs, dueMs);
    run();
    return true;
  };
  return {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    random,
    newId: () => `id-${++ids}`,
    sleep: (durationMs) =>
      new Promise((resolve) => {
        after(durationMs, resolve);
      }),
    after,
    advance: async (durationMs) => {
      const endMs = nowMs + durationMs;
      do await nextTurn();
      while (runNext(endMs));
      nowMs = endMs;
    },
    timers: () => timers.size,
  };
}
