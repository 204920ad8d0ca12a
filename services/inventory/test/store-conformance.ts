// What every store of inventory promises, as tests. Each implementation runs these same ones.

import type { EventOf, Topic } from '@rushlight/contracts';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { available } from '../src/stock.ts';
import { type InventoryStore, itemChanged } from '../src/store.ts';
import {
  anyLines,
  anyRequests,
  anySizes,
  cancelled,
  cut,
  idOf,
  itemIds,
  kofta,
  PlainShop,
  paid,
  queued,
} from './shop.ts';

export type Emitted = { topic: Topic; events: readonly EventOf<Topic>[] };

export type StoreUnderTest = {
  store: InventoryStore;
  /** What was emitted since the last call, by topic: messages have no order. */
  emitted(): Promise<Emitted[]>;
  /** What was counted of it: the sum of these series. */
  counted(name: string, labels?: Readonly<Record<string, string>>): Promise<number>;
  close(): Promise<void>;
};

const dish = (itemId: string, stock: number) => ({
  itemId,
  name: itemId,
  category: 'mains',
  priceCents: 500,
  stock,
});

export function storeConformance(
  name: string,
  makeStore: (nowMs: () => number) => Promise<StoreUnderTest>,
): void {
  const open = async (stock: Record<string, number> = { kofta: 10, rice: 10, soup: 10 }) => {
    const clock = { nowMs: 1_000_000 };
    const made = await makeStore(() => clock.nowMs);
    onTestFinished(() => made.close());
    await made.store.seed(
      'test',
      Object.entries(stock).map(([itemId, count]) => dish(itemId, count)),
    );
    await made.emitted();
    const left = async (itemId: string) => {
      const item = await made.store.item(itemId);
      return item && available(item);
    };
    return { ...made, clock, left };
  };
  const sound = async (store: InventoryStore) => {
    const { violations } = await store.audit({ after: undefined, limit: 1_000 });
    expect(violations).toEqual([]);
  };

  describe(`${name}: the menu`, () => {
    test('a seed is sown once: it brings back no removed item and resets no stock', async () => {
      const { store, emitted, left } = await open();
      await store.reserveBatch('b', [kofta('a', 4)]);
      await store.removeItem('r', 'rice');
      await emitted();
      expect(
        await store.seed(
          'test',
          itemIds.map((id) => dish(id, 10)),
        ),
      ).toBe(false);
      expect(await emitted()).toEqual([]);
      expect(await left('kofta')).toBe(6);
      expect((await store.item('rice'))?.removed).toBe(true);
    });

    test('the first seed tells the world of all items, in one message', async () => {
      const made = await makeStore(() => 0);
      onTestFinished(() => made.close());
      expect(
        await made.store.seed(
          's',
          itemIds.map((id) => dish(id, 3)),
        ),
      ).toBe(true);
      const heard = await made.emitted();
      const changed = heard.filter(({ topic }) => topic === 'item.changed');
      expect(changed).toHaveLength(1);
      expect(changed[0]?.events).toEqual((await made.store.items()).map(itemChanged));
      const stock = heard.filter(({ topic }) => topic === 'stock.changed');
      expect(stock.flatMap(({ events }) => events)).toMatchObject(
        itemIds.map((itemId) => ({ itemId, available: 3, stockVersion: 1 })),
      );
    });

    test('an edit needs the version of now, and is told with it', async () => {
      const { store, emitted } = await open();
      const done = await store.editItem('e', 'kofta', { version: 1, priceCents: 7, addStock: -3 });
      expect(done).toMatchObject({ kind: 'done', item: { version: 2, priceCents: 7, onHand: 7 } });
      const again = await store.editItem('e', 'kofta', { version: 1, priceCents: 9 });
      expect(again).toEqual({ kind: 'stale', current: 2 });
      expect(await emitted()).toMatchObject([
        { topic: 'item.changed', events: [{ itemId: 'kofta', priceCents: 7, version: 2 }] },
        { topic: 'stock.changed', events: [{ itemId: 'kofta', available: 7 }] },
      ]);
      await sound(store);
    });

    test('what is promised cannot be taken off the shelf', async () => {
      const { store } = await open();
      await store.reserveBatch('b', [kofta('a', 8)]);
      const edit = { version: 1, addStock: -3 };
      expect(await store.editItem('e', 'kofta', edit)).toEqual({
        kind: 'short',
        available: 2,
        wanted: 3,
      });
      const set = await store.editItem('e', 'kofta', { version: 1, setStock: 0 });
      expect(set).toMatchObject({ kind: 'done', item: { onHand: 8, reserved: 8, added: -2 } });
      await sound(store);
    });

    test('a removed item is sold out, its holds are served, and its id can be revived', async () => {
      const { store, emitted } = await open();
      await store.reserveBatch('b', [kofta('a', 2)]);
      await emitted();
      expect((await store.removeItem('r', 'kofta')).kind).toBe('done');
      expect(await emitted()).toMatchObject([
        { topic: 'item.changed', events: [{ itemId: 'kofta', removed: true }] },
        { topic: 'stock.changed', events: [{ itemId: 'kofta', available: 0 }] },
      ]);
      expect(await store.reserveBatch('b', [kofta('b')])).toMatchObject([
        { outcome: 'short', left: 0 },
      ]);
      await store.commitPaid([paid('p', 'a')]);
      expect(await store.item('kofta')).toMatchObject({ sold: 2, onHand: 8, reserved: 0 });
      expect((await store.removeItem('r', 'kofta')).kind).toBe('unknown');
      const revived = await store.addItem('a', dish('kofta', 3));
      expect(revived).toMatchObject({ kind: 'done', item: { onHand: 3, sold: 2, version: 3 } });
      expect((await store.addItem('a', dish('kofta', 3))).kind).toBe('taken');
      await sound(store);
    });
  });

  describe(`${name}: reservations`, () => {
    test('any batching gives the answers of one order at a time', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.nat({ max: 9 }), { minLength: 3, maxLength: 3 }),
          anyRequests,
          anySizes,
          async (stock, requests, sizes) => {
            const shelf = itemIds.map((itemId, index) => [itemId, stock[index] ?? 0] as const);
            const under = await makeStore(() => 0);
            try {
              await under.store.seed(
                's',
                shelf.map(([itemId, count]) => dish(itemId, count)),
              );
              const model = new PlainShop(shelf);
              for (const batch of cut(requests, sizes)) {
                const answers = await under.store.reserveBatch('b', batch);
                expect(answers).toEqual(batch.map((request) => model.reserve(request)));
              }
              for (const item of await under.store.items()) {
                expect(available(item)).toBe(model.left.get(item.itemId));
              }
              await sound(under.store);
            } finally {
              await under.close();
            }
          },
        ),
        { numRuns: 15 },
      );
    });

    test('a batch tells the stock of the items it touched, once', async () => {
      const { store, emitted } = await open();
      const rice = { orderId: idOf('r'), lines: [{ itemId: 'rice', quantity: 3 }] };
      await store.reserveBatch('b', [kofta('a'), rice, kofta('b', 2), kofta('c', 99)]);
      const heard = await emitted();
      expect(heard).toHaveLength(1);
      expect(new Set(heard[0]?.events)).toEqual(
        new Set([
          { itemId: 'kofta', available: 7, stockVersion: 2 },
          { itemId: 'rice', available: 7, stockVersion: 2 },
        ]),
      );
      await store.reserveBatch('b', [kofta('a'), kofta('c', 99)]);
      expect(await emitted()).toEqual([]);
    });

    test('short leaves nothing behind when asked directly, and is final over the bus', async () => {
      const { store, emitted } = await open({ kofta: 1 });
      expect(await store.reserveBatch('b', [kofta('a', 2)])).toMatchObject([
        { outcome: 'short', itemId: 'kofta', left: 1 },
      ]);
      const decisions = await store.reserveQueued(queued('m', [kofta('a', 2), kofta('b')]));
      expect(decisions).toEqual([
        { orderId: idOf('a'), outcome: 'short' },
        { orderId: idOf('b'), outcome: 'reserved' },
      ]);
      expect((await emitted()).filter(({ topic }) => topic === 'stock.decided')).toEqual([
        { topic: 'stock.decided', events: decisions },
      ]);
      await store.editItem('e', 'kofta', { version: 1, addStock: 5 });
      expect(await store.reserveBatch('b', [kofta('a', 2)])).toMatchObject([
        { outcome: 'released' },
      ]);
      await sound(store);
    });

    test('a message that comes twice has one effect; another message says the same again', async () => {
      const { store, emitted, left } = await open();
      const message = queued('m', [kofta('a', 3)]);
      await store.reserveQueued(message);
      await store.reserveQueued(message);
      const heard = await emitted();
      expect(heard.filter(({ topic }) => topic === 'stock.decided')).toHaveLength(1);
      await store.reserveQueued(queued('m2', [kofta('a', 3)]));
      expect(await emitted()).toEqual([
        { topic: 'stock.decided', events: [{ orderId: idOf('a'), outcome: 'reserved' }] },
      ]);
      expect(await left('kofta')).toBe(7);
    });
  });

  describe(`${name}: what becomes of a hold`, () => {
    test('a payment sells it; `available` stays, so nobody need be told', async () => {
      const { store, emitted } = await open();
      await store.reserveBatch('b', [kofta('a', 3)]);
      await emitted();
      await store.commitPaid([paid('p', 'a')]);
      await store.commitPaid([paid('p', 'a')]);
      await store.commitPaid([paid('p2', 'a')]);
      expect(await emitted()).toEqual([]);
      expect(await store.item('kofta')).toMatchObject({ sold: 3, onHand: 7, reserved: 0 });
      expect(await store.reserveBatch('b', [kofta('a', 3)])).toMatchObject([
        { outcome: 'reserved' },
      ]);
      await sound(store);
    });

    test('what is written is counted, and what comes again is not', async () => {
      const { store, counted } = await open();
      const updates = (operation: string) =>
        counted('stock_updates_total', { operation, result: 'ok' });
      for (let round = 0; round < 2; round++) {
        await store.reserveBatch('b', [kofta('a', 3), kofta('b', 2), kofta('c', 99)]);
        await store.reserveQueued(queued('q', [kofta('a', 3), kofta('d')]));
        await store.reserveQueued(queued(`q${round}`, [kofta('d')]));
        await store.commitPaid([paid('p', 'a'), paid('p', 'a')]);
        await store.commitPaid([paid(`p${round}`, 'a')]);
        await store.releaseEnded(cancelled('c', ['a', 'b', 'unknown']));
        await store.releaseEnded(cancelled(`c${round}`, ['a', 'b']));
      }
      const counts = ['reserve', 'commit', 'release', 'edit'].map(updates);
      expect(await Promise.all(counts)).toEqual([3, 1, 2, 3]);
      expect(await counted('portions_sold_total', { item: 'kofta' })).toBe(3);
    });

    test('an end gives it back, from the shelf or from the sold ones, once', async () => {
      const { store, emitted, left } = await open();
      await store.reserveBatch('b', [kofta('a', 3), kofta('b', 2)]);
      await store.commitPaid([paid('p', 'b')]);
      await emitted();
      await store.releaseEnded(cancelled('c', ['a', 'b']));
      await store.releaseEnded(cancelled('c2', ['a', 'b']));
      expect(await emitted()).toEqual([
        {
          topic: 'stock.changed',
          events: [{ itemId: 'kofta', available: 10, stockVersion: 3 }],
        },
      ]);
      expect(await store.item('kofta')).toMatchObject({ sold: 0, onHand: 10, reserved: 0 });
      expect(await store.reserveBatch('b', [kofta('a', 3)])).toMatchObject([
        { outcome: 'released' },
      ]);
      expect(await left('kofta')).toBe(10);
      await sound(store);
    });

    test('an end that comes first leaves a tombstone: the late reserve is refused', async () => {
      const { store, left } = await open();
      await store.releaseEnded(cancelled('c', ['a']));
      expect(await store.reserveBatch('b', [kofta('a')])).toEqual([
        { orderId: idOf('a'), outcome: 'released' },
      ]);
      expect(await store.reserveQueued(queued('m', [kofta('a')]))).toEqual([
        { orderId: idOf('a'), outcome: 'short' },
      ]);
      expect(await left('kofta')).toBe(10);
    });

    test('an end that need not release anything leaves nothing', async () => {
      const { store } = await open();
      await store.releaseEnded(cancelled('c', ['a'], false));
      expect(await store.reserveBatch('b', [kofta('a')])).toMatchObject([{ outcome: 'reserved' }]);
    });

    test('a payment without a hold, or after the end, changes nothing', async () => {
      const { store } = await open();
      await store.reserveBatch('b', [kofta('a')]);
      await store.releaseEnded(cancelled('c', ['a']));
      expect(await store.commitPaid([paid('p', 'a', 'ghost')])).toEqual({
        unknown: [idOf('ghost')],
      });
      expect(await store.item('kofta')).toMatchObject({ sold: 0, onHand: 10, reserved: 0 });
      await sound(store);
    });

    test('in any order, with any repetition, the books add up and nothing is sold twice', async () => {
      const anyStep = fc.record({
        kind: fc.constantFrom('reserve', 'queue', 'pay', 'cancel', 'cancel without release'),
        orders: fc.array(fc.nat({ max: 5 }), { minLength: 1, maxLength: 4 }),
        message: fc.nat({ max: 6 }),
      });
      const orders = fc.array(anyLines, { minLength: 6, maxLength: 6 });
      await fc.assert(
        fc.asyncProperty(orders, fc.array(anyStep, { maxLength: 14 }), async (lines, steps) => {
          const under = await makeStore(() => 0);
          const { store } = under;
          try {
            await store.seed(
              's',
              itemIds.map((itemId) => dish(itemId, 6)),
            );
            for (const { kind, orders: picks, message } of steps) {
              const names = picks.map((pick) => `order ${pick}`);
              const asked = picks.map((pick) => ({
                orderId: idOf(`order ${pick}`),
                lines: lines[pick] ?? [],
              }));
              const id = `${kind} ${message}`;
              if (kind === 'reserve') await store.reserveBatch(id, asked);
              else if (kind === 'queue') await store.reserveQueued(queued(id, asked));
              else if (kind === 'pay') await store.commitPaid([paid(id, ...names)]);
              else await store.releaseEnded(cancelled(id, names, kind === 'cancel'));
              await sound(store);
            }
            const { holds } = await store.audit({ after: undefined, limit: 100 });
            for (const { itemId, sold, reserved } of await store.items()) {
              const held = (status: string) =>
                holds
                  .filter((hold) => hold.status === status)
                  .flatMap((hold) => hold.lines)
                  .filter((line) => line.itemId === itemId)
                  .reduce((sum, line) => sum + line.quantity, 0);
              expect([sold, reserved]).toEqual([held('committed'), held('reserved')]);
            }
          } finally {
            await under.close();
          }
        }),
        { numRuns: 15 },
      );
    });
  });

  describe(`${name}: audit and retention`, () => {
    test('holds come in pages, by order id', async () => {
      const { store } = await open({ kofta: 100 });
      const orders = Array.from({ length: 25 }, (_, index) => kofta(`order ${index}`));
      await store.reserveBatch('b', orders);
      const seen: string[] = [];
      for (let after: string | undefined; ; ) {
        const page = await store.audit({ after, limit: 10 });
        expect(page.holds.length).toBeLessThanOrEqual(10);
        seen.push(...page.holds.map((hold) => hold.orderId));
        if (page.next === undefined) break;
        after = page.next;
      }
      expect(seen).toEqual(orders.map((order) => order.orderId).sort());
    });

    test('old holds that ended are forgotten, and the books still add up', async () => {
      const { store, clock } = await open();
      await store.reserveBatch('b', [kofta('sold'), kofta('back'), kofta('open')]);
      await store.commitPaid([paid('p', 'sold')]);
      await store.releaseEnded(cancelled('c', ['back']));
      const cutMs = clock.nowMs + 1;
      clock.nowMs += 10;
      await store.reserveBatch('b', [kofta('young')]);
      await store.commitPaid([paid('p2', 'young')]);
      expect(await store.forget(cutMs, 100)).toBeGreaterThanOrEqual(2);
      const { holds } = await store.audit({ after: undefined, limit: 100 });
      expect(new Set(holds.map((hold) => hold.orderId))).toEqual(
        new Set([idOf('open'), idOf('young')]),
      );
      expect(await store.item('kofta')).toMatchObject({ sold: 2, reserved: 1, onHand: 8 });
      await sound(store);
    });
  });
}
