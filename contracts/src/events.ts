// What travels over the bus.
//
// E1. A message carries a batch of events of one topic. It is written to the outbox in the
//     transaction that made it true, and its id never changes: consumers keep it in their inbox.
// E2. Messages arrive at least once and in any order; every handler must live with both.
// E3. A topic goes to the durable queue of each service that `queues` names, and, if it is in
//     `broadcasts`, as a lossy hint to every running process that listens.

import { z } from 'zod';
import { cancelReasons, ItemId, OrderLine, PricedLine, rejectReasons } from './orders.ts';
import type { ServiceName } from './services.ts';

const orderStep = {
  orderId: z.uuid(),
  studentId: z.string(),
  pickupNumber: z.int(),
  atMs: z.int(),
};

/** `release`: stock may be held for this order. `refund`: money may have been taken. */
const compensation = { release: z.boolean(), refund: z.boolean() };

export const topics = {
  'user.registered': z.object({
    studentId: z.string(),
    name: z.string(),
    openingCents: z.int().min(0),
  }),
  'token.revoked': z.object({
    /** One token, or all tokens of a subject that were issued before an instant. */
    tokenId: z.string().optional(),
    subject: z.string().optional(),
    issuedBeforeS: z.number().optional(),
    expiresAtS: z.int(),
  }),
  'item.changed': z.object({
    itemId: ItemId,
    name: z.string(),
    category: z.string(),
    priceCents: z.int(),
    removed: z.boolean(),
    version: z.int(),
  }),
  /** `stockVersion` grows with every change of the item's stock: keep the largest. */
  'stock.changed': z.object({
    itemId: ItemId,
    available: z.int(),
    stockVersion: z.int(),
  }),
  'stock.decided': z.object({ orderId: z.uuid(), outcome: z.enum(['reserved', 'short']) }),
  'payment.decided': z.object({
    orderId: z.uuid(),
    outcome: z.enum(['captured', 'insufficient_funds', 'payment_declined']),
  }),
  'ticket.changed': z.object({
    orderId: z.uuid(),
    status: z.enum(['cooking', 'ready', 'collected', 'refused', 'voided']),
    atMs: z.int(),
    readyAtMs: z.int().optional(),
  }),
  'order.queued': z.object({ ...orderStep, lines: z.array(OrderLine) }),
  'order.stock_verified': z.object({ ...orderStep, totalCents: z.int() }),
  'order.paid': z.object({ ...orderStep, lines: z.array(PricedLine) }),
  'order.in_kitchen': z.object({ ...orderStep, readyAtMs: z.int().optional() }),
  'order.ready': z.object(orderStep),
  'order.collected': z.object(orderStep),
  'order.rejected': z.object({ ...orderStep, ...compensation, reason: z.enum(rejectReasons) }),
  'order.cancelled': z.object({ ...orderStep, ...compensation, reason: z.enum(cancelReasons) }),
} as const;

export type Topic = keyof typeof topics;
export type EventOf<T extends Topic> = z.infer<(typeof topics)[T]>;

export type Message<T extends Topic = Topic> = {
  [K in T]: { id: string; topic: K; atMs: number; traceparent?: string; events: EventOf<K>[] };
}[T];

/** The durable queue of each service that consumes, and what is bound to it. */
export const queues = {
  inventory: ['order.queued', 'order.paid', 'order.rejected', 'order.cancelled'],
  payments: ['user.registered', 'order.stock_verified', 'order.rejected', 'order.cancelled'],
  kitchen: ['order.paid', 'order.cancelled'],
  orders: ['item.changed', 'stock.decided', 'payment.decided', 'ticket.changed'],
  notifications: [
    'stock.changed',
    'item.changed',
    'order.queued',
    'order.stock_verified',
    'order.paid',
    'order.in_kitchen',
    'order.ready',
    'order.collected',
    'order.rejected',
    'order.cancelled',
  ],
} as const satisfies Partial<Record<ServiceName, readonly Topic[]>>;

export type QueueName = keyof typeof queues;

export const queueNames = Object.keys(queues) as QueueName[];

/** Topics that every listening process also gets at once, without any promise. */
export const broadcasts = ['stock.changed', 'item.changed', 'token.revoked'] as const;
export type BroadcastTopic = (typeof broadcasts)[number];

/** The queues that a message of this topic goes to. */
export function queuesOf(topic: Topic): QueueName[] {
  return queueNames.filter((name) => (queues[name] as readonly Topic[]).includes(topic));
}

export function isBroadcast(topic: Topic): topic is BroadcastTopic {
  return (broadcasts as readonly Topic[]).includes(topic);
}
