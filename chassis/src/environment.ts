// Time, chance and ids, as one value that is passed in. The protocol knows no other clock and no
// other dice, so that a bad night can be replayed from its seed.

import { randomFillSync } from 'node:crypto';

export interface Environment {
  /** Wall clock, milliseconds since 1970. For instants that are written down; it may jump. */
  nowMs(): number;
  /** A clock that never jumps, in milliseconds. For durations, ages and deadlines. */
  monotonicMs(): number;
  /** In [0, 1). */
  random(): number;
  /** A fresh UUID, version 7: unique by 74 random bits, ordered by time for the index's sake. */
  newId(): string;
  /** Resolves after this time; rejects with the signal's reason when it is aborted. */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>;
  /** Runs once after this time, unless the returned function cancels it. */
  after(delayMs: number, run: () => void): () => void;
}

export const realEnvironment: Environment = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  random: () => Math.random(),
  newId: () => uuidV7(Date.now()),
  sleep: (durationMs, signal) => sleep(durationMs, signal),
  after: (delayMs, run) => {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};

function sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, durationMs);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

const pool = Buffer.alloc(16 * 256);
let poolUsed = pool.length;

/** RFC 9562, section 5.7: 48 bits of milliseconds, then 74 random bits. */
export function uuidV7(nowMs: number): string {
  if (poolUsed === pool.length) {
    randomFillSync(pool);
    poolUsed = 0;
  }
  const bytes = pool.subarray(poolUsed, poolUsed + 16);
  poolUsed += 16;
  bytes.writeUIntBE(nowMs, 0, 6);
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
