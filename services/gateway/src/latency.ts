// How long requests took in the last 30 s: a ring of histograms, one a second, with buckets that grow
// with the value (each 1/16 of its power of two wide), so that a percentile is at most 6 % off.

import type { publicApi, Reply } from '@rushlight/contracts';
import { z } from 'zod';

export type LatencyReport = Reply<typeof publicApi.latency>['body'];

const windowS = 30;
const parts = 16;
const powers = 28;
const buckets = parts * powers;
const averageMsMax = 1_000;

type Second = { second: number; sumMs: number; counts: Uint32Array };

/** What one gateway saw in its window: how many fell into each bucket, by its number. */
export const LatencySight = z.object({
  sumMs: z.number().min(0),
  counts: z.array(
    z.tuple([
      z
        .int()
        .min(0)
        .max(buckets - 1),
      z.int().min(0),
    ]),
  ),
});
export type LatencySight = z.infer<typeof LatencySight>;

export type LatencyWindow = {
  /** @param durationMs how long it took; @param nowMs the monotonic clock */
  record(durationMs: number, nowMs: number): void;
  sight(nowMs: number): LatencySight;
};

export function createLatencyWindow(): LatencyWindow {
  const ring: Second[] = Array.from({ length: windowS + 1 }, () => ({
    second: -1,
    sumMs: 0,
    counts: new Uint32Array(buckets),
  }));
  const secondAt = (nowMs: number): Second => {
    const second = Math.floor(nowMs / 1000);
    const slot = ring[second % ring.length] as Second;
    if (slot.second !== second) {
      slot.second = second;
      slot.sumMs = 0;
      slot.counts.fill(0);
    }
    return slot;
  };

  return {
    record: (durationMs, nowMs) => {
      const slot = secondAt(nowMs);
      const bucket = bucketOf(durationMs);
      slot.sumMs += durationMs;
      slot.counts[bucket] = (slot.counts[bucket] ?? 0) + 1;
    },
    sight: (nowMs) => {
      const now = Math.floor(nowMs / 1000);
      const recent = ring.filter(({ second }) => second > now - windowS && second <= now);
      const merged = new Uint32Array(buckets);
      for (const { counts } of recent) {
        for (let i = 0; i < buckets; i++) merged[i] = (merged[i] ?? 0) + (counts[i] ?? 0);
      }
      const counts = [...merged.entries()].filter(([, count]) => count > 0);
      return { sumMs: recent.reduce((sum, slot) => sum + slot.sumMs, 0), counts };
    },
  };
}

/** The latency of all requests that these gateways saw. */
export function latencyOf(sights: readonly LatencySight[]): LatencyReport {
  const merged = new Uint32Array(buckets);
  for (const [bucket, times] of sights.flatMap(({ counts }) => counts)) {
    merged[bucket] = (merged[bucket] ?? 0) + times;
  }
  const count = merged.reduce((sum, times) => sum + times, 0);
  const sumMs = sights.reduce((sum, sight) => sum + sight.sumMs, 0);
  const averageMs = count === 0 ? 0 : sumMs / count;
  return {
    windowS,
    averageMs: rounded(averageMs),
    p50Ms: percentile(merged, count, 0.5),
    p95Ms: percentile(merged, count, 0.95),
    p99Ms: percentile(merged, count, 0.99),
    count,
    breached: averageMs > averageMsMax,
  };
}

/** Microseconds below 16 have a bucket each; above, each power of two has 16. */
function bucketOf(durationMs: number): number {
  const us = Math.min(2 ** 31 - 1, Math.max(0, Math.round(durationMs * 1000)));
  if (us < parts) return us;
  const power = 31 - Math.clz32(us);
  return Math.min(buckets - 1, (power - 3) * parts + ((us >>> (power - 4)) & (parts - 1)));
}

/** The middle of a bucket, in milliseconds. */
function middleOf(bucket: number): number {
  if (bucket < parts) return bucket / 1000;
  const power = Math.floor(bucket / parts) + 3;
  const width = 2 ** (power - 4);
  return ((parts + (bucket % parts)) * width + width / 2) / 1000;
}

function percentile(counts: Uint32Array, count: number, share: number): number {
  if (count === 0) return 0;
  const rank = Math.ceil(count * share);
  let seen = 0;
  for (let i = 0; i < buckets; i++) {
    seen += counts[i] ?? 0;
    if (seen >= rank) return rounded(middleOf(i));
  }
  return rounded(middleOf(buckets - 1));
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100;
}
