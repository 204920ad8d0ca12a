// What the bus says, as what clients are told.

import { type Message, orderStatuses, type Topic } from '@rushlight/contracts';
import type { OrderStep, TakenMessage } from './store.ts';

type OrderTopic = Extract<Topic, `order.${string}`>;

/** The steps of a message of orders: one per event. */
export function stepsOf(message: Message<OrderTopic>): OrderStep[] {
  const status = message.topic.slice('order.'.length) as OrderStep['status'];
  return message.events.map((event) => ({
    orderId: event.orderId,
    studentId: event.studentId,
    status,
    pickupNumber: event.pickupNumber,
    atMs: event.atMs,
    reason: 'reason' in event ? event.reason : undefined,
    readyAtMs: 'readyAtMs' in event ? event.readyAtMs : undefined,
  }));
}

/** What a message of the queue means for the stream. @throws Error for one that is not bound to it */
export function meaningOf(message: Message): TakenMessage {
  const nothing = { messageId: message.id, steps: [], stock: [], items: [] };
  switch (message.topic) {
    case 'stock.changed':
      return { ...nothing, stock: message.events };
    case 'item.changed':
      return { ...nothing, items: message.events };
    case 'order.queued':
    case 'order.stock_verified':
    case 'order.paid':
    case 'order.in_kitchen':
    case 'order.ready':
    case 'order.collected':
    case 'order.rejected':
    case 'order.cancelled':
      return { ...nothing, steps: stepsOf(message) };
    default:
      throw new Error(`${message.topic} is not bound to the queue of notifications`);
  }
}

/** Steps that were taken in together, in the order in which they happened. */
export function inTimeOrder(steps: readonly OrderStep[]): OrderStep[] {
  const rank = (step: OrderStep): number =>
    (orderStatuses as readonly string[]).indexOf(step.status);
  return [...steps].sort((a, b) => a.atMs - b.atMs || rank(a) - rank(b));
}
