import type { MenuItem } from '@rushlight/contracts';
import { expect, test } from 'vitest';
import { categoriesOf, leftText, search, withMenuEvent } from '../src/domain/menu.ts';
import { readMenu, rememberMenu, rememberOrder, withSeen } from '../src/live/seen.ts';

const lassi = { itemId: 'lassi', name: 'Lassi', category: 'drinks', priceCents: 150, available: 5 };
const naan = { itemId: 'naan', name: 'Naan', category: 'sides', priceCents: 80, available: 9 };
const menu: MenuItem[] = [lassi, naan];

test('an event changes only what it speaks of', () => {
  expect(withMenuEvent(menu, { itemId: 'naan', available: 0 })).toEqual([
    lassi,
    { ...naan, available: 0 },
  ]);
  expect(withMenuEvent(menu, { itemId: 'lassi', removed: true })).toEqual([naan]);
});

test('a new item joins when the event says all of it; otherwise the menu must be read', () => {
  const tea = { itemId: 'tea', name: 'Tea', category: 'drinks', priceCents: 50, available: 3 };
  expect(withMenuEvent(menu, tea)).toEqual([...menu, tea]);
  expect(withMenuEvent(menu, { itemId: 'tea', available: 3 })).toBe('unknown');
  expect(withMenuEvent(menu, { itemId: 'tea', removed: true })).toEqual(menu);
});

test('an event that arrives while the menu is read is not lost under the older answer', async () => {
  const { promise, resolve } = Promise.withResolvers<MenuItem[]>();
  const read = readMenu(() => promise);
  rememberMenu({ itemId: 'lassi', available: 2 });
  resolve(menu);
  expect(await read).toEqual([{ ...lassi, available: 2 }, naan]);
});

test('categories stand in the order of a meal, unknown ones at the end', () => {
  const of = (category: string) => ({ ...lassi, category });
  const all = [
    of('specials'),
    of('desserts'),
    of('breads'),
    of('mains'),
    of('drinks'),
    of('mains'),
  ];
  expect(categoriesOf(all)).toEqual(['mains', 'drinks', 'desserts', 'breads', 'specials']);
});

test('a search finds every word, in any case and order', () => {
  expect(search(menu, 'LAS drink')).toEqual([lassi]);
  expect(search(menu, '', 'sides')).toEqual([naan]);
  expect(search(menu, 'soup')).toEqual([]);
});

test.each([
  [-1, 'Sold out', 'none'],
  [0, 'Sold out', 'none'],
  [10, 'Only 10 left', 'few'],
  [1200, '1,200 left', 'plenty'],
])('%i left reads %s', (available, text, level) => {
  expect(leftText(available)).toEqual({ text, level });
});

test('an order that the stream has moved on is not set back by an older answer', () => {
  const orderId = 'b7a2f0f2-6c1e-4d1a-9a55-0c6cf3f0a001';
  const at = '2026-03-01T17:30:00.000Z';
  const order = {
    orderId,
    pickupNumber: 3,
    studentId: 'student1',
    lines: [],
    totalCents: 0,
    status: 'stock_verified' as const,
    history: [{ status: 'pending' as const, at }],
  };
  const reason = 'insufficient_funds' as const;
  const { pickupNumber, studentId } = order;
  rememberOrder({ orderId, studentId, pickupNumber, status: 'rejected', reason, at });
  expect(withSeen(order)).toMatchObject({ status: 'rejected', reason });
});
