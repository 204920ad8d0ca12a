import { limits, type MenuItem } from '@rushlight/contracts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type Cart,
  emptyCart,
  portions,
  priced,
  quantityOf,
  readCart,
  setQuantity,
  totalCents,
  troubleText,
} from '../src/domain/cart.ts';

const menu: MenuItem[] = [
  { itemId: 'lassi', name: 'Lassi', category: 'drinks', priceCents: 150, available: 5 },
  { itemId: 'haleem', name: 'Haleem', category: 'sides', priceCents: 220, available: 0 },
];

test('a cart adds, changes and removes lines in the order of adding', () => {
  const two = setQuantity(setQuantity(emptyCart, 'lassi', 2), 'haleem', 1);
  expect(two).toEqual([
    { itemId: 'lassi', quantity: 2 },
    { itemId: 'haleem', quantity: 1 },
  ]);
  expect(setQuantity(two, 'lassi', 0)).toEqual([{ itemId: 'haleem', quantity: 1 }]);
  expect(quantityOf(two, 'water')).toBe(0);
});

test('whatever is done to a cart, an order made of it keeps the limits', () => {
  const edits = fc.array(
    fc.record({ item: fc.nat(40), quantity: fc.oneof(fc.integer(), fc.double({ noNaN: true })) }),
    { maxLength: 120 },
  );
  fc.assert(
    fc.property(edits, (steps) => {
      const cart = steps.reduce<Cart>(
        (before, { item, quantity }) => setQuantity(before, `item-${item}`, quantity),
        emptyCart,
      );
      expect(cart.length).toBeLessThanOrEqual(limits.linesMax);
      expect(new Set(cart.map((line) => line.itemId)).size).toBe(cart.length);
      for (const { quantity } of cart) {
        expect(Number.isInteger(quantity)).toBe(true);
        expect(quantity).toBeGreaterThanOrEqual(1);
        expect(quantity).toBeLessThanOrEqual(limits.quantityMax);
      }
      expect(readCart(JSON.stringify(cart))).toEqual(cart);
    }),
  );
});

test('a cart shows the prices of the moment and what can no longer be had', () => {
  const cart = [
    { itemId: 'lassi', quantity: 6 },
    { itemId: 'haleem', quantity: 1 },
    { itemId: 'gone', quantity: 1 },
  ];
  const lines = priced(cart, menu);
  expect(lines.map(troubleText)).toEqual(['Only 5 left', 'Sold out', 'No longer on the menu']);
  expect(totalCents(lines)).toBe(6 * 150 + 220);
  expect(portions(cart)).toBe(8);
  expect(priced([{ itemId: 'lassi', quantity: 5 }], menu).map(troubleText)).toEqual([undefined]);
});

test.each(['', 'null', '{', '{"a":1}', '[1]', '[{"itemId":1,"quantity":1}]', '[{"itemId":"a"}]'])(
  'a kept cart that is odd is an empty one: %s',
  (text) => {
    expect(readCart(text)).toEqual([]);
  },
);
