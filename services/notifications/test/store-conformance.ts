// What every store of notifications promises, as tests. Each implementation runs these same ones.

import { randomUUID } from 'node:crypto';
import { orderStatuses } from '@rushlight/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { meaningOf } from '../src/steps.ts';
import { noLimit, type StreamRow, type StreamStore } from '../src/store.ts';
import { idOf, itemChanged, step, stockChanged } from './help.ts';

const sara = { orderId: idOf('sara'), studentId: 'sara' };
const omar = { orderId: idOf('omar'), studentId: 'omar' };

export function storeConformance(name: string, makeStore: () => Promise<StreamStore>): void {
  const all = (store: StreamStore) => store.read(0, noLimit, 1_000, {});
  const told = (rows: readonly StreamRow[]) => rows.map((row) => `${row.studentId} ${row.status}`);
  const menuOf = async (store: StreamStore) =>
    (await all(store)).filter(({ kind }) => kind === 'menu').map(({ data }) => JSON.parse(data));

  describe(name, () => {
    test('one event per order and status, whatever comes twice and in whatever order', async () => {
      const statuses = ['queued', 'stock_verified', 'paid', 'in_kitchen', 'ready'] as const;
      const anyDelivery = fc.array(
        fc.record({ message: fc.nat({ max: 9 }), together: fc.boolean() }),
        { minLength: 1, maxLength: 25 },
      );
      await fc.assert(
        fc.asyncProperty(anyDelivery, async (deliveries) => {
          const store = await makeStore();
          const seen = new Set<string>();
          let batch: ReturnType<typeof meaningOf>[] = [];
          for (const { message, together } of deliveries) {
            const status = statuses[message % 5] ?? 'paid';
            const orders = message < 5 ? [sara] : [omar, sara];
            for (const { studentId } of orders) seen.add(`${studentId} ${status}`);
            batch.push(meaningOf(step(status, orders, idOf(`message ${message}`))));
            if (together) continue;
            await store.take(batch, 1_000);
            batch = [];
          }
          await store.take(batch, 1_000);
          const rows = await all(store);
          expect(told(rows).sort()).toEqual([...seen].sort());
          expect(rows.map(({ id }) => id)).toEqual(
            [...new Set(rows.map(({ id }) => id))].sort((a, b) => a - b),
          );
          expect((await store.bounds()).headId).toBeGreaterThanOrEqual(rows.at(-1)?.id ?? 0);
        }),
        { numRuns: 20 },
      );
    });

    test('steps that are taken in together stand in the order of their life', async () => {
      const store = await makeStore();
      const statuses = ['ready', 'paid', 'in_kitchen', 'stock_verified'] as const;
      await store.take(
        statuses.map((status) => meaningOf(step(status, [sara]))),
        1_000,
      );
      expect(told(await all(store))).toEqual([
        'sara stock_verified',
        'sara paid',
        'sara in_kitchen',
        'sara ready',
      ]);
    });

    test('an event carries what the contract says', async () => {
      const store = await makeStore();
      await store.take(
        [meaningOf(step('in_kitchen', [sara])), meaningOf(step('rejected', [omar]))],
        1_000,
      );
      const data = (await all(store)).map((row) => JSON.parse(row.data));
      expect(data).toContainEqual({
        ...{ ...sara, pickupNumber: 7, status: 'in_kitchen' },
        ...{ at: '1970-01-01T00:00:01.000Z', readyAt: '1970-01-01T00:00:05.000Z' },
      });
      expect(data).toContainEqual(
        expect.objectContaining({ ...omar, status: 'rejected', reason: 'sold_out' }),
      );
    });

    test('the menu is told once per look, with the newest stock and the newest name', async () => {
      const store = await makeStore();
      const messages = [
        stockChanged('soup', 5, 5),
        stockChanged('soup', 9, 2),
        itemChanged('soup', 3),
        itemChanged('soup', 2),
        stockChanged('rice', 1, 1),
      ];
      await store.take(messages.slice(0, 2).map(meaningOf), 1_000);
      for (const message of messages.slice(2)) await store.take([meaningOf(message)], 1_000);
      expect(await store.tellMenu(0)).toBe(2);
      expect(await store.tellMenu(0)).toBe(0);
      const soup = { itemId: 'soup', name: 'soup 3', category: 'mains', priceCents: 3 };
      const menu = await menuOf(store);
      expect(menu).toHaveLength(2);
      expect(menu).toContainEqual({ ...soup, available: 5, removed: false });
      expect(menu).toContainEqual({ itemId: 'rice', available: 1 });

      await store.take([stockChanged('soup', 7, 4), itemChanged('soup', 3)].map(meaningOf), 1_000);
      expect(await store.tellMenu(0)).toBe(0);
      await store.take([meaningOf(stockChanged('soup', 4, 6))], 1_000);
      expect(await store.tellMenu(0)).toBe(1);
      expect((await menuOf(store)).at(-1)).toMatchObject({ itemId: 'soup', available: 4 });
    });

    test('a reader gets what is its own, in pages, up to a bound', async () => {
      const store = await makeStore();
      await store.take(
        [meaningOf(step('paid', [sara, omar])), meaningOf(stockChanged('a', 1, 1))],
        1_000,
      );
      await store.tellMenu(0);
      await store.take([meaningOf(step('ready', [sara, omar]))], 1_000);
      const rows = await all(store);
      expect(rows).toHaveLength(5);
      const mine = await store.read(0, noLimit, 100, { studentId: 'sara' });
      expect(told(mine)).toEqual(['sara paid', 'null null', 'sara ready']);
      const order = await store.read(0, noLimit, 100, { orderId: omar.orderId });
      expect(told(order)).toEqual(['omar paid', 'omar ready']);
      const [first, second, third] = rows.map(({ id }) => id);
      expect(await store.read(0, noLimit, 2, {})).toEqual(rows.slice(0, 2));
      expect(await store.read(first ?? 0, third ?? 0, 9, {})).toEqual(rows.slice(1, 3));
      expect(await store.read(second ?? 0, second ?? 0, 9, {})).toEqual([]);
      expect(await store.ownerOf(omar.orderId)).toBe('omar');
      expect(await store.ownerOf(randomUUID())).toBeUndefined();
    });

    test('messages out: each event until it was handed over, then never again', async () => {
      const store = await makeStore();
      await store.take(
        [meaningOf(step('paid', [sara])), meaningOf(step('ready', [sara, omar]))],
        1_000,
      );
      const sent: string[] = [];
      const send = async (rows: readonly StreamRow[]) => void sent.push(...told(rows));
      const failing = store.sendMessages(2, orderStatuses, async () => {
        throw new Error('the disk is full');
      });
      await expect(failing).rejects.toThrow('full');
      expect(await store.sendMessages(2, orderStatuses, send)).toBe(2);
      expect(await store.sendMessages(2, orderStatuses, send)).toBe(1);
      expect(await store.sendMessages(2, orderStatuses, send)).toBe(0);
      expect(sent.sort()).toEqual(['omar ready', 'sara paid', 'sara ready']);
    });

    test('messages out: only steps to the statuses asked for, and the others are passed', async () => {
      const store = await makeStore();
      const send = async (rows: readonly StreamRow[]) => void sent.push(...told(rows));
      const sent: string[] = [];
      const take = (status: 'paid' | 'ready', student: typeof sara) =>
        store.take([meaningOf(step(status, [student]))], 1_000);
      await take('paid', sara);
      await take('ready', sara);
      await take('paid', omar);
      expect(await store.sendMessages(1, ['ready'], send)).toBe(1);
      expect(await store.sendMessages(1, ['ready'], send)).toBe(0);
      await take('ready', omar);
      expect(await store.sendMessages(5, ['ready'], send)).toBe(1);
      expect(await store.sendMessages(5, ['paid'], send)).toBe(0);
      expect(sent).toEqual(['sara ready', 'omar ready']);
    });

    test('what is old is forgotten, at most so many rows at once, and it is known how far', async () => {
      const store = await makeStore();
      await store.take(
        [meaningOf(step('paid', [sara, omar])), meaningOf(step('ready', [sara]))],
        1_000,
      );
      const rows = await all(store);
      expect(await store.forget(1_000, 10)).toBe(0);
      expect(await store.forget(1_001, 2)).toBe(2);
      expect((await store.bounds()).forgottenId).toBe(rows[1]?.id);
      expect(await all(store)).toEqual(rows.slice(2));
      expect(await store.forget(1_001, 10)).toBe(1);
      expect(await store.bounds()).toEqual({
        headId: (await store.bounds()).headId,
        forgottenId: rows[2]?.id,
      });
    });
  });
}
