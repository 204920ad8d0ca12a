// Orders a second by outcome, over the last five minutes: a ring of seconds.

import type { publicApi, Reply } from '@rushlight/contracts';

export type OrderOutcome = 'accepted' | 'queued' | 'soldOut' | 'refused' | 'failed';
export type ThroughputReport = Reply<typeof publicApi.throughput>['body'];

const windowS = 300;
type Second = { second: number } & Record<OrderOutcome, number>;

export type Throughput = {
  record(outcome: OrderOutcome, nowMs: number): void;
  /** Every second of the window, the present one last. @param nowMs the wall clock */
  report(nowMs: number): ThroughputReport;
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
    report: (nowMs) => {
      const now = Math.floor(nowMs / 1000);
      const seconds = Array.from({ length: windowS }, (_, index) => {
        const second = now - windowS + 1 + index;
        const slot = ring[second % windowS] as Second;
        const { second: at, ...counts } = slot.second === second ? slot : emptySecond(second);
        return { at: new Date(at * 1000).toISOString(), ...counts };
      });
      return { windowS, seconds };
    },
  };
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
