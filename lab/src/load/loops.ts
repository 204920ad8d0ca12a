// Two ways to put load on a server.
//
// O1. Open loop: an arrival is begun when it is due, whether or not earlier ones were answered, and
//     its latency counts from when it was due. So a stall of the server, or of ourselves, shows.
// O2. Closed loop: each connection asks as soon as it is answered. Good for the highest rate; its
//     latencies hide stalls.

import type { Outcome } from './connection.ts';
import { LatencyHistogram } from './histogram.ts';
import type { LoadClient, RequestParts } from './load-client.ts';

export type LoadOptions = {
  client: LoadClient;
  /** The request of the nth arrival, from 0. */
  request(index: number): Buffer | RequestParts;
  deadlineMs: number;
  /** Under which name an outcome is counted: its status, or `unanswered`, unless given. */
  group?(outcome: Outcome, index: number): string;
};

export type LoadReport = {
  /** Latencies by group, in milliseconds. */
  groups: ReadonlyMap<string, LatencyHistogram>;
  count: number;
  /** From the first request to the last outcome. */
  durationMs: number;
};

/** Fires each arrival of the schedule at its instant; resolves when all have an outcome. */
export async function openLoop(
  options: LoadOptions & { scheduleMs: readonly number[] },
): Promise<LoadReport> {
  const tally = new Tally(options);
  const running: Promise<void>[] = [];
  const startMs = performance.now();
  await onSchedule(options.scheduleMs, (index, dueMs) => {
    running.push(tally.ask(index, dueMs));
  });
  await Promise.all(running);
  return tally.report(startMs);
}

/** Keeps so many requests under way for this time, or for this many requests. */
export async function closedLoop(
  options: LoadOptions & { connections: number; durationMs: number; requestsMax?: number },
): Promise<LoadReport> {
  const { connections, durationMs, requestsMax = Number.POSITIVE_INFINITY } = options;
  const tally = new Tally(options);
  await options.client.warmUp(connections);
  const startMs = performance.now();
  let next = 0;
  const askOn = async (): Promise<void> => {
    for (;;) {
      const nowMs = performance.now();
      if (nowMs - startMs >= durationMs || next >= requestsMax) return;
      await tally.ask(next++, nowMs);
    }
  };
  await Promise.all(Array.from({ length: connections }, askOn));
  return tally.report(startMs);
}

/**
 * Calls `begin` for each instant when it is due; resolves after the last call.
 *
 * @param scheduleMs in order, in milliseconds from now
 */
export function onSchedule(
  scheduleMs: readonly number[],
  begin: (index: number, dueMs: number) => void,
): Promise<void> {
  const startMs = performance.now();
  return new Promise((resolve, reject) => {
    let next = 0;
    const tick = (): void => {
      try {
        const passedMs = performance.now() - startMs;
        for (let at = scheduleMs[next]; at !== undefined && at <= passedMs; at = scheduleMs[next]) {
          begin(next++, startMs + at);
        }
      } catch (error) {
        reject(error);
        return;
      }
      const dueMs = scheduleMs[next];
      if (dueMs === undefined) resolve();
      else setTimeout(tick, Math.max(1, dueMs - (performance.now() - startMs)));
    };
    tick();
  });
}

class Tally {
  readonly #options: LoadOptions;
  readonly #groups = new Map<string, LatencyHistogram>();
  #count = 0;

  constructor(options: LoadOptions) {
    this.#options = options;
  }

  async ask(index: number, dueMs: number): Promise<void> {
    const { client, request, deadlineMs, group = groupOf } = this.#options;
    const outcome = await client.request(request(index), deadlineMs);
    const name = group(outcome, index);
    let histogram = this.#groups.get(name);
    if (!histogram) {
      histogram = new LatencyHistogram();
      this.#groups.set(name, histogram);
    }
    histogram.record(performance.now() - dueMs);
    this.#count++;
  }

  report(startMs: number): LoadReport {
    return {
      groups: this.#groups,
      count: this.#count,
      durationMs: performance.now() - startMs,
    };
  }
}

function groupOf(outcome: Outcome): string {
  return outcome.kind === 'answered' ? String(outcome.status) : 'unanswered';
}
