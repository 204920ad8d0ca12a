// Two ways of writing moves, one meaning: whatever is foreseen, and whatever comes in between, orders
// on Postgres end up as those in memory do, where each is looked at one by one.

import { createMemoryLedger, openPostgres, realEnvironment, silentLog } from '@rushlight/chassis';
import { freshDatabase } from '@rushlight/chassis/testing';
import type { Message } from '@rushlight/contracts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MemoryOrderStore } from '../src/memory-store.ts';
import type { OrderEvent } from '../src/order.ts';
import { createPostgresOrderStore } from '../src/postgres-store.ts';
import type { Move, StoredOrder } from '../src/store.ts';
import { newOrder, startMs } from './help.ts';

const ordersMax = 4;
const anyEvent: fc.Arbitrary<OrderEvent> = fc.constantFrom<OrderEvent[]>(
  { type: 'stock.reserved' },
  { type: 'stock.short', via: 'call' },
  { type: 'stock.short', via: 'bus' },
  { type: 'stock.unknown' },
  { type: 'payment.captured' },
  { type: 'payment.captured' },
  { type: 'payment.refused', reason: 'insufficient_funds' },
  { type: 'payment.refused', reason: 'payment_declined' },
  { type: 'ticket.cooking', readyAtMs: startMs + 9_000 },
  { type: 'ticket.ready' },
  { type: 'ticket.collected' },
  { type: 'ticket.refused' },
  { type: 'ticket.voided' },
);
const anyMoves = fc.array(fc.record({ order: fc.nat(ordersMax), event: anyEvent }), {
  minLength: 1,
  maxLength: 8,
});
const anyStep = fc.record({
  kind: fc.constantFrom('decide', 'decide', 'message', 'message', 'message again', 'cancel'),
  moves: anyMoves,
  /** Clocks of two machines differ. */
  atMs: fc.integer({ min: startMs - 5, max: startMs + 30 }),
});

test('any moves in any order do the same to orders on Postgres as in memory', {
  timeout: 60_000,
}, async () => {
  await using fresh = await freshDatabase('orders_moves');
  await using database = await openPostgres({
    ...{ url: fresh.url, name: 'orders', env: realEnvironment, log: silentLog },
    migrations: new URL('../migrations/', import.meta.url),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { maxLength: 12 }), async (steps) => {
      const ledger = createMemoryLedger({ env: realEnvironment });
      const stores = [createPostgresOrderStore(database), new MemoryOrderStore(ledger)] as const;
      const orders = Array.from({ length: ordersMax }, () => newOrder());
      const stranger = newOrder().orderId;
      const idOf = (index: number): string => orders[index]?.orderId ?? stranger;
      const accepted = await Promise.all(stores.map((store) => store.acceptBatch(orders)));
      const fresh = accepted.map((results) =>
        results.flatMap((result) => (result.kind === 'accepted' ? [result.order] : [])),
      );
      let messageId = realEnvironment.newId();
      for (const { kind, moves, atMs } of steps) {
        if (kind === 'message') messageId = realEnvironment.newId();
        const told = moves.map(({ order, event }): Move => ({ orderId: idOf(order), event }));
        const message = [{ messageId, moves: told }];
        for (const [index, store] of stores.entries()) {
          if (kind === 'decide') await store.decideBatch(told, atMs, fresh[index]);
          else if (kind === 'cancel') await store.cancel(idOf(0), 'admin', atMs);
          else await store.applyMessages([...message, ...message], atMs);
        }
      }
      const [kept, expected] = await Promise.all(
        stores.map((store) => Promise.all(orders.map(({ orderId }) => store.find(orderId)))),
      );
      expect(kept?.map(withoutNumber)).toEqual(expected?.map(withoutNumber));
      expect(await said(database.outbox)).toEqual(await said(ledger.outbox));
    }),
    { numRuns: 20 },
  );
});

type Outbox = { relay(limit: number, publish: (m: Message[]) => Promise<void>): Promise<number> };

/** All events that wait, in an order of their own: that of a batch means nothing. */
async function said(outbox: Outbox): Promise<string[]> {
  const events: string[] = [];
  const take = async (messages: Message[]): Promise<void> => {
    for (const { topic, events: own } of messages) {
      for (const event of own) {
        events.push(`${topic} ${JSON.stringify({ ...event, pickupNumber: 0 })}`);
      }
    }
  };
  while ((await outbox.relay(100, take)) > 0);
  return events.sort();
}

function withoutNumber(order: StoredOrder | undefined) {
  return { ...order, pickupNumber: 0 };
}
