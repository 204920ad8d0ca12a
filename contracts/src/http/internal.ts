// Routes between our own services. Each refuses callers without a service token.

import { z } from 'zod';
import { limits } from '../limits.ts';
import { orderStatuses } from '../order-status.ts';
import { ItemId, OrderLine } from '../orders.ts';
import type { Route } from './route.ts';
import { AuditedItem, Item, OrderId, StudentId } from './shapes.ts';

const page = z.strictObject({
  after: OrderId.optional(),
  limit: z
    .string()
    .regex(/^\d{1,5}$/)
    .transform(Number)
    .pipe(z.int().min(1).max(10_000))
    .default(5_000),
});

/** A key as its student used it. `fingerprint` is a hash of the body, equal for equal lines. */
const KeyUse = z.strictObject({ studentId: z.string(), key: z.string(), fingerprint: z.string() });

/** As `newTraceId` makes them: an order id can be made of it. */
const TraceId = z.string().regex(/^0{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}$/);

/** An answer to a student, ready to be sent: `body` is JSON text, so that a replay is byte-equal. */
const Answer = z.strictObject({
  status: z.int(),
  body: z.string(),
  retryAfterS: z.int().optional(),
});
export type Answer = z.infer<typeof Answer>;

export const AuditedOrder = z.strictObject({
  orderId: z.uuid(),
  studentId: z.string(),
  status: z.enum(orderStatuses),
  totalCents: z.int(),
  lines: z.array(OrderLine),
  /** When it took its present status. */
  changedAtMs: z.int(),
});
export type AuditedOrder = z.infer<typeof AuditedOrder>;

export const AuditedHold = z.strictObject({
  orderId: z.uuid(),
  status: z.enum(['reserved', 'committed', 'released']),
  lines: z.array(OrderLine),
});
export type AuditedHold = z.infer<typeof AuditedHold>;

export const AuditedPayment = z.strictObject({
  orderId: z.uuid(),
  status: z.enum(['charging', 'captured', 'declined', 'refunded', 'voided']),
  capturedCents: z.int(),
  refundedCents: z.int(),
});
export type AuditedPayment = z.infer<typeof AuditedPayment>;

const AuditedViolation = z.strictObject({
  rule: z.string(),
  subject: z.string(),
  detail: z.string(),
});

export const ordersApi = {
  placeOrders: {
    method: 'POST',
    path: '/internal/orders/batch',
    summary: 'Place a batch of orders; one answer each, in the same order.',
    who: 'service',
    owner: 'orders',
    priority: 'checkout',
    bodyBytesMax: limits.internalBodyBytesMax,
    body: z.object({
      orders: z
        .array(KeyUse.extend({ lines: z.array(OrderLine), traceId: TraceId }))
        .min(1)
        .max(limits.orderBatchMax),
    }),
    replies: { 200: z.object({ answers: z.array(Answer) }) },
    errors: [],
  },
  lookUpKeys: {
    method: 'POST',
    path: '/internal/orders/keys',
    summary: 'The stored answers to a batch of keys; null where a key is unknown.',
    who: 'service',
    owner: 'orders',
    priority: 'checkout',
    repeatable: true,
    bodyBytesMax: limits.internalBodyBytesMax,
    body: z.object({ keys: z.array(KeyUse).min(1).max(limits.orderBatchMax) }),
    replies: { 200: z.object({ answers: z.array(Answer.nullable()) }) },
    errors: [],
  },
  auditOrders: {
    method: 'GET',
    path: '/internal/audit',
    summary: 'Sums and a page of orders, by id.',
    who: 'service',
    owner: 'orders',
    priority: 'read',
    query: page,
    replies: {
      200: z.strictObject({
        /** Of all orders, on the first page; empty on the others. */
        byStatus: z.partialRecord(z.enum(orderStatuses), z.int()),
        orders: z.array(AuditedOrder),
        next: z.string().optional(),
      }),
    },
    errors: [],
  },
} as const satisfies Record<string, Route>;

export const inventoryApi = {
  reserve: {
    method: 'POST',
    path: '/internal/stock/reserve',
    summary: 'Reserve a batch: all lines of an order or none, in the order given.',
    who: 'service',
    owner: 'inventory',
    priority: 'checkout',
    repeatable: true,
    bodyBytesMax: limits.internalBodyBytesMax,
    body: z.object({
      orders: z
        .array(z.object({ orderId: z.uuid(), lines: z.array(OrderLine) }))
        .min(1)
        .max(limits.orderBatchMax),
    }),
    replies: {
      200: z.object({
        answers: z.array(
          z.discriminatedUnion('outcome', [
            z.object({ orderId: z.uuid(), outcome: z.literal('reserved') }),
            z.object({
              orderId: z.uuid(),
              outcome: z.literal('short'),
              itemId: ItemId,
              left: z.int(),
            }),
            /** Released before it came: it will never be reserved. */
            z.object({ orderId: z.uuid(), outcome: z.literal('released') }),
          ]),
        ),
      }),
    },
    errors: [],
  },
  stock: {
    method: 'GET',
    path: '/internal/stock',
    summary: 'All items with their stock, to fill a view from scratch.',
    who: 'service',
    owner: 'inventory',
    priority: 'read',
    replies: {
      200: z.strictObject({
        items: z.array(Item.extend({ stockVersion: z.int(), removed: z.boolean() })),
      }),
    },
    errors: [],
  },
  auditStock: {
    method: 'GET',
    path: '/internal/audit',
    summary: 'Sums per item, broken rules, and a page of holds, by order id.',
    who: 'service',
    owner: 'inventory',
    priority: 'read',
    query: page,
    replies: {
      200: z.strictObject({
        items: z.array(AuditedItem),
        holds: z.array(AuditedHold),
        violations: z.array(AuditedViolation),
        next: z.string().optional(),
      }),
    },
    errors: [],
  },
} as const satisfies Record<string, Route>;

export const paymentsApi = {
  fundWallets: {
    method: 'POST',
    path: '/internal/wallets/fund',
    summary: 'Bring each of these wallets to exactly this balance, opening those that are missing.',
    who: 'service',
    owner: 'payments',
    priority: 'lab',
    bodyBytesMax: limits.internalBodyBytesMax,
    body: z.object({
      studentIds: z.array(StudentId).min(1).max(limits.crowdStudentsMax),
      balanceCents: z.int().min(0).max(limits.moneyCentsMax),
    }),
    replies: { 204: null },
    errors: [],
  },
  auditPayments: {
    method: 'GET',
    path: '/internal/audit',
    summary: "Sums by the provider's ledger, broken rules, and a page of payments, by order id.",
    who: 'service',
    owner: 'payments',
    priority: 'read',
    query: page,
    replies: {
      200: z.strictObject({
        capturedCents: z.int(),
        refundedCents: z.int(),
        balanced: z.boolean(),
        payments: z.array(AuditedPayment),
        violations: z.array(AuditedViolation),
        next: z.string().optional(),
      }),
    },
    errors: [],
  },
} as const satisfies Record<string, Route>;

export const kitchenApi = {
  voidTicket: {
    method: 'POST',
    path: '/internal/tickets/void',
    summary: 'Void the ticket of a cancelled order, also before it arrives. Repeatable.',
    who: 'service',
    owner: 'kitchen',
    priority: 'checkout',
    body: z.object({ orderId: OrderId }),
    replies: {
      200: z.object({ outcome: z.enum(['voided', 'started']) }),
    },
    errors: [],
  },
  estimates: {
    method: 'POST',
    path: '/internal/tickets/estimates',
    summary: 'Queue position and time of readiness of these orders, where there is a ticket.',
    who: 'service',
    owner: 'kitchen',
    priority: 'read',
    body: z.object({ orderIds: z.array(OrderId).min(1).max(limits.pageMax) }),
    replies: {
      200: z.object({
        estimates: z.array(
          z.object({
            orderId: z.uuid(),
            queuePosition: z.int().optional(),
            readyAtMs: z.int().optional(),
          }),
        ),
      }),
    },
    errors: [],
  },
  auditTickets: {
    method: 'GET',
    path: '/internal/audit',
    summary: 'A page of tickets, by order id.',
    who: 'service',
    owner: 'kitchen',
    priority: 'read',
    query: page,
    replies: {
      200: z.strictObject({
        tickets: z.array(
          z.strictObject({
            orderId: z.uuid(),
            status: z.enum(['waiting', 'cooking', 'ready', 'collected', 'refused', 'voided']),
          }),
        ),
        next: z.string().optional(),
      }),
    },
    errors: [],
  },
} as const satisfies Record<string, Route>;

export const identityApi = {
  jwks: {
    method: 'GET',
    path: '/.well-known/jwks.json',
    summary: 'The public keys of user tokens.',
    who: 'anyone',
    owner: 'identity',
    priority: 'read',
    replies: { 200: z.object({ keys: z.array(z.record(z.string(), z.unknown())) }) },
    errors: [],
  },
  revocations: {
    method: 'GET',
    path: '/internal/revocations',
    summary: 'Every revocation that still matters, to fill a view from scratch.',
    who: 'service',
    owner: 'identity',
    priority: 'read',
    replies: {
      200: z.object({
        revocations: z.array(
          z.object({
            tokenId: z.string().optional(),
            subject: z.string().optional(),
            issuedBeforeS: z.number().optional(),
            expiresAtS: z.int(),
          }),
        ),
      }),
    },
    errors: [],
  },
  makeCrowd: {
    method: 'POST',
    path: '/internal/crowd',
    summary: 'Make n students without passwords, with fresh tokens. Asking again: fresh tokens.',
    who: 'service',
    owner: 'identity',
    priority: 'lab',
    lab: true,
    body: z.object({ students: z.int().min(1).max(limits.crowdStudentsMax) }),
    replies: {
      200: z.object({
        students: z.array(z.object({ studentId: StudentId, token: z.string() })),
      }),
    },
    errors: [],
  },
} as const satisfies Record<string, Route>;
