// From orders and what happened to them to what has to be written and said: pure, and shared by both
// stores.
//
// M1. `planMoves` alone says what becomes of an order, whatever way it is written.
// M2. What is foreseen for an order comes true if, and only if, the order is in the status that the
//     events usually find it in. So it may be written without a look at the order before, guarded by
//     that status.

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

/** Orders of which the same is foreseen: one statement moves them all (M2). */
export type Foreseen = {
  from: OrderStatus;
  /** One of them as it will be; only what these moves change is right. */
  after: StoredOrder;
  steps: readonly HistoryStep[];
  orderIds: string[];
};

/** What becomes of those orders of which it can be known beforehand. */
export function foresee(moves: readonly Move[], atMs: number): Foreseen[] {
  const alike = new Map<string, Foreseen | undefined>();
  for (const [orderId, own] of Map.groupBy(moves, (move) => move.orderId)) {
    const signature = own.map(({ event }) => signatureOf(event)).join();
    if (!alike.has(signature)) alike.set(signature, foreseeOne(own, atMs));
    alike.get(signature)?.orderIds.push(orderId);
  }
  return [...alike.values()].filter((foreseen) => foreseen !== undefined);
}

/** Equal for events that do the same to orders in the same status. */
function signatureOf(event: OrderEvent): string {
  return 'reason' in event ? `${event.type} ${event.reason}` : event.type;
}

function foreseeOne(moves: readonly Move[], atMs: number): Foreseen | undefined {
  const [first] = moves;
  const from = first && usualStatus(first.event);
  if (!first || !from) return undefined;
  const { changed } = planMoves([placeholder(first.orderId, from)], moves, atMs);
  return changed[0] && { from, after: changed[0].order, steps: changed[0].steps, orderIds: [] };
}

/** The status that an event finds an order in, unless something unusual happened. */
function usualStatus(event: OrderEvent): OrderStatus | undefined {
  switch (event.type) {
    case 'stock.reserved':
    case 'stock.unknown':
      return 'pending';
    case 'stock.short':
      return event.via === 'call' ? 'pending' : undefined;
    case 'payment.captured':
    case 'payment.refused':
      return 'stock_verified';
    case 'ticket.cooking':
      return 'paid';
    case 'ticket.ready':
      return 'in_kitchen';
    case 'ticket.collected':
      return 'ready';
    // What follows from these depends on more than the status.
    case 'ticket.refused':
    case 'ticket.voided':
    case 'cancel.asked':
    case 'deadline.passed':
      return undefined;
  }
}

/** An order of which nothing is known but its status, and whether it was answered. */
function placeholder(orderId: string, status: OrderStatus): StoredOrder {
  return {
    ...{ orderId, status, studentId: '', fingerprint: '', lines: [] },
    ...{ totalCents: 0, pickupNumber: 0, reason: undefined, history: [], cancelBy: undefined },
    answered: status === 'pending' ? undefined : status,
  };
}

/** The order before moves that were foreseen and came true. */
export function beforeMoves(after: StoredOrder, { from, steps }: Foreseen): StoredOrder {
  return {
    ...after,
    status: from,
    reason: undefined,
    history: after.history.slice(0, after.history.length - steps.length),
    answered: from === 'pending' ? undefined : after.answered,
  };
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
  const { topic, event } = announcement;
  const events: unknown[] | undefined = emission[topic];
  if (events) events.push(event);
  else Object.assign(emission, { [topic]: [event] });
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
