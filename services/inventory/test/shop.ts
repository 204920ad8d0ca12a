// What the tests of inventory share: generators, a plain model, and small makers.

import { createHash } from 'node:crypto';
import type { Message, OrderLine, Topic } from '@rushlight/contracts';
import fc from 'fast-check';
import type { ReserveAnswer, ReserveRequest } from '../src/reserve.ts';
import type { Item } from '../src/stock.ts';

/** A UUID that is the same for the same text, in every run. */
export function idOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

export function messageOf<T extends Topic>(
  id: string,
  topic: T,
  events: Message<T>['events'],
): Message<T> {
  return { id: idOf(id), topic, atMs: 0, events } as Message<T>;
}

export function itemOf(itemId: string, stock: number, changed: Partial<Item> = {}): Item {
  return {
    itemId,
    name: itemId,
    category: 'mains',
    priceCents: 500,
    removed: false,
    version: 1,
    initial: stock,
    added: 0,
    sold: 0,
    onHand: stock,
    reserved: 0,
    stockVersion: 1,
    ...changed,
  };
}

export const orderStep = (orderId: string) => ({
  orderId,
  studentId: 'student1',
  pickupNumber: 1,
  atMs: 0,
});

export const kofta = (order: string, quantity = 1) => ({
  orderId: idOf(order),
  lines: [{ itemId: 'kofta', quantity }],
});
export const queued = (id: string, orders: ReturnType<typeof kofta>[]) =>
  messageOf(
    id,
    'order.queued',
    orders.map((order) => ({ ...orderStep(order.orderId), lines: [...order.lines] })),
  );
export const paid = (id: string, ...orders: string[]) =>
  messageOf(
    id,
    'order.paid',
    orders.map((order) => ({ ...orderStep(idOf(order)), lines: [] })),
  );
export const cancelled = (id: string, orders: string[], release = true) =>
  messageOf(
    id,
    'order.cancelled',
    orders.map((order) => ({
      ...orderStep(idOf(order)),
      release,
      refund: false,
      reason: 'student' as const,
    })),
  );

export const itemIds = ['kofta', 'rice', 'soup'];

export const anyLines: fc.Arbitrary<OrderLine[]> = fc.uniqueArray(
  fc.record({
    itemId: fc.constantFrom(...itemIds, 'unheard-of'),
    quantity: fc.integer({ min: 1, max: 4 }),
  }),
  { minLength: 1, maxLength: 3, selector: (line) => line.itemId },
);

/** Few orders, so that repetitions are common; an order always has the same lines. */
export const anyRequests: fc.Arbitrary<ReserveRequest[]> = fc
  .tuple(
    fc.array(anyLines, { minLength: 1, maxLength: 12 }),
    fc.array(fc.nat({ max: 11 }), { maxLength: 40 }),
  )
  .map(([orders, picks]) =>
    picks.map((pick) => {
      const index = pick % orders.length;
      return { orderId: idOf(`order ${index}`), lines: orders[index] ?? [] };
    }),
  );

/** Cuts a list into batches at any places. */
export function cut<T>(list: readonly T[], sizes: readonly number[]): T[][] {
  const batches: T[][] = [];
  for (let from = 0, index = 0; from < list.length; index++) {
    const size = sizes[index % Math.max(1, sizes.length)] ?? 1;
    batches.push(list.slice(from, from + size));
    from += size;
  }
  return batches;
}

export const anySizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });

/** One order at a time, on plain maps: what the batch must be equal to. */
export class PlainShop {
  readonly left: Map<string, number>;
  readonly #held = new Set<string>();
  readonly #refused = new Set<string>();

  constructor(stock: Iterable<readonly [string, number]>) {
    this.left = new Map(stock);
  }

  reserve({ orderId, lines }: ReserveRequest, shortIsFinal = false): ReserveAnswer {
    if (this.#held.has(orderId)) return { orderId, outcome: 'reserved' };
    if (this.#refused.has(orderId)) return { orderId, outcome: 'released' };
    for (const { itemId, quantity } of lines) {
      const left = this.left.get(itemId) ?? 0;
      if (left >= quantity) continue;
      if (shortIsFinal) this.#refused.add(orderId);
      return { orderId, outcome: 'short', itemId, left };
    }
    for (const { itemId, quantity } of lines) {
      this.left.set(itemId, (this.left.get(itemId) ?? 0) - quantity);
    }
    this.#held.add(orderId);
    return { orderId, outcome: 'reserved' };
  }
}
