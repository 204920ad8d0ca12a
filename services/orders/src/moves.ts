// From locked orders and what happened to them to what has to be written and said: pure, and shared
// by both stores.

import type { EventOf, OrderStatus, Topic } from '@rushlight/contracts';
import { advance, type OrderEvent, type OrderState } from './order.ts';
import type { HistoryStep, Move, Moved, StoredOrder } from './store.ts';

export type OrderTopic = Extract<Topic, `order.${string}`>;
export type Emission = { [T in OrderTopic]?: EventOf<T>[] };

export type Plan = {
  changed: Change[];
  /** What the last event of each order did. */
  results: Map<string, Moved>;
  emission: Emission;
};

/** An order that moved, as it stands afterwards, and the steps that it took. */
export type Change = { order: StoredOrder; steps: readonly HistoryStep[] };

/**
 * Several moves of one order are made one after the other: a message may say that a meal is cooking
 * and that it is ready.
 */
export function planMoves(
  orders: readonly StoredOrder[],
  moves: readonly Move[],
  atMs: number,
): Plan {
  const plan: Plan = { changed: [], results: new Map(), emission: {} };
  const eventsOf = Map.groupBy(moves, (move) => move.orderId);
  for (const before of orders) {
    let order = before;
    for (const { event } of eventsOf.get(before.orderId) ?? []) {
      const step = advance(order.status, withCause(order, event));
      if (step.kind === 'moved') {
        order = movedOrder(order, step.state, atMs);
        announce(plan.emission, order, step.state);
      }
      plan.results.set(order.orderId, { order, step });
    }
    if (order !== before) {
      plan.changed.push({ order, steps: order.history.slice(before.history.length) });
    }
  }
  return plan;
}

function movedOrder(order: StoredOrder, state: OrderState, atMs: number): StoredOrder {
  // Clocks of two machines may differ; a history never runs backwards.
  const lastMs = order.history.at(-1)?.atMs ?? 0;
  const step = { status: state.status, atMs: Math.max(atMs, lastMs) };
  return {
    ...order,
    status: state.status,
    reason: 'reason' in state ? state.reason : undefined,
    history: [...order.history, step],
    answered: order.answered ?? answeredBy(order.status, state),
  };
}

/** A refusal is no answer to be kept: its key may try again. */
export function freesKey(order: StoredOrder): boolean {
  return order.answered === undefined && order.reason === 'sold_out';
}

function answeredBy(from: OrderStatus, state: OrderState): OrderStatus | undefined {
  const refusedAtOnce = from === 'pending' && 'reason' in state && state.reason === 'sold_out';
  return refusedAtOnce ? undefined : state.status;
}

type Announcement = { [T in OrderTopic]: { topic: T; event: EventOf<T> } }[OrderTopic];

function announce(emission: Emission, order: StoredOrder, state: OrderState): void {
  const announcement = announcementOf(order, state);
  if (!announcement) return;
  const events: unknown[] = emission[announcement.topic] ?? [];
  events.push(announcement.event);
  Object.assign(emission, { [announcement.topic]: events });
}

/** What the others are told of an order that took this state. */
function announcementOf(order: StoredOrder, state: OrderState): Announcement | undefined {
  const { orderId, studentId, pickupNumber, lines, totalCents } = order;
  const atMs = order.history.at(-1)?.atMs ?? 0;
  const step = { orderId, studentId, pickupNumber, atMs };
  switch (state.status) {
    case 'pending':
      return undefined;
    case 'queued': {
      const wanted = lines.map(({ itemId, quantity }) => ({ itemId, quantity }));
      return { topic: 'order.queued', event: { ...step, lines: wanted } };
    }
    case 'stock_verified':
      return { topic: 'order.stock_verified', event: { ...step, totalCents } };
    case 'paid':
      return { topic: 'order.paid', event: { ...step, lines: [...lines] } };
    case 'in_kitchen': {
      const { readyAtMs } = state;
      const ready = readyAtMs === undefined ? {} : { readyAtMs };
      return { topic: 'order.in_kitchen', event: { ...step, ...ready } };
    }
    case 'ready':
      return { topic: 'order.ready', event: step };
    case 'collected':
      return { topic: 'order.collected', event: step };
    case 'rejected': {
      const { reason, release, refund } = state;
      return { topic: 'order.rejected', event: { ...step, reason, release, refund } };
    }
    case 'cancelled': {
      const { reason, release, refund } = state;
      return { topic: 'order.cancelled', event: { ...step, reason, release, refund } };
    }
  }
}

/** The kitchen does not know for whom it voided a ticket; the order does. */
function withCause(order: StoredOrder, event: OrderEvent): OrderEvent {
  if (event.type !== 'ticket.voided' || order.cancelBy === undefined) return event;
  return { ...event, by: order.cancelBy };
}
