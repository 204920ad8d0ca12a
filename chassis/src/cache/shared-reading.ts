// A reading that one process makes and all others use, as long as it is young.
//
// H1. What is given was not begun to be read before `beganMs`, by the caller's own clock. The age of
//     what others read is measured by the cache alone, from before they began until our question.
// H2. Whoever waits for another's reading waits for a moment only, and then reads by itself. So it
//     costs at most that moment, whatever becomes of the other one or of the cache.

import type { Environment } from '../environment.ts';
import type { Cache, ClaimTimes } from './cache.ts';

export type SharedReadingOptions<T> = {
  cache: Pick<Cache, 'claim' | 'fulfil'>;
  env: Pick<Environment, 'monotonicMs' | 'sleep'>;
  key: string;
  times: ClaimTimes;
  /** Reads at the source; has a deadline of its own. */
  read: () => Promise<T>;
};

export type Reading<T> = { value: T; beganMs: number };

const waitMsMax = 150;
const lookEveryMs = 15;

export async function readShared<T>(options: SharedReadingOptions<T>): Promise<Reading<T>> {
  const { cache, env, key, times } = options;
  const giveUpMs = env.monotonicMs() + waitMsMax;
  for (;;) {
    const askedMs = env.monotonicMs();
    const claimed = await cache.claim(key, times).catch(() => undefined);
    if (claimed?.kind === 'found') {
      return { value: JSON.parse(claimed.value) as T, beganMs: askedMs - claimed.ageMs };
    }
    // A cache that fails makes nobody's reading fail.
    if (claimed?.kind !== 'busy' || env.monotonicMs() >= giveUpMs) {
      return await readAndKeep(options, claimed?.kind === 'claimed' ? claimed.claimId : undefined);
    }
    await env.sleep(lookEveryMs);
  }
}

async function readAndKeep<T>(
  { cache, env, key, times, read }: SharedReadingOptions<T>,
  claimId: string | undefined,
): Promise<Reading<T>> {
  const beganMs = env.monotonicMs();
  const value = await read();
  if (claimId !== undefined) {
    // Nobody waits for that but others, who do without it.
    cache.fulfil(key, claimId, JSON.stringify(value), times).catch(() => undefined);
  }
  return { value, beganMs };
}
