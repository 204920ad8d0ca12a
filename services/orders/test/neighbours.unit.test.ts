import { type Client, UnavailableError } from '@rushlight/chassis';
import { expect, test } from 'vitest';
import { createNeighbours } from '../src/neighbours.ts';

type Asked = { orders: { orderId: string }[]; key: string | undefined };

/** Inventory with two replicas: items that begin with `a` belong to the first. */
function inventoryOf(answer: (key: string | undefined) => 'reserved' | 'gone') {
  const asked: Asked[] = [];
  const client: Client = {
    ...{ target: 'inventory', replicas: 2, replicaOf: (key) => (key.startsWith('a') ? 0 : 1) },
    call: (async (_: unknown, given: { body: Asked }, options: { key?: string }) => {
      const { orders } = given.body;
      asked.push({ orders, key: options.key });
      const outcome = answer(options.key);
      if (outcome === 'gone') throw new UnavailableError('inventory', 'gone');
      return {
        status: 200,
        body: { answers: orders.map(({ orderId }) => ({ orderId, outcome })) },
      };
    }) as unknown as Client['call'],
    ...{ forward: unused, stream: unused, ping: unused, close: unused },
  };
  return { asked, reserve: createNeighbours(client, client).reserve };
}

const unused = (): never => {
  throw new Error('not used here');
};
const id = (n: number): string => `01a200a9-8b21-7e6f-9f95-d9b6df9a6f0${n}`;
const order = (n: number, ...items: string[]) => ({
  orderId: id(n),
  lines: items.map((itemId) => ({ itemId, quantity: 1 })),
});
const orders = [order(1, 'tea', 'apple'), order(2, 'tea'), order(3, 'ale'), order(4, 'soup')];

test('orders go to the replica of their lowest item, in their order, one call to each', async () => {
  const { asked, reserve } = inventoryOf(() => 'reserved');
  const answers = await reserve(orders);
  expect(answers.map(({ orderId }) => orderId).sort()).toEqual([1, 2, 3, 4].map(id));
  const sent = asked.map((call) => call.orders.map(({ orderId }) => orderId));
  expect(sent).toEqual([
    [id(1), id(3)],
    [id(2), id(4)],
  ]);
  expect(asked.map(({ key }) => key)).toEqual(['apple', 'tea']);
});

test('without an answer from one replica the answers of the other count', async () => {
  const { reserve } = inventoryOf((key) => (key?.startsWith('a') ? 'gone' : 'reserved'));
  const answers = await reserve(orders);
  expect(answers.map(({ orderId }) => orderId)).toEqual([id(2), id(4)]);
});

test('without an answer from any there is none', async () => {
  const { reserve } = inventoryOf(() => 'gone');
  await expect(reserve(orders)).rejects.toThrow(/gone/);
});
