// What a stream of server-sent events carries. The `id` of each is one global, gapless order:
// resume with Last-Event-ID. After 24 h, or with an unknown id, a `reset` event says: read anew.

import { z } from 'zod';
import { orderStatuses } from './order-status.ts';
import { cancelReasons, ItemId, rejectReasons } from './orders.ts';

export const streamEvents = {
  order: z.strictObject({
    orderId: z.uuid(),
    studentId: z.string(),
    pickupNumber: z.int(),
    status: z.enum(orderStatuses),
    reason: z.enum([...rejectReasons, ...cancelReasons]).optional(),
    at: z.iso.datetime(),
    readyAt: z.iso.datetime().optional(),
  }),
  menu: z.strictObject({
    itemId: ItemId,
    available: z.int().optional(),
    name: z.string().optional(),
    category: z.string().optional(),
    priceCents: z.int().optional(),
    removed: z.boolean().optional(),
  }),
  reset: z.strictObject({ why: z.string() }),
} as const;

export type StreamEventKind = keyof typeof streamEvents;
export type StreamEvent = {
  [K in StreamEventKind]: { kind: K; data: z.infer<(typeof streamEvents)[K]> };
}[StreamEventKind];
