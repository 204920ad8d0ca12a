// Orders a second by outcome, over the last five minutes: a ring of seconds.

import type { publicApi, Reply } from '@rushlight/contracts';
import { z } from 'zod';

export type OrderOutcome = (typeof outcomes)[number];
export type ThroughputReport = Reply<typeof publicApi.throughput>['body'];

const windowS = 300;
type Second = { second: number } & Record<OrderOutcome, number>;

const outcomes = ['accepted', 'queued', 'soldOut', 'refused', 'failed'] as const;
const count = z.int().min(0);

/** The seconds of the window in which one gateway answered an order. */
export const ThroughputSight = z
  .array(
    z.object({
      second: z.int(),
      ...{ accepted: count, queued: count, soldOut: count, refused: count, failed: count },
    }),
  )
  .max(windowS);
export type ThroughputSight = z.infer<typeof ThroughputSight>;

export type Throughput = {
  record(outcome: OrderOutcome, nowMs: number): void;
  sight(): ThroughputSight;
};

export function createThroughput(): Throughput {
  const ring: Second[] = Array.from({ length: windowS }, () => emptySecond(-1));
  return {
    record: (outcome, nowMs) => {
      const second = Math.floor(nowMs / 1000);
      const at = second % windowS;
      let slot = ring[at] as Second;
      if (slot.second !== second) {
        slot = emptySecond(second);
        ring[at] = slot;
      }
      slot[outcome]++;
    },
    sight: () => ring.filter(({ second }) => second >= 0),
  };
}

/**
 * Every second of the window, the present one last, of all that these gateways saw.
 *
 * @param nowMs the wall clock
 */
export function throughputOf(sights: readonly ThroughputSight[], nowMs: number): ThroughputReport {
  const now = Math.floor(nowMs / 1000);
  const bySecond = Map.groupBy(sights.flat(), ({ second }) => second);
  const seconds = Array.from({ length: windowS }, (_, index) => {
    const { second, ...counts } = emptySecond(now - windowS + 1 + index);
    for (const seen of bySecond.get(second) ?? []) {
      for (const outcome of outcomes) counts[outcome] += seen[outcome];
    }
    return { at: new Date(second * 1000).toISOString(), ...counts };
  });
  return { windowS, seconds };
}

/** What an answer to POST /orders was; `keyReused` tells the two kinds of 422 apart. */
export function outcomeOf(status: number, keyReused: boolean): OrderOutcome {
  if (status === 201) return 'accepted';
  if (status === 202) return 'queued';
  if (status === 422 && !keyReused) return 'soldOut';
  return status >= 500 ? 'failed' : 'refused';
}

function emptySecond(second: number): Second {
  return { second, accepted: 0, queued: 0, soldOut: 0, refused: 0, failed: 0 };
}
