import { z } from 'zod';
import { limits } from './limits.ts';
import { orderStatuses } from './order-status.ts';

export const rejectReasons = [
  'sold_out',
  'insufficient_funds',
  'payment_declined',
  'deadline',
] as const;
export type RejectReason = (typeof rejectReasons)[number];

export const cancelReasons = ['student', 'admin', 'kitchen'] as const;
export type CancelReason = (typeof cancelReasons)[number];

export const ItemId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'an item id is lower-case letters, digits and dashes');

/** What a student asks for: one line per item. */
export const OrderLine = z.strictObject({
  itemId: ItemId,
  quantity: z.int().min(1).max(limits.quantityMax),
});
export type OrderLine = z.infer<typeof OrderLine>;

export const OrderLines = z
  .array(OrderLine)
  .min(1)
  .max(limits.linesMax)
  .refine((lines) => new Set(lines.map((line) => line.itemId)).size === lines.length, {
    message: 'an item may stand in one line only; add the quantities',
  });

/** A line as it was sold: with the name and the price of the moment it was accepted. */
export const PricedLine = z.strictObject({
  itemId: ItemId,
  name: z.string(),
  quantity: z.int(),
  priceCents: z.int(),
});
export type PricedLine = z.infer<typeof PricedLine>;

export const OrderView = z.strictObject({
  orderId: z.uuid(),
  pickupNumber: z.int(),
  studentId: z.string(),
  lines: z.array(PricedLine),
  totalCents: z.int(),
  status: z.enum(orderStatuses),
  reason: z.enum([...rejectReasons, ...cancelReasons]).optional(),
  history: z.array(z.strictObject({ status: z.enum(orderStatuses), at: z.iso.datetime() })),
  queuePosition: z.int().optional(),
  readyAt: z.iso.datetime().optional(),
});
export type OrderView = z.infer<typeof OrderView>;
