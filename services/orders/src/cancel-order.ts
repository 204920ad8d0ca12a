// Cancelling: before payment it is ours to decide; once paid, the kitchen knows whether it has begun.

import { UnavailableError } from '@rushlight/chassis';
import { ApiError, type CancelReason } from '@rushlight/contracts';
import type { OrderStore, StoredOrder } from './store.ts';

export type CancelParts = {
  store: OrderStore;
  /** Asks the kitchen to void the ticket. Throws when there is no answer. */
  voidTicket: (orderId: string) => Promise<'voided' | 'started'>;
  nowMs: () => number;
};

/**
 * Cancels an order, or finds it cancelled.
 *
 * @throws ApiError too_late, order_not_found; outcome_unknown when the kitchen gave no answer: if it
 *   did void the ticket, its event ends the order all the same
 */
export async function cancelOrder(
  parts: CancelParts,
  orderId: string,
  by: CancelReason,
): Promise<StoredOrder> {
  const { store, nowMs } = parts;
  const result = await store.cancel(orderId, by, nowMs());
  if (!result) throw new ApiError('order_not_found', { orderId });
  switch (result.step.kind) {
    case 'moved':
    case 'repeated':
      return result.order;
    case 'refused':
      throw new ApiError('too_late', { orderId, status: result.order.status });
    case 'kitchen decides':
      return askKitchen(parts, orderId);
  }
}

async function askKitchen(parts: CancelParts, orderId: string): Promise<StoredOrder> {
  const { store, voidTicket, nowMs } = parts;
  const outcome = await voidTicket(orderId).catch((error) => {
    const isUnknown = error instanceof UnavailableError || error instanceof ApiError;
    throw isUnknown ? new ApiError('outcome_unknown', { waitS: 1 }, { cause: error }) : error;
  });
  if (outcome === 'started') {
    const order = await store.find(orderId);
    // It may have been cancelled in the meantime, by the kitchen itself: that is what was asked for.
    if (order?.status === 'cancelled') return order;
    // The kitchen knows that it began before its event has reached us.
    const status = !order || order.status === 'paid' ? 'in_kitchen' : order.status;
    throw new ApiError('too_late', { orderId, status });
  }
  const moved = await store.decideBatch([{ orderId, event: { type: 'ticket.voided' } }], nowMs());
  const order = moved.get(orderId)?.order;
  if (order?.status !== 'cancelled') throw new ApiError('outcome_unknown', { waitS: 1 });
  return order;
}
