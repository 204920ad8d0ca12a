import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits until `look` gives something, and returns it.
 *
 * @param look undefined or false means: not yet; what it throws is told if the time is over
 * @throws Error with `what` when it does not come before the deadline
 */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  { deadlineMs = 15_000, everyMs = 25 }: { deadlineMs?: number; everyMs?: number } = {},
): Promise<T> {
  const endMs = performance.now() + deadlineMs;
  let last: unknown;
  for (;;) {
    try {
      const found = await look();
      if (found !== undefined && found !== false) return found;
    } catch (error) {
      last = error;
    }
    if (performance.now() > endMs) {
      throw new Error(`Waited ${deadlineMs} ms in vain: ${what}`, { cause: last });
    }
    await sleep(everyMs);
  }
}
