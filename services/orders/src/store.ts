// What orders keeps, as named atomic operations. Two implementations, one conformance suite.
//
// S1. A pair of student and key belongs to one order at most.
// S2. Every move is decided by `advance` on the locked order, and what follows from it for others is
//     emitted in the same transaction.
// S3. A message that comes again changes nothing.

import type { CancelReason, EventOf, OrderStatus, PricedLine } from '@rushlight/contracts';
import type { OrderEvent, Step } from './order.ts';

export type KeyUse = { studentId: string; key: string; fingerprint: string };

export type NewOrder = KeyUse & {
  orderId: string;
  lines: readonly PricedLine[];
  totalCents: number;
  acceptedAtMs: number;
  deadlineAtMs: number;
};

export type HistoryStep = { status: OrderStatus; atMs: number };

export type StoredOrder = {
  orderId: string;
  studentId: string;
  fingerprint: string;
  lines: readonly PricedLine[];
  totalCents: number;
  pickupNumber: number;
  status: OrderStatus;
  reason: string | undefined;
  history: readonly HistoryStep[];
  /** The status that the first answer told; undefined until there is one. */
  answered: OrderStatus | undefined;
  /** Who asked for the cancellation that the kitchen is deciding. */
  cancelBy: CancelReason | undefined;
};

export type Accepted =
  | { kind: 'accepted'; order: StoredOrder }
  | { kind: 'known'; order: StoredOrder }
  /** Another transaction had the key a moment ago, and let it go. */
  | { kind: 'contended' };

export type Move = { orderId: string; event: OrderEvent };

export type MovesOfMessage = { messageId: string; moves: readonly Move[] };

/** What became of an order, and how it stands now. */
export type Moved = { order: StoredOrder; step: Step };

export type MenuItem = EventOf<'item.changed'>;

export interface OrderStore {
  /** Writes orders as `pending`; where the key is known, says so instead. One result each, in order. */
  acceptBatch(orders: readonly NewOrder[]): Promise<Accepted[]>;
  /**
   * Moves orders after the call to inventory. Orders that do not exist are missing in the result.
   *
   * @param accepted those of them, as `acceptBatch` gave them, that need not be read again
   */
  decideBatch(
    moves: readonly Move[],
    atMs: number,
    accepted?: readonly StoredOrder[],
  ): Promise<Map<string, Moved>>;
  /** Moves orders because messages said so, all in one transaction. */
  applyMessages(messages: readonly MovesOfMessage[], atMs: number): Promise<void>;
  /** Cancels, or notes who asked where the kitchen decides. Undefined: no such order. */
  cancel(orderId: string, by: CancelReason, atMs: number): Promise<Moved | undefined>;
  /** Queues what has been pending since before this instant. Returns how many. */
  sweepPending(acceptedBeforeMs: number, atMs: number, limit: number): Promise<number>;
  /** Rejects what is not paid by its deadline. Returns how many. */
  sweepDeadlines(atMs: number, limit: number): Promise<number>;

  findByKeys(keys: readonly KeyUse[]): Promise<(StoredOrder | undefined)[]>;
  find(orderId: string): Promise<StoredOrder | undefined>;
  /** Newest first, older than the cursor. */
  list(filter: { studentId?: string; before?: string; limit: number }): Promise<StoredOrder[]>;
  countByStatus(): Promise<Partial<Record<OrderStatus, number>>>;
  /** By id, after this one. */
  page(after: string | undefined, limit: number): Promise<StoredOrder[]>;

  saveItems(messageId: string | undefined, items: readonly MenuItem[]): Promise<void>;
  /** Those of these items that are on the menu. */
  items(itemIds: readonly string[]): Promise<MenuItem[]>;

  /** Frees keys from before the one instant, forgets ended orders from before the other. */
  forget(keysBeforeMs: number, ordersBeforeMs: number, rowsMax: number): Promise<number>;
}

/** An order as it is when it was just written. */
export function pendingOrder(order: NewOrder, pickupNumber: number): StoredOrder {
  const { orderId, studentId, fingerprint, lines, totalCents, acceptedAtMs } = order;
  return {
    ...{ orderId, studentId, fingerprint, lines, totalCents, pickupNumber },
    status: 'pending',
    reason: undefined,
    history: [{ status: 'pending', atMs: acceptedAtMs }],
    answered: undefined,
    cancelBy: undefined,
  };
}
