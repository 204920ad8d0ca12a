// How often somebody may try to log in.
//
// Tries are counted by id and address together, so that a stranger elsewhere cannot lock a student
// out. Tries on one id from everywhere only make the answers slower.

import type { Environment } from '@rushlight/chassis';
import { ApiError, limits } from '@rushlight/contracts';

const windowMs = 60_000;
const countedMax = 50_000;
const slowFromTries = 10;
const slowMs = 1_000;
const slowedMax = 200;

export type LoginLimit = {
  /** Counts a try, right or wrong. @throws ApiError rate_limited or busy */
  admit(studentId: string, address: string): Promise<void>;
};

export function createLoginLimit(env: Environment): LoginLimit {
  const byPair = new Map<string, number[]>();
  const byId = new Map<string, number[]>();
  let slowed = 0;

  const recent = (tries: Map<string, number[]>, key: string): number[] => {
    const nowMs = env.monotonicMs();
    const kept = (tries.get(key) ?? []).filter((atMs) => nowMs - atMs < windowMs);
    // Re-inserting keeps the map in order of use, so that the oldest goes first.
    tries.delete(key);
    tries.set(key, kept);
    if (tries.size > countedMax) tries.delete(tries.keys().next().value as string);
    return kept;
  };

  return {
    admit: async (studentId, address) => {
      const nowMs = env.monotonicMs();
      const mine = recent(byPair, `${studentId} ${address}`);
      const [oldestMs] = mine;
      if (oldestMs !== undefined && mine.length >= limits.loginTriesPerMinute) {
        throw new ApiError('rate_limited', {
          waitS: Math.ceil((oldestMs + windowMs - nowMs) / 1000),
        });
      }
      mine.push(nowMs);
      const all = recent(byId, studentId);
      if (all.length < slowFromTries) {
        all.push(nowMs);
        return;
      }
      if (slowed >= slowedMax) throw new ApiError('busy', { waitS: 2 });
      slowed++;
      await env.sleep(slowMs).finally(() => slowed--);
    },
  };
}
