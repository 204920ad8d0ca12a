// Orders as the outside sees them.

import { type Answer, ApiError, type OrderView } from '@rushlight/contracts';
import type { StoredOrder } from './store.ts';

export function viewOf(order: StoredOrder): OrderView {
  const { orderId, pickupNumber, studentId, lines, totalCents, status, reason, history } = order;
  return {
    ...{ orderId, pickupNumber, studentId, lines: [...lines], totalCents, status },
    ...(reason === undefined ? {} : { reason: reason as NonNullable<OrderView['reason']> }),
    history: history.map((step) => ({
      status: step.status,
      at: new Date(step.atMs).toISOString(),
    })),
  };
}

/**
 * The answer that an order's first request got: the same status and bytes however often it is asked
 * for, because it is made of nothing that changes afterwards. Undefined while there is none.
 */
export function storedAnswer(order: StoredOrder): Answer | undefined {
  const { answered, history } = order;
  if (answered === undefined) return undefined;
  const upTo = history.findIndex((step) => step.status === answered) + 1;
  const ended = answered === 'rejected' || answered === 'cancelled';
  const then: StoredOrder = {
    ...order,
    status: answered,
    reason: ended ? order.reason : undefined,
    history: history.slice(0, upTo),
  };
  const status = answered === 'stock_verified' ? 201 : 202;
  return { status, body: JSON.stringify(viewOf(then)) };
}

/** What a request gets that finds its key taken by this order. */
export function answerToKey(order: StoredOrder, fingerprint: string, waitMs: number): Answer {
  if (order.fingerprint !== fingerprint) return refusal(new ApiError('key_reused'));
  return storedAnswer(order) ?? refusal(new ApiError('in_progress', { waitMs }));
}

export function refusal(error: ApiError): Answer {
  const { status, retryAfterS } = error;
  return {
    status,
    body: JSON.stringify(error.toProblem()),
    ...(retryAfterS === undefined ? {} : { retryAfterS }),
  };
}
