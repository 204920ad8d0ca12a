// How late the event loop is: the honest measure of a process that has too much to do.

import type { Environment } from '@rushlight/chassis';

const everyMs = 20;

/**
 * Starts to measure. `now` is the delay of the last tick, or what the overdue one has already.
 */
export function watchLoopDelay(env: Pick<Environment, 'monotonicMs' | 'after'>): {
  now(): number;
  close(): void;
} {
  let dueMs = env.monotonicMs() + everyMs;
  let lastMs = 0;
  const tick = (): void => {
    const nowMs = env.monotonicMs();
    lastMs = nowMs - dueMs;
    dueMs = nowMs + everyMs;
    cancel = env.after(everyMs, tick);
  };
  let cancel = env.after(everyMs, tick);
  return {
    now: () => Math.max(lastMs, env.monotonicMs() - dueMs),
    close: () => cancel(),
  };
}
