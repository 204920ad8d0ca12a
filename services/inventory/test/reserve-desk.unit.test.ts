import { createMetrics, realEnvironment } from '@rushlight/chassis';
import { expect, test } from 'vitest';
import type { ReserveAnswer, ReserveRequest } from '../src/reserve.ts';
import { createReserveDesk } from '../src/reserve-desk.ts';
import { idOf } from './shop.ts';

const metrics = createMetrics({ service: 'inventory', instance: 'test' });
const inTime = () => 1_000;
const order = (name: string): ReserveRequest => ({ orderId: idOf(name), lines: [] });
const reserved = ({ orderId }: ReserveRequest): ReserveAnswer => ({ orderId, outcome: 'reserved' });

/** A desk whose store answers when it is told to. */
function deskUnderTest() {
  const batches: { orders: readonly ReserveRequest[]; answer: () => void }[] = [];
  const store = {
    reserveBatch: (_: string, orders: readonly ReserveRequest[]) =>
      new Promise<ReserveAnswer[]>((resolve) => {
        batches.push({ orders, answer: () => resolve(orders.map(reserved)) });
      }),
  };
  return { batches, desk: createReserveDesk(store, realEnvironment, metrics) };
}

const settled = async () => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};

test('requests that come while a transaction runs share the next one, in their order', async () => {
  const { batches, desk } = deskUnderTest();
  const first = desk.reserve([order('a')], inTime);
  await settled();
  const second = desk.reserve([order('b'), order('c')], inTime);
  const third = desk.reserve([order('d')], inTime);
  await settled();
  expect(batches).toHaveLength(1);
  batches[0]?.answer();
  expect(await first).toEqual([reserved(order('a'))]);
  await settled();
  expect(batches[1]?.orders).toEqual([order('b'), order('c'), order('d')]);
  batches[1]?.answer();
  expect(await second).toEqual([order('b'), order('c')].map(reserved));
  expect(await third).toEqual([reserved(order('d'))]);
  await desk.close();
});

test('a request whose deadline passed before its turn is refused, and nothing is done', async () => {
  const { batches, desk } = deskUnderTest();
  await expect(desk.reserve([order('late')], () => 0)).rejects.toMatchObject({ code: 'busy' });
  expect(batches).toEqual([]);

  const running = desk.reserve([order('a')], inTime);
  await settled();
  let leftMs = 5;
  const late = desk.reserve([order('late')], () => leftMs);
  const good = desk.reserve([order('good')], inTime);
  leftMs = 0;
  batches[0]?.answer();
  await running;
  await settled();
  expect(batches[1]?.orders).toEqual([order('good')]);
  batches[1]?.answer();
  await expect(late).rejects.toMatchObject({ code: 'busy' });
  expect(await good).toEqual([reserved(order('good'))]);
});

test('a desk that is full or closed says busy at once', async () => {
  const { batches, desk } = deskUnderTest();
  const asked = Array.from({ length: 80 }, (_, n) =>
    desk.reserve([order(`${n}`)], inTime).then(
      () => 'reserved',
      ({ code }) => code,
    ),
  );
  await settled();
  for (let done = 0; done < 80 && desk; done++) {
    for (const { answer } of batches) answer();
    await settled();
  }
  const answers = await Promise.all(asked);
  expect(answers.filter((answer) => answer === 'busy').length).toBeGreaterThan(0);
  expect(answers.filter((answer) => answer === 'reserved').length).toBeGreaterThanOrEqual(64);
  await desk.close();
  await expect(desk.reserve([order('x')], inTime)).rejects.toMatchObject({ code: 'busy' });
});
