import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ReserveAnswer, reserve } from '../src/reserve.ts';
import { available, type Hold, type Item } from '../src/stock.ts';
import { anyRequests, anySizes, cut, idOf, itemIds, itemOf, PlainShop } from './shop.ts';

test('batches of any size give the answers and the stock of one order at a time', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat({ max: 12 }), { minLength: 3, maxLength: 3 }),
      anyRequests,
      anySizes,
      fc.boolean(),
      (stock, requests, sizes, shortIsFinal) => {
        const model = new PlainShop(itemIds.map((itemId, index) => [itemId, stock[index] ?? 0]));
        const items = new Map<string, Item>(
          itemIds.map((itemId, index) => [itemId, itemOf(itemId, stock[index] ?? 0)]),
        );
        const holds = new Map<string, Hold>();
        const answers: ReserveAnswer[] = [];
        for (const batch of cut(requests, sizes)) {
          const statuses = new Map([...holds].map(([id, hold]) => [id, hold.status]));
          const decided = reserve(items, statuses, batch, shortIsFinal);
          answers.push(...decided.answers);
          for (const item of decided.change.items) items.set(item.itemId, item);
          for (const hold of decided.change.newHolds) {
            expect(holds.has(hold.orderId)).toBe(false);
            holds.set(hold.orderId, hold);
          }
        }
        expect(answers).toEqual(requests.map((request) => model.reserve(request, shortIsFinal)));
        for (const itemId of itemIds) {
          const item = items.get(itemId);
          expect(item && available(item)).toBe(model.left.get(itemId));
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('what is written adds up: the entries, the holds and the balances tell the same', () => {
  fc.assert(
    fc.property(fc.nat({ max: 30 }), anyRequests, (stock, requests) => {
      const items = new Map(itemIds.map((itemId) => [itemId, itemOf(itemId, stock)]));
      const { change } = reserve(items, new Map(), requests, false);
      for (const item of change.items) {
        const held = change.newHolds
          .flatMap((hold) => hold.lines)
          .filter((line) => line.itemId === item.itemId)
          .reduce((sum, line) => sum + line.quantity, 0);
        const entry = change.entries.find(({ itemId }) => itemId === item.itemId);
        expect([entry?.quantity, item.reserved]).toEqual([held, held]);
        expect(item.stockVersion).toBe(2);
      }
    }),
  );
});

test('an item that was removed, and one that nobody knows, have nothing left', () => {
  const items = new Map([['soup', itemOf('soup', 5, { removed: true })]]);
  const ask = (itemId: string) => ({ orderId: idOf(itemId), lines: [{ itemId, quantity: 1 }] });
  const { answers, change } = reserve(items, new Map(), [ask('soup'), ask('sushi')], false);
  expect(answers).toMatchObject([
    { outcome: 'short', itemId: 'soup', left: 0 },
    { outcome: 'short', itemId: 'sushi', left: 0 },
  ]);
  expect(change).toEqual({ items: [], newHolds: [], movedHolds: [], entries: [] });
});

test('lines that repeat an item are counted together', () => {
  const items = new Map([['soup', itemOf('soup', 3)]]);
  const line = { itemId: 'soup', quantity: 2 };
  const twice = { orderId: idOf('twice'), lines: [line, line] };
  const { answers } = reserve(items, new Map(), [twice], false);
  expect(answers).toMatchObject([{ outcome: 'short', itemId: 'soup', left: 3 }]);
});
