// How often somebody may try to log in.
//
// Tries are counted by id and address together, so that a stranger elsewhere cannot lock a student
// out. Tries on one id from everywhere only make the answers slower. They are counted in the cache:
// at one replica of us as at all of them.

import type { Cache, Environment } from '@rushlight/chassis';
import { ApiError, limits } from '@rushlight/contracts';

const windowMs = 60_000;
const slowFromTries = 10;
const slowMs = 1_000;
const slowedMax = 200;

export type LoginLimit = {
  /** Counts a try, right or wrong. @throws ApiError rate_limited or busy */
  admit(studentId: string, address: string): Promise<void>;
};

export function createLoginLimit(
  env: Pick<Environment, 'sleep'>,
  cache: Pick<Cache, 'tryWithin'>,
): LoginLimit {
  let slowed = 0;

  return {
    admit: async (studentId, address) => {
      const mine = await cache.tryWithin(`login ${studentId} ${address}`, {
        windowMs,
        countMax: limits.loginTriesPerMinute,
      });
      if (!mine.allowed) {
        throw new ApiError('rate_limited', { waitS: Math.ceil(mine.retryAfterMs / 1000) });
      }
      const all = { windowMs, countMax: slowFromTries };
      if ((await cache.tryWithin(`login ${studentId}`, all)).allowed) return;
      if (slowed >= slowedMax) throw new ApiError('busy', { waitS: 2 });
      slowed++;
      await env.sleep(slowMs).finally(() => slowed--);
    },
  };
}
