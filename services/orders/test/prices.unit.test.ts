import { createMemoryLedger, silentLog, UnavailableError } from '@rushlight/chassis';
import { simulatedEnvironment } from '@rushlight/chassis/testing';
import { expect, test } from 'vitest';
import { cancelOrder } from '../src/cancel-order.ts';
import { MemoryOrderStore } from '../src/memory-store.ts';
import { createPriceList } from '../src/prices.ts';
import type { MenuItem } from '../src/store.ts';
import { item, newOrder, startMs } from './help.ts';

function open() {
  const env = simulatedEnvironment(1, startMs);
  const store = new MemoryOrderStore(createMemoryLedger({ env }));
  const shop = { env, store, menu: [] as MenuItem[], asked: 0, fails: false };
  const priceList = createPriceList({
    ...{ store, env, log: silentLog },
    fetchMenu: async () => {
      shop.asked += 1;
      const menu = [...shop.menu];
      await env.sleep(10);
      if (shop.fails) throw new UnavailableError('inventory', 'no answer');
      return menu;
    },
  });
  const find = async (...ids: string[]) => {
    const finding = priceList.find(ids);
    await env.advance(50);
    const { items, certain } = await finding;
    return { ids: [...items.keys()], certain };
  };
  return { ...{ shop, env, store, priceList, find } };
}

test('an item that was made while the menu was being read is found', async () => {
  const { shop, env, priceList } = open();
  const filling = priceList.fill();
  shop.menu = [item('soup')];
  const finding = priceList.find(['soup']);
  await env.advance(50);
  await filling;
  expect((await finding).items.has('soup')).toBe(true);
  expect(shop.asked).toBe(2);
});

test('one that was made just after another was asked for in vain is found, too', async () => {
  const { shop, find } = open();
  expect(await find('stew')).toEqual({ ids: [], certain: true });
  shop.menu = [item('soup')];
  expect(await find('soup')).toEqual({ ids: ['soup'], certain: true });
});

test('the same unknown item is not asked for at every order, and many share one question', async () => {
  const { shop, env, find, priceList } = open();
  await find('stew');
  await find('stew');
  expect(shop.asked).toBe(1);
  const many = Array.from({ length: 20 }, (_, n) => priceList.find([`dish-${n}`]));
  await env.advance(50);
  await Promise.all(many);
  expect(shop.asked).toBe(2);
});

test('while inventory is silent nobody can say that an item does not exist', async () => {
  const { shop, find } = open();
  shop.fails = true;
  expect(await find('soup')).toEqual({ ids: [], certain: false });
  expect(await find('soup')).toEqual({ ids: [], certain: false });
  expect(shop.asked).toBe(1);
});

test('a cancel that the kitchen came before is a cancel', async () => {
  const { store } = open();
  const order = newOrder();
  const { orderId } = order;
  await store.acceptBatch([order]);
  for (const type of ['stock.reserved', 'payment.captured'] as const) {
    await store.decideBatch([{ orderId, event: { type } }], startMs);
  }
  const voidTicket = async () => {
    await store.decideBatch([{ orderId, event: { type: 'ticket.refused' } }], startMs);
    return 'started' as const;
  };
  const parts = { store, voidTicket, nowMs: () => startMs };
  expect(await cancelOrder(parts, orderId, 'student')).toMatchObject({
    status: 'cancelled',
    reason: 'kitchen',
  });
});

test('a price that changed is seen within a tenth of a second', async () => {
  const { env, store, priceList } = open();
  await store.saveItems(undefined, [item('soup', 450, 1)]);
  const price = async () => (await priceList.find(['soup'])).items.get('soup')?.priceCents;
  expect(await price()).toBe(450);
  await store.saveItems(undefined, [item('soup', 500, 2)]);
  await env.advance(100);
  expect(await price()).toBe(500);
});
