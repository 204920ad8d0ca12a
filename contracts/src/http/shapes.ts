// The shapes that several public routes share.

import { z } from 'zod';
import { faultNames, faultTargets } from '../faults.ts';
import { limits } from '../limits.ts';
import { orderStatuses } from '../order-status.ts';
import { ItemId } from '../orders.ts';

export const Time = z.iso.datetime();
/** A line of text for people: no control characters and no halves of characters. */
export const line = (lengthMax: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(lengthMax)
    .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'text without control characters');
export const Cents = z.int().min(0).max(limits.moneyCentsMax);
export const StudentId = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/,
    'an id is 1 to 64 letters, digits, dots, dashes, underscores or @',
  );
export const Password = z.string().min(1).max(limits.passwordLengthMax);
export const IdempotencyKey = z.object({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e][\x20-\x7e]{0,254}$/, 'a key is 1 to 255 printable ASCII characters'),
});
/** A whole number in a query string. */
export const wholeNumber = (min: number, max: number, fallback: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, 'a whole number')
    .transform(Number)
    .pipe(z.int().min(min).max(max))
    .default(fallback);
/** An order id, in small letters however it was written: that is how everything else knows it. */
export const OrderId = z.uuid().toLowerCase();
export const OrderParams = z.strictObject({ orderId: OrderId });

export const Item = z.strictObject({
  itemId: ItemId,
  name: z.string(),
  category: z.string(),
  priceCents: Cents,
  version: z.int(),
  available: z.int(),
  onHand: z.int(),
  reserved: z.int(),
});
export type Item = z.infer<typeof Item>;

export const MenuItem = z.strictObject({
  itemId: ItemId,
  name: z.string(),
  category: z.string(),
  priceCents: Cents,
  available: z.int(),
});
export type MenuItem = z.infer<typeof MenuItem>;

export const Ticket = z.strictObject({
  orderId: z.uuid(),
  pickupNumber: z.int(),
  lines: z.array(z.strictObject({ itemId: ItemId, name: z.string(), quantity: z.int() })),
  status: z.enum(['waiting', 'cooking', 'ready', 'collected', 'refused', 'voided']),
  station: z.int().optional(),
  queuePosition: z.int().optional(),
  arrivedAt: Time,
  readyAt: Time.optional(),
});
export type Ticket = z.infer<typeof Ticket>;

/** The books of one item: `onHand` = initial + added − sold, `available` = onHand − reserved. */
export const AuditedItem = z.strictObject({
  itemId: ItemId,
  initial: z.int(),
  added: z.int(),
  sold: z.int(),
  reserved: z.int(),
  onHand: z.int(),
  available: z.int(),
});

export const AuditReport = z.strictObject({
  ok: z.boolean(),
  orders: z.strictObject({
    byStatus: z.partialRecord(z.enum(orderStatuses), z.int()),
    inFlight: z.int(),
  }),
  items: z.array(AuditedItem),
  money: z.strictObject({ captured: z.int(), refunded: z.int(), balanced: z.boolean() }),
  violations: z.array(
    z.strictObject({ rule: z.string(), subject: z.string(), detail: z.string() }),
  ),
});
export type AuditReport = z.infer<typeof AuditReport>;

export const ServiceState = z.strictObject({
  name: z.string(),
  state: z.enum(['up', 'degraded', 'down']),
  since: Time,
  dependencies: z.record(z.string(), z.enum(['up', 'down'])),
  pid: z.int().nullable(),
  memoryMb: z.number().nullable(),
});
export type ServiceState = z.infer<typeof ServiceState>;

export const ActiveFault = z.strictObject({
  id: z.string(),
  fault: z.enum(faultNames),
  target: z.enum(faultTargets as [string, ...string[]]),
  startedAt: Time,
  endsAt: Time,
});
export type ActiveFault = z.infer<typeof ActiveFault>;

export const DeadLetter = z.strictObject({
  id: z.string(),
  queue: z.string(),
  topic: z.string(),
  attempts: z.int(),
  error: z.string(),
  diedAt: Time,
  events: z.array(z.unknown()),
});
export type DeadLetter = z.infer<typeof DeadLetter>;
