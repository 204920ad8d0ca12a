import { createMemoryLedger, silentLog, UnavailableError } from '@rushlight/chassis';
import { metricsUnderTest, simulatedEnvironment } from '@rushlight/chassis/testing';
import { type Answer, limits, OrderView, type Problem } from '@rushlight/contracts';
import { expect, test } from 'vitest';
import { MemoryOrderStore } from '../src/memory-store.ts';
import { lookUpKeys, type Placement, placeOrders, type Reserve } from '../src/place-order.ts';
import { createPriceList } from '../src/prices.ts';
import type { MenuItem } from '../src/store.ts';
import { sweep } from '../src/sweeper.ts';
import { anyTrace, item, soup } from './help.ts';

const reserved: Reserve = async (orders) =>
  orders.map(({ orderId }) => ({ orderId, outcome: 'reserved' }));
const short: Reserve = async (orders) =>
  orders.map(({ orderId }) => ({ orderId, outcome: 'short', itemId: 'soup', left: 1 }));
const gone: Reserve = async () => {
  throw new UnavailableError('inventory', 'no answer');
};

function openShop(menu: MenuItem[] = [item('soup'), item('tea', 150)]) {
  const env = simulatedEnvironment(1);
  let failing: string | undefined;
  const ledger = createMemoryLedger({
    env,
    around: async (when, operation) => {
      if (when === 'before' && operation === failing) throw new UnavailableError('store', 'down');
    },
  });
  const store = new MemoryOrderStore(ledger);
  const counts = metricsUnderTest('orders');
  const shop = {
    ...{ env, store, menu },
    asked: [] as string[][],
    menuAsked: 0,
    menuFails: false,
    reserve: reserved,
    fail: (operation: string | undefined) => {
      failing = operation;
    },
    sum: counts.sum,
    sweep: () => sweep({ store, env, metrics: counts.metrics }),
    place: (...placements: Placement[]) => placeOrders(parts, placements),
    lookUp: (...placements: Placement[]) => lookUpKeys(store, placements),
  };
  const priceList = createPriceList({
    ...{ store, env, log: silentLog },
    fetchMenu: async () => {
      shop.menuAsked += 1;
      if (shop.menuFails) throw new UnavailableError('inventory', 'no answer');
      return shop.menu;
    },
  });
  const parts: Parameters<typeof placeOrders>[0] = {
    ...{ store, env, priceList, log: silentLog, metrics: counts.metrics },
    reserve: async (orders) => {
      shop.asked.push(orders.map(({ orderId }) => orderId));
      return shop.reserve(orders);
    },
  };
  return shop;
}

const order = (key: string, given: Partial<Placement> = {}): Placement => ({
  ...{ studentId: 'ada', key, fingerprint: 'two soups', lines: soup, traceId: anyTrace() },
  ...given,
});
const problemOf = (answer: Answer | null | undefined) => JSON.parse(answer?.body ?? '') as Problem;
const viewOf = (answer: Answer | null | undefined) =>
  OrderView.parse(JSON.parse(answer?.body ?? ''));

test('reserved: 201 with the priced order', async () => {
  const shop = openShop();
  const [answer] = await shop.place(order('k'));
  expect(answer?.status).toBe(201);
  expect(viewOf(answer)).toMatchObject({
    studentId: 'ada',
    lines: [{ itemId: 'soup', name: 'The soup', quantity: 2, priceCents: 450 }],
    totalCents: 900,
    status: 'stock_verified',
    history: [{ status: 'pending' }, { status: 'stock_verified' }],
  });
});

test('short: 422 with what is left, nothing kept, and the key may try again', async () => {
  const shop = openShop();
  shop.reserve = short;
  const [answer] = await shop.place(order('k'));
  expect(problemOf(answer)).toMatchObject({ code: 'sold_out', itemId: 'soup', left: 1 });
  expect(answer?.status).toBe(422);
  expect(await shop.lookUp(order('k'))).toEqual([null]);
  shop.reserve = reserved;
  expect((await shop.place(order('k')))[0]?.status).toBe(201);
});

const noAnswers: [string, Reserve][] = [
  ['no answer', gone],
  ['an answer without this order', async () => []],
  ['an answer that is nonsense', async () => undefined as never],
  [
    'an outcome that does not exist',
    (orders) =>
      reserved(orders.map((o) => ({ ...o }))).then((answers) =>
        answers.map((a) => ({ ...a, outcome: 'perhaps' }) as never),
      ),
  ],
  [
    'an answer for somebody else',
    async (orders) => orders.map(() => ({ orderId: 'another', outcome: 'reserved' })),
  ],
  [
    'a program error',
    async () => {
      throw new TypeError('broken');
    },
  ],
];
test.each(noAnswers)('%s from inventory: 202, asked once', async (_, reserve) => {
  const shop = openShop();
  shop.reserve = reserve;
  const [answer] = await shop.place(order('k'));
  expect(answer?.status).toBe(202);
  expect(viewOf(answer).status).toBe('queued');
  expect(shop.asked).toHaveLength(1);
});

test('an answer for a part of the batch counts for that part', async () => {
  const shop = openShop();
  shop.reserve = async (orders) => (await reserved(orders)).slice(0, 1);
  const statuses = (await shop.place(order('a'), order('b'))).map((answer) => answer.status);
  expect(statuses.sort()).toEqual([201, 202]);
});

// What a second request with the same key gets, by what became of the first.
test.each([
  ['reserved', reserved, 201],
  ['unknown', gone, 202],
] as const)('replay after %s: the same status and bytes, for ever', async (_, reserve, status) => {
  const shop = openShop();
  shop.reserve = reserve;
  const [first] = await shop.place(order('k'));
  expect(first?.status).toBe(status);
  const { orderId } = viewOf(first);
  await shop.store.cancel(orderId, 'student', shop.env.nowMs() + 5);
  shop.menu = [];
  expect(await shop.place(order('k'))).toEqual([first]);
  expect(await shop.lookUp(order('k'))).toEqual([first]);
  expect(shop.asked).toHaveLength(1);
});

test('replay with another body: 422 key_reused, also when its item does not exist', async () => {
  const shop = openShop();
  await shop.place(order('k'));
  const other = { fingerprint: 'another body', lines: [{ itemId: 'nothing', quantity: 1 }] };
  const [answer] = await shop.place(order('k', other));
  expect(problemOf(answer)).toMatchObject({ status: 422, code: 'key_reused' });
  expect(problemOf((await shop.lookUp(order('k', other)))[0]).code).toBe('key_reused');
});

test('replay while the first is still running: 409 in_progress, with a time to wait', async () => {
  const shop = openShop();
  let answerNow = (): void => {};
  shop.reserve = (orders) =>
    new Promise((done) => {
      answerNow = () => done(orders.map(({ orderId }) => ({ orderId, outcome: 'reserved' })));
    });
  const first = shop.place(order('k'));
  await shop.env.advance(0);
  for (const [again] of [await shop.place(order('k')), await shop.lookUp(order('k'))]) {
    expect(problemOf(again)).toMatchObject({ status: 409, code: 'in_progress' });
    expect(again?.retryAfterS).toBeGreaterThan(0);
  }
  answerNow();
  const done = await first;
  expect(done[0]?.status).toBe(201);
  expect(await shop.place(order('k'))).toEqual(done);
});

test('one key twice in a batch: one order and one answer; with another body refused', async () => {
  const shop = openShop();
  const answers = await shop.place(order('k'), order('k'), order('k', { fingerprint: 'x' }));
  expect(answers.map((answer) => answer.status)).toEqual([201, 201, 422]);
  expect(answers[1]).toEqual(answers[0]);
  expect(await shop.store.list({ limit: 9 })).toHaveLength(1);
});

test('each order is accepted once, however often it is asked for', async () => {
  const shop = openShop();
  const wrong = order('wrong', { lines: [{ itemId: 'nothing', quantity: 1 }] });
  await shop.place(order('a'), order('a'), order('b'), wrong);
  await shop.place(order('a'), order('b', { fingerprint: 'another body' }));
  shop.reserve = gone;
  await shop.place(order('c'));
  const sums = async (name: string, label: string, ...values: string[]) =>
    Promise.all(values.map((value) => shop.sum(name, { [label]: value })));
  expect(await sums('orders_accepted_total', 'outcome', 'stock_verified', 'queued')).toEqual([
    2, 1,
  ]);
  expect(await sums('orders_retried_total', 'how', 'repeated', 'queued', 'swept')).toEqual([
    2, 1, 0,
  ]);
  expect(await sums('orders_rejected_total', 'reason', 'unknown_item', 'key_reused')).toEqual([
    1, 1,
  ]);
  const placing = { operation: 'place' };
  expect(await shop.sum('order_operations_total', { ...placing, result: 'ok' })).toBe(5);
  expect(await shop.sum('order_operations_total', { ...placing, result: 'refused' })).toBe(2);
  await shop.env.advance(120_000);
  await shop.sweep();
  expect(await shop.sum('orders_failed_total', { reason: 'deadline' })).toBe(3);
});

test('the same key of two students is two orders', async () => {
  const shop = openShop();
  const answers = await shop.place(order('k'), order('k', { studentId: 'bob' }));
  expect(answers.map((answer) => answer.status)).toEqual([201, 201]);
});

test('an item that does not exist: 404, nothing stored, the others unharmed', async () => {
  const shop = openShop();
  const wrong = order('wrong', { lines: [...soup, { itemId: 'nothing', quantity: 1 }] });
  const [unknown, good] = await shop.place(wrong, order('k'));
  expect(problemOf(unknown)).toMatchObject({ code: 'unknown_item', itemId: 'nothing' });
  expect(good?.status).toBe(201);
  expect(await shop.store.list({ limit: 9 })).toHaveLength(1);
});

test('inventory is not asked again at once for an item that it does not have', async () => {
  const shop = openShop();
  const wrong = (n: number) => order(`k${n}`, { lines: [{ itemId: 'special', quantity: 1 }] });
  for (let n = 0; n < 10; n++) await shop.place(wrong(n), wrong(n + 100));
  expect(shop.menuAsked).toBe(1);
  shop.menu.push(item('special'));
  await shop.env.advance(1_000);
  expect((await shop.place(wrong(5)))[0]?.status).toBe(201);
});

test('while the menu cannot be asked, nobody claims that an item does not exist', async () => {
  const shop = openShop();
  shop.menuFails = true;
  for (let n = 0; n < 2; n++) {
    const [answer] = await shop.place(order('k'));
    expect(problemOf(answer)).toMatchObject({ status: 503, code: 'busy' });
    expect(answer?.retryAfterS).toBe(1);
  }
  expect(await shop.store.list({ limit: 9 })).toEqual([]);
});

test('orders are taken while inventory is down, as long as their items are known', async () => {
  const shop = openShop();
  await shop.place(order('k1'));
  shop.menuFails = true;
  shop.reserve = gone;
  expect((await shop.place(order('k2')))[0]?.status).toBe(202);
});

test('cancelled while its call runs: told as it is, and told so again', async () => {
  const shop = openShop();
  shop.reserve = async (orders) => {
    for (const { orderId } of orders) await shop.store.cancel(orderId, 'student', shop.env.nowMs());
    return reserved(orders);
  };
  const [answer] = await shop.place(order('k'));
  expect(answer?.status).toBe(202);
  expect(viewOf(answer)).toMatchObject({ status: 'cancelled', reason: 'student' });
  expect(await shop.place(order('k'))).toEqual([answer]);
});

test('queued by the sweeper while its call runs: 202, even if the call says short', async () => {
  const shop = openShop();
  shop.reserve = async (orders) => {
    await shop.env.advance(limits.orderPendingMs + 1);
    await shop.sweep();
    return short(orders);
  };
  const [answer] = await shop.place(order('k'));
  expect(answer?.status).toBe(202);
  expect(viewOf(answer).status).toBe('queued');
});

test('not accepted: the whole batch is unknown', async () => {
  const shop = openShop();
  shop.fail('acceptBatch');
  await expect(shop.place(order('k'))).rejects.toThrow(UnavailableError);
});

test('accepted but not decided: unknown, and the sweeper finishes it', async () => {
  const shop = openShop();
  const [known] = await shop.place(order('known'));
  shop.fail('decideBatch');
  const answers = await shop.place(order('known'), order('k'));
  expect(answers[0]).toEqual(known);
  expect(problemOf(answers[1])).toMatchObject({ status: 503, code: 'outcome_unknown' });
  shop.fail(undefined);
  expect(problemOf((await shop.place(order('k')))[0]).code).toBe('in_progress');
  await shop.env.advance(limits.orderPendingMs + 1);
  await shop.sweep();
  const [swept] = await shop.place(order('k'));
  expect(swept?.status).toBe(202);
  await shop.env.advance(limits.orderDeadlineMs);
  await shop.sweep();
  const statuses = (await shop.store.list({ limit: 9 })).map((one) => one.status);
  expect(statuses).toEqual(['rejected', 'rejected']);
  expect(await shop.place(order('k'))).toEqual([swept]);
});
