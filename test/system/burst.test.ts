// The rush: a thousand orders in one second for the last thousand portions, and then too many more.

import { publicApi } from '@rushlight/contracts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../src/eventually.ts';
import { newKey } from '../src/examples.ts';
import { reportLatency, runLoad, tally } from '../src/load.ts';
import type { Hit, Shot } from '../src/load-plan.ts';
import { type Shop, type Student, startShop } from '../src/platform.ts';

const meals = 1_000;
const tooMany = 300;
const connections = 250;
let shop: Shop;
let crowd: Student[];
let itemId: string;

beforeAll(async () => {
  shop = await startShop();
  crowd = await shop.students(500);
  itemId = await shop.item(meals);
});
afterAll(() => shop?.stop());

const bodyOf = (item: string): string => JSON.stringify({ lines: [{ itemId: item, quantity: 1 }] });

/** So many shots, spread evenly over this time, students in turn. */
function volley(count: number, overMs: number, item: string): Shot[] {
  return Array.from({ length: count }, (_, index) => ({
    atMs: (index * overMs) / count,
    token: crowd[index % crowd.length]?.token ?? '',
    key: newKey(),
    body: bodyOf(item),
  }));
}

const isAccepted = ({ status }: Hit): boolean => status === 201 || status === 202;

test('1,000 orders in a second, 1,000 in stock: all accepted, all sold, none twice', async () => {
  const warm = volley(200, 1_000, await shop.item(500));
  await runLoad({ url: shop.api.url, connections, shots: warm });

  const shots = volley(meals, 1_000, itemId);
  // One in ten taps twice; the second tap comes before, or after, the answer to the first.
  const taps = shots
    .filter((_, index) => index % 10 === 0)
    .map((shot, index) => ({ ...shot, atMs: shot.atMs + (index % 50) }));
  const hits = await runLoad({ url: shop.api.url, connections, shots: [...shots, ...taps] });
  const first = hits.filter(isAccepted);
  reportLatency('1,000 orders in a second', first);
  expect(hits.filter((hit) => !isAccepted(hit) && hit.code !== 'in_progress')).toEqual([]);

  const ordersOf = new Map<string, Set<string>>();
  for (const { key, orderId = '' } of first) {
    ordersOf.set(key, (ordersOf.get(key) ?? new Set()).add(orderId));
  }
  expect(ordersOf.size, 'keys that were accepted').toBe(meals);
  for (const [key, ids] of ordersOf) expect([...ids], key).toHaveLength(1);
  const ids = new Set([...ordersOf.values()].flatMap((set) => [...set]));
  expect(ids.size, 'different orders').toBe(meals);

  const { items } = await shop.audit();
  const sold = items.find((item) => item.itemId === itemId);
  expect(sold).toMatchObject({ sold: meals, reserved: 0, onHand: 0, available: 0 });
  const byStatus = (await shop.audit()).orders.byStatus;
  expect(byStatus.rejected ?? 0).toBe(0);
});

test('the next 300: all sold out, at once', async () => {
  const hits = await runLoad({
    url: shop.api.url,
    connections,
    shots: volley(tooMany, 300, itemId),
  });
  reportLatency('300 too many', hits);
  expect(tally(hits)).toEqual({ '422 sold_out': tooMany });
});

test('whoever was served can still ask: the key is answered with its order', async () => {
  const [student] = crowd;
  const key = newKey();
  const item = await shop.item(1);
  const parts = { headers: { 'idempotency-key': key }, body: JSON.parse(bodyOf(item)) };
  const first = await shop.api.try(publicApi.placeOrder, parts, student?.token);
  expect(first.status).toBe(201);
  const none = { ...parts, headers: { 'idempotency-key': newKey() } };
  expect((await shop.api.try(publicApi.placeOrder, none, student?.token)).status).toBe(422);
  const again = await shop.api.try(publicApi.placeOrder, parts, student?.token);
  expect([again.status, again.text]).toEqual([first.status, first.text]);
});

test('overload: three times as much as before is answered or refused in order', async () => {
  const item = await shop.item(100_000);
  const hits = await runLoad({
    url: shop.api.url,
    connections,
    shots: volley(3_000, 1_000, item),
  });
  const accepted = hits.filter(isAccepted);
  reportLatency(`3,000 orders in a second, ${JSON.stringify(tally(hits))}`, accepted);
  const known = new Set(['busy', 'rate_limited', 'outcome_unknown', 'unavailable']);
  expect(hits.filter((hit) => !isAccepted(hit) && !known.has(hit.code ?? ''))).toEqual([]);
  expect(new Set(accepted.map(({ orderId }) => orderId)).size).toBe(accepted.length);
  await shop.audit();
});

test('F22: a server that stands still for two seconds is seen by the load generator', async () => {
  const gateway = shop.platform.parts().find(({ name }) => name === 'gateway')?.pid ?? 0;
  const item = await shop.item(1_000);
  const shots = volley(400, 4_000, item);
  const running = runLoad({ url: shop.api.url, connections: 20, shots });
  await eventually('orders arrive', async () => (await shop.stockOf(item)).available < 1_000);
  process.kill(gateway, 'SIGSTOP');
  setTimeout(() => process.kill(gateway, 'SIGCONT'), 2_000);
  const p99Ms = reportLatency('a gateway that stands still for 2 s', await running);
  expect(p99Ms).toBeGreaterThan(1_500);
  await shop.audit();
});
