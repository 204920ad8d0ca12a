import {
  type Context,
  type Environment,
  type Handlers,
  type OperationResult,
  tellResult,
  userOf,
} from '@rushlight/chassis';
import { ApiError, type OrderView, orderApi, ordersApi } from '@rushlight/contracts';
import { z } from 'zod';
import { type CancelParts, cancelOrder } from './cancel-order.ts';
import { countLookedUp } from './order-counts.ts';
import { createPlaceDesk } from './place-desk.ts';
import { lookUpKeys, type PlaceParts, placeOrders } from './place-order.ts';
import type { OrderStore, StoredOrder } from './store.ts';
import { viewOf } from './view.ts';

const { listOrders, getOrder, cancelOrder: cancelRoute } = orderApi;
export const routes = { ...ordersApi, listOrders, getOrder, cancelOrder: cancelRoute };

export type Estimate = {
  orderId: string;
  queuePosition?: number | undefined;
  readyAtMs?: number | undefined;
};
type Operation = 'place' | 'look_up' | 'get' | 'list' | 'cancel';
type Parts = {
  store: OrderStore;
  place: PlaceParts;
  cancel: CancelParts;
  /** What the kitchen expects of these orders; empty when it does not answer at once. */
  estimates: (orderIds: string[]) => Promise<Estimate[]>;
  env: Environment;
};

export function createHandlers(parts: Parts): Handlers<typeof routes> {
  const { store, place, cancel } = parts;
  const { metrics } = place;
  const count = (operation: Operation, result: OperationResult, by = 1): void =>
    metrics.count('order_operations_total', { operation, result }, by);
  const counted = <T>(operation: Operation, work: () => Promise<T>): Promise<T> =>
    tellResult(work, (result) => count(operation, result));
  const placeAll = createPlaceDesk((placements) => placeOrders(place, placements), place);
  const visible = async (context: Context, orderId: string): Promise<StoredOrder> => {
    const { role, studentId } = userOf(context);
    const order = await store.find(orderId);
    // Somebody else's order is no order: 404, so that ids tell nothing.
    if (!order || (role === 'student' && order.studentId !== studentId)) {
      throw new ApiError('order_not_found', { orderId });
    }
    return order;
  };
  return {
    placeOrders: async ({ body }) => {
      const answers = await placeAll(body.orders).catch((error: unknown) => {
        count('place', 'failed', body.orders.length);
        throw error;
      });
      return { status: 200, body: { answers } };
    },
    lookUpKeys: async ({ body: { keys } }) => {
      const work = () => lookUpKeys(store, keys);
      const answers = await tellResult(work, (result) => count('look_up', result, keys.length));
      countLookedUp(metrics, answers);
      return { status: 200, body: { answers } };
    },
    auditOrders: async ({ query: { after, limit } }) => {
      if (after !== undefined && !z.uuid().safeParse(after).success) {
        throw new ApiError('bad_request', { why: 'query.after: an order id' });
      }
      return auditPage(store, after, limit);
    },
    getOrder: ({ params }, context) =>
      counted('get', async () => {
        const order = await visible(context, params.orderId);
        const [view] = await withEstimates(parts, [order]);
        return { status: 200 as const, body: view ?? viewOf(order) };
      }),
    listOrders: ({ query: { limit, cursor } }, context) =>
      counted('list', async () => {
        const { role, studentId } = userOf(context);
        const found = await store.list({
          ...(role === 'student' ? { studentId } : {}),
          ...(cursor === undefined ? {} : { before: cursor }),
          limit: limit + 1,
        });
        const items = await withEstimates(parts, found.slice(0, limit));
        const last = found.length > limit ? items.at(-1) : undefined;
        const next = last ? { nextCursor: last.orderId } : {};
        return { status: 200 as const, body: { items, ...next } };
      }),
    cancelOrder: ({ params }, context) =>
      counted('cancel', async () => {
        // As it is written here: an id may be given in capitals.
        const { orderId } = await visible(context, params.orderId);
        const by = userOf(context).role === 'student' ? 'student' : 'admin';
        return { status: 200 as const, body: viewOf(await cancelOrder(cancel, orderId, by)) };
      }),
  };
}

async function withEstimates(parts: Parts, orders: readonly StoredOrder[]): Promise<OrderView[]> {
  const inKitchen = orders.filter(({ status }) => status === 'paid' || status === 'in_kitchen');
  const estimates = inKitchen.length === 0 ? [] : await parts.estimates(inKitchen.map(idOf));
  const estimateOf = new Map(estimates.map((estimate) => [estimate.orderId, estimate]));
  return orders.map((order) => {
    const { queuePosition, readyAtMs } = estimateOf.get(order.orderId) ?? {};
    return {
      ...viewOf(order),
      ...(queuePosition === undefined ? {} : { queuePosition }),
      ...(readyAtMs === undefined ? {} : { readyAt: new Date(readyAtMs).toISOString() }),
    };
  });
}

async function auditPage(store: OrderStore, after: string | undefined, limit: number) {
  // To count is to read them all: once for all pages.
  const byStatus = after === undefined ? await store.countByStatus() : {};
  const page = await store.page(after, limit);
  const orders = page.map(({ orderId, studentId, status, totalCents, lines, history }) => ({
    ...{ orderId, studentId, status, totalCents },
    lines: lines.map(({ itemId, quantity }) => ({ itemId, quantity })),
    changedAtMs: history.at(-1)?.atMs ?? 0,
  }));
  const last = page.length === limit ? page.at(-1) : undefined;
  return {
    status: 200 as const,
    body: { byStatus, orders, ...(last ? { next: last.orderId } : {}) },
  };
}

function idOf(order: StoredOrder): string {
  return order.orderId;
}
