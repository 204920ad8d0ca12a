// The desk where orders' requests to reserve meet. While one transaction runs, those that come
// gather for the next: nobody races for a hot item inside this process, and a commit is shared.
//
// D1. A request whose deadline has passed when its turn comes is refused: nothing is reserved that
//     nobody waits for. Its order may already travel over the bus.
// D2. One request's orders stay in their order, and requests in the order of their arrival.

import { type Batcher, createBatcher, type Environment, type Metrics } from '@rushlight/chassis';
import { ApiError, limits } from '@rushlight/contracts';
import type { ReserveAnswer, ReserveRequest } from './reserve.ts';
import { tellFailure } from './stock-counts.ts';
import type { InventoryStore } from './store.ts';

export type ReserveDesk = {
  /** @throws ApiError('busy') when the deadline passed or too much waits: nothing was done */
  reserve(orders: readonly ReserveRequest[], remainingMs: () => number): Promise<ReserveAnswer[]>;
  close(): Promise<void>;
};

type Waiting = { orders: readonly ReserveRequest[]; remainingMs: () => number };

/** Requests in one transaction; each has up to `limits.orderBatchMax` orders. */
const requestsMax = 8;
const queueMax = 64;

export function createReserveDesk(
  store: Pick<InventoryStore, 'reserveBatch'>,
  env: Environment,
  metrics: Pick<Metrics, 'count' | 'observe' | 'set'>,
): ReserveDesk {
  const batcher: Batcher<Waiting, ReserveAnswer[]> = createBatcher({
    name: 'reserve',
    env,
    run: (waiting) => decide(store, env, metrics, waiting),
    sizeMax: requestsMax,
    waitMsMax: 0,
    queueMax,
    ageMsMax: limits.reserveDeadlineMs,
    concurrencyMax: 1,
    onDepth: (waiting) => metrics.set('batch_queue_depth', { batcher: 'reserve' }, waiting),
  });
  return {
    reserve: async (orders, remainingMs) => batcher.add({ orders, remainingMs }),
    close: () => batcher.close(),
  };
}

async function decide(
  store: Pick<InventoryStore, 'reserveBatch'>,
  env: Pick<Environment, 'newId'>,
  metrics: Pick<Metrics, 'count' | 'observe'>,
  waiting: readonly Waiting[],
): Promise<(ReserveAnswer[] | Error)[]> {
  const inTime = waiting.filter(({ remainingMs }) => remainingMs() > 0);
  const orders = inTime.flatMap((request) => request.orders);
  const write = () => store.reserveBatch(`batch ${env.newId()}`, orders);
  const answers =
    orders.length > 0 ? await tellFailure(metrics, 'reserve', orders.length, write) : [];
  const short = answers.filter(({ outcome }) => outcome === 'short').length;
  metrics.observe('batch_size', { batcher: 'reserve' }, orders.length);
  metrics.count('stock_updates_total', { operation: 'reserve', result: 'short' }, short);
  const rest = [...answers];
  return waiting.map((request) =>
    inTime.includes(request)
      ? rest.splice(0, request.orders.length)
      : new ApiError('busy', { waitS: 1 }),
  );
}
