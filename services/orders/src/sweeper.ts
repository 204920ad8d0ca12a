// The sweeper: nothing waits for ever. Bounded per run, and safe beside other replicas, which skip
// what one of them has locked.

import type { Environment, Metrics } from '@rushlight/chassis';
import { limits } from '@rushlight/contracts';
import type { OrderStore } from './store.ts';

const ordersPerRunMax = 500;
const runsMax = 20;

/** Queues what has been pending for too long, and ends what is not paid by its deadline. */
export async function sweep(parts: {
  store: Pick<OrderStore, 'sweepPending' | 'sweepDeadlines'>;
  env: Pick<Environment, 'nowMs'>;
  metrics: Pick<Metrics, 'count'>;
}): Promise<void> {
  const { store, env, metrics } = parts;
  await inRuns(async () => {
    const nowMs = env.nowMs();
    const queued = await store.sweepPending(nowMs - limits.orderPendingMs, nowMs, ordersPerRunMax);
    metrics.count('orders_retried_total', { how: 'swept' }, queued);
    return queued;
  });
  await inRuns(async () => {
    const late = await store.sweepDeadlines(env.nowMs(), ordersPerRunMax);
    metrics.count('orders_failed_total', { reason: 'deadline' }, late);
    return late;
  });
}

async function inRuns(run: () => Promise<number>): Promise<void> {
  for (let runs = 0; runs < runsMax; runs++) {
    if ((await run()) < ordersPerRunMax) return;
  }
}
