// The cooking: what is ready leaves its station, what waits takes it.
//
// C1. Everything that counts stands in the rows: who waits, who cooks until when. The loop holds
//     only a timer. Killed and started again, or run by two replicas, it goes on where they are.
// C2. The loop wakes when the next meal will be ready, when told that something changed, and at
//     the latest after `lookEveryMs`.

import { type Environment, type Log, outsideSpans } from '@rushlight/chassis';
import type { KitchenStore } from './store.ts';

export type CookOptions = {
  store: KitchenStore;
  env: Environment;
  log: Log;
  stations: number;
  auto: boolean;
};

const lookEveryMs = 1_000;
const batchMax = 1_000;
const roundsMax = 1_000;

export type CookLoop = {
  /** Something changed: look now. */
  wake(): void;
  /** Starts nothing more, waits for what runs. */
  close(): Promise<void>;
};

/** Lets the kitchen go on until now: finishes and starts what is due. */
export async function cookUntilNow(options: CookOptions): Promise<{ waitMs: number }> {
  const { store, env, stations, auto } = options;
  for (let round = 0; round < roundsMax; round++) {
    const { waiting, cooking, nextReadyAtMs = Number.POSITIVE_INFINITY } = await store.agenda();
    const nowMs = env.nowMs();
    const due = auto && nextReadyAtMs <= nowMs;
    const finished = due ? await store.finishDue(nowMs, batchMax) : 0;
    const canStart = waiting && cooking - finished < stations;
    const started = canStart
      ? await store.startDue({ stations, auto, nowMs: env.nowMs(), limit: batchMax })
      : 0;
    if (finished + started > 0) continue;
    return {
      waitMs: auto ? Math.min(lookEveryMs, Math.max(0, nextReadyAtMs - nowMs)) : lookEveryMs,
    };
  }
  return { waitMs: 0 };
}

export function startCooking(options: CookOptions): CookLoop {
  const { env, log } = options;
  let closed = false;
  let woken = false;
  let running: Promise<void> | undefined;
  let cancel: (() => void) | undefined;

  const run = async (): Promise<void> => {
    let waitMs = 0;
    do {
      woken = false;
      try {
        ({ waitMs } = await cookUntilNow(options));
      } catch (error) {
        log.warn({ error }, 'the kitchen could not go on; it will look again');
        waitMs = lookEveryMs;
      }
    } while (woken && !closed);
    running = undefined;
    if (!closed) cancel = env.after(waitMs, wake);
  };
  const wake = (): void => {
    cancel?.();
    cancel = undefined;
    woken = true;
    if (!closed) running ??= outsideSpans(run);
  };
  wake();
  return {
    wake,
    close: async () => {
      closed = true;
      cancel?.();
      await running;
    },
  };
}
