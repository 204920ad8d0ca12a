import type { Environment } from './environment.ts';

/** Waits for `work`, but not longer than this. */
export async function within(
  env: Pick<Environment, 'after'>,
  durationMs: number,
  work: Promise<unknown>,
): Promise<void> {
  const late = Promise.withResolvers<void>();
  const cancel = env.after(durationMs, late.resolve);
  try {
    await Promise.race([work, late.promise]);
  } finally {
    cancel();
  }
}
