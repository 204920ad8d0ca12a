import { UnavailableError } from '@rushlight/chassis';
import { expect, test } from 'vitest';
import { type StockItem, StockView } from '../src/stock-view.ts';
import { stockItem } from './neighbours.ts';

function makeView(items: StockItem[]) {
  const world = { nowMs: 10_000, items, reads: 0, ageMs: 0, down: false, hold: Promise.resolve() };
  const view = new StockView({
    env: { monotonicMs: () => world.nowMs },
    read: async () => {
      const beganMs = world.nowMs - world.ageMs;
      world.reads++;
      const seen = structuredClone(world.items);
      await world.hold;
      if (world.down) throw new UnavailableError('inventory', 'down');
      return { value: seen, beganMs };
    },
  });
  return { view, world };
}
const one = (itemId: string, quantity = 1) => [{ itemId, quantity }];

test('an item with enough left is not short; one with less is', async () => {
  const { view } = makeView([stockItem('soup', 3)]);
  await view.refresh();
  expect(view.findShort(one('soup', 3))).toBeUndefined();
  expect(await view.confirmShort(one('soup', 4))).toEqual({ itemId: 'soup', left: 3 });
});

test('the first short line of an order is named', async () => {
  const { view } = makeView([stockItem('soup', 3), stockItem('rice', 0)]);
  await view.refresh();
  const lines = [...one('soup', 2), ...one('rice', 1)];
  expect(await view.confirmShort(lines)).toEqual({ itemId: 'rice', left: 0 });
});

test('of what is heard about the stock the largest version counts, in any order', async () => {
  const { view } = makeView([stockItem('soup', 5, 10)]);
  await view.refresh();
  view.hearStock([{ itemId: 'soup', available: 1, stockVersion: 12 }]);
  view.hearStock([{ itemId: 'soup', available: 4, stockVersion: 11 }]);
  expect(view.findShort(one('soup', 2))).toEqual({ itemId: 'soup', left: 1 });
  view.hearStock([{ itemId: 'soup', available: 9, stockVersion: 13 }]);
  expect(view.findShort(one('soup', 9))).toBeUndefined();
});

test('a reading that is older than what was heard meanwhile does not undo it', async () => {
  const { view, world } = makeView([stockItem('soup', 5, 10)]);
  await view.refresh();
  const { promise, resolve } = Promise.withResolvers<void>();
  world.hold = promise;
  const reading = view.refresh();
  view.hearStock([{ itemId: 'soup', available: 0, stockVersion: 20 }]);
  resolve();
  await reading;
  expect(view.findShort(one('soup'))).toEqual({ itemId: 'soup', left: 0 });
});

test('a restock whose broadcast was lost is seen by the next order after a second', async () => {
  const { view, world } = makeView([stockItem('soup', 0, 1)]);
  await view.refresh();
  expect(await view.confirmShort(one('soup'))).toEqual({ itemId: 'soup', left: 0 });
  world.items = [stockItem('soup', 7, 2)];
  world.nowMs += 1_000;
  expect(await view.confirmShort(one('soup'))).toBeUndefined();
  expect(world.reads).toBe(2);
});

test('a reading of another gateway is as old as it is, however late it is seen', async () => {
  const { view, world } = makeView([stockItem('soup', 0, 1)]);
  world.ageMs = 450;
  await view.refresh();
  expect(await view.confirmShort(one('soup'))).toEqual({ itemId: 'soup', left: 0 });
  world.items = [stockItem('soup', 7, 2)];
  world.nowMs += 550;
  expect(await view.confirmShort(one('soup'))).toBeUndefined();
});

test('a reading that is older than the last one takes nothing away', async () => {
  const { view, world } = makeView([stockItem('soup', 1), stockItem('cake', 1)]);
  await view.refresh();
  world.items = [stockItem('soup', 1)];
  world.ageMs = 1;
  await view.refresh();
  expect(view.menu({})).toHaveLength(2);
});

test('while refusals go on the stock is read in the background, twice a second at most', async () => {
  const { view, world } = makeView([stockItem('soup', 0)]);
  await view.refresh();
  for (let i = 0; i < 1_000; i++) {
    world.nowMs += 1;
    expect(await view.confirmShort(one('soup'))).toBeDefined();
  }
  expect(world.reads, 'at first, after 500 ms and after 1,000 ms').toBe(3);
});

test('nobody is refused while inventory is silent: orders decides', async () => {
  const { view, world } = makeView([stockItem('soup', 0)]);
  await view.refresh();
  world.down = true;
  world.nowMs += 1_000;
  expect(await view.confirmShort(one('soup'))).toBeUndefined();
  const { reads } = world;
  for (let i = 0; i < 100; i++) expect(await view.confirmShort(one('soup'))).toBeUndefined();
  expect(world.reads, 'not asked again right after a failure').toBe(reads);
});

test('an item that the view does not know is read anew, and left to orders', async () => {
  const { view, world } = makeView([stockItem('soup', 1)]);
  await view.refresh();
  world.nowMs += 600;
  world.items = [stockItem('soup', 1), stockItem('cake', 0)];
  expect(view.findShort(one('cake'))).toBeUndefined();
  await view.refresh();
  expect(world.reads).toBe(2);
  expect(view.findShort(one('cake'))).toEqual({ itemId: 'cake', left: 0 });
});

test('an item that was removed is left to orders', async () => {
  const { view } = makeView([{ ...stockItem('soup', 0), removed: true }]);
  await view.refresh();
  expect(view.findShort(one('soup'))).toBeUndefined();
  expect(view.menu({})).toEqual([]);
});

test('the menu of the view follows names, prices and stock', async () => {
  const { view } = makeView([
    stockItem('soup', 1),
    { ...stockItem('cola', 2), category: 'drinks' },
  ]);
  expect(view.menu({})).toBeUndefined();
  await view.refresh();
  const named = { name: 'Lentil soup', category: 'mains', priceCents: 650, removed: false };
  view.hearItems([{ itemId: 'soup', version: 2, ...named }]);
  view.hearStock([{ itemId: 'soup', available: 0, stockVersion: 2 }]);
  expect(view.menu({ q: 'LENTIL' })).toEqual([
    { itemId: 'soup', name: 'Lentil soup', category: 'mains', priceCents: 650, available: 0 },
  ]);
  expect(view.menu({ category: 'drinks' })?.map(({ itemId }) => itemId)).toEqual(['cola']);
});
