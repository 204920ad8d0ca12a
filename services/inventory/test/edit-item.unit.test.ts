import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addItem, type EditOutcome, editItem, removeItem } from '../src/edit-item.ts';
import { dishes, searchMenu } from '../src/menu.ts';
import { available, type Item } from '../src/stock.ts';
import { itemOf } from './shop.ts';

function done(outcome: EditOutcome): Item {
  if (outcome.kind !== 'done') throw new Error(`refused: ${outcome.kind}`);
  return outcome.item;
}

test('no row of edits makes stock negative, or takes what is promised', () => {
  const anyEdit = fc.oneof(
    fc.record({ addStock: fc.integer({ min: -20, max: 20 }) }),
    fc.record({ setStock: fc.nat({ max: 20 }) }),
    fc.record({ priceCents: fc.nat({ max: 999 }) }),
  );
  fc.assert(
    fc.property(fc.nat({ max: 9 }), fc.array(anyEdit, { maxLength: 20 }), (reserved, edits) => {
      let item = itemOf('soup', 10, { reserved });
      for (const edit of edits) {
        const outcome = editItem(item, { version: item.version, ...edit });
        const delta = 'addStock' in edit ? edit.addStock : 0;
        expect(outcome.kind).toBe(available(item) + delta < 0 ? 'short' : 'done');
        if (outcome.kind !== 'done') continue;
        expect(outcome.item.version).toBe(item.version + 1);
        expect(outcome.item.stockVersion > item.stockVersion).toBe(
          available(outcome.item) !== available(item),
        );
        item = outcome.item;
        if ('setStock' in edit) expect(available(item)).toBe(edit.setStock);
        expect(item.reserved).toBe(reserved);
        expect(item.onHand).toBe(item.initial + item.added - item.sold);
      }
    }),
  );
});

test('an edit of another version is refused with the version of now', () => {
  const outcome = editItem(itemOf('soup', 1, { version: 7 }), { version: 6, name: 'Soup' });
  expect(outcome).toEqual({ kind: 'stale', current: 7 });
});

test('an id on the menu is taken; one that was removed is revived with the stock that is asked', () => {
  const dish = { itemId: 'soup', name: 'Soup', category: 'sides', priceCents: 300, stock: 4 };
  const sold = itemOf('soup', 10, { onHand: 7, sold: 3, reserved: 2 });
  expect(addItem(sold, dish).kind).toBe('taken');
  const removed = done(removeItem(sold));
  expect(removed).toMatchObject({ removed: true, onHand: 7, reserved: 2, version: 2 });
  expect(removeItem(removed).kind).toBe('unknown');
  expect(editItem(removed, { version: 2 }).kind).toBe('unknown');
  const revived = done(addItem(removed, dish));
  expect(revived).toMatchObject({ removed: false, onHand: 6, reserved: 2, added: -1, version: 3 });
  expect(available(revived)).toBe(4);
  expect(revived.stockVersion).toBeGreaterThan(removed.stockVersion);
});

test('a stock beyond all reason is refused', () => {
  const full = itemOf('soup', 1_000_000_000);
  expect(editItem(full, { version: 1, addStock: 1 }).kind).toBe('too_much');
});

test('the menu has 19 dishes in 4 courses, and is searched without regard to case', () => {
  expect(dishes).toHaveLength(19);
  expect(new Set(dishes.map((dish) => dish.itemId)).size).toBe(19);
  const items = dishes.map((dish) => ({ ...itemOf(dish.itemId, 1), ...dish }));
  const found = (query: Parameters<typeof searchMenu>[1]) =>
    searchMenu(items, query).map((item) => item.itemId);
  expect(found({})).toHaveLength(19);
  expect(new Set(searchMenu(items, {}).map((item) => item.category))).toEqual(
    new Set(['mains', 'sides', 'drinks', 'desserts']),
  );
  expect(found({ q: ' CHICKEN ' })).toEqual(['chicken-biryani', 'chicken-shawarma']);
  expect(found({ q: 'dessert' })).toHaveLength(3);
  expect(found({ q: "%' OR 1=1 --" })).toEqual([]);
  expect(found({ category: 'Drinks' })).toHaveLength(4);
  expect(found({ q: 'tea', category: 'drinks' })).toEqual([]);
});
