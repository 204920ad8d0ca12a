import { realEnvironment } from '../environment.ts';

/**
 * Waits until a condition holds; looks every few milliseconds.
 *
 * @throws Error with `what` when it does not hold before the deadline
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  options: { deadlineMs?: number; what: string },
): Promise<void> {
  const deadlineMs = options.deadlineMs ?? 15_000;
  const endMs = realEnvironment.monotonicMs() + deadlineMs;
  while (!(await condition())) {
    if (realEnvironment.monotonicMs() > endMs) {
      throw new Error(`Waited ${deadlineMs} ms in vain for ${options.what}.`);
    }
    await realEnvironment.sleep(5);
  }
}
