// An order's way through the whole platform, seen from outside.

import { type OrderStatus, publicApi } from '@rushlight/contracts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../src/eventually.ts';
import { newKey, newName } from '../src/examples.ts';
import { codeOf, jsonOf } from '../src/http.ts';
import { balanceOf, place, placed } from '../src/ordering.ts';
import { type Shop, startShop } from '../src/platform.ts';
import { expectNoSecretInLogs } from '../src/secrets.ts';
import { openStream } from '../src/stream.ts';

const password = 'Tandoor-7-oven';
const secrets = new Set<string>([password, 'adminpassword']);
let shop: Shop;

beforeAll(async () => {
  // Nobody cooks by itself: each step of the kitchen is a button, so that no state is missed.
  shop = await startShop({ settings: { RUSHLIGHT_KITCHEN_AUTO: 'false' } });
});
afterAll(() => shop?.stop());

const press = async (button: 'ready' | 'collected', orderId: string) =>
  shop.api.call(
    button === 'ready' ? publicApi.ticketReady : publicApi.ticketCollected,
    { params: { orderId } },
    await shop.kitchen(),
  );

/** A station takes a waiting ticket by itself. */
const cooking = (orderId: string) => shop.reached(orderId, ['in_kitchen']);

test('a student registers, tops up, orders, follows every step, and collects', async () => {
  const studentId = newName('walker');
  const { api } = shop;
  const name = 'A Walker';
  const made = await api.call(publicApi.register, { body: { studentId, password, name } });
  expect(made.body).toEqual({ studentId });
  const token = await shop.login(studentId, password);
  secrets.add(token);
  expect(await balanceOf(shop, token)).toBe(0);
  const itemId = await shop.item(10, 250);
  const mine = await openStream(api, publicApi.myEvents.path, token);

  const topUp = {
    headers: { 'idempotency-key': newKey() },
    body: { studentId, amountCents: 1_000 },
  };
  // The wallet is opened by an event; until then nobody has that name at the provider.
  const admin = await shop.admin();
  await eventually('the wallet is open', async () => {
    const answer = await api.try(publicApi.topUp, topUp, admin);
    return answer.status === 200;
  });
  const again = await api.call(publicApi.topUp, topUp, admin);
  expect(again.body.balanceCents).toBe(1_000);
  expect(await balanceOf(shop, token)).toBe(1_000);

  const answer = await place(shop, token, [{ itemId, quantity: 2 }]);
  expect(answer.status).toBe(201);
  const { orderId, pickupNumber, totalCents } = publicApi.placeOrder.replies[201].parse(
    jsonOf(answer),
  );
  expect(totalCents).toBe(500);
  await cooking(orderId);
  await press('ready', orderId);
  await press('collected', orderId);
  const steps = (): OrderStatus[] =>
    mine.events.flatMap((event) =>
      event.kind === 'order' && event.data.orderId === orderId ? [event.data.status] : [],
    );
  await mine.next(
    'the last step',
    ({ kind, data }) => kind === 'order' && data.orderId === orderId && data.status === 'collected',
  );
  expect(steps()).toEqual(['stock_verified', 'paid', 'in_kitchen', 'ready', 'collected']);
  const first = mine.events.find(({ kind }) => kind === 'order');
  expect(first?.data).toMatchObject({ orderId, studentId, pickupNumber });

  const seen = (await api.call(publicApi.getOrder, { params: { orderId } }, token)).body;
  expect(seen.history.map(({ status }) => status)).toEqual([
    'pending',
    'stock_verified',
    'paid',
    'in_kitchen',
    'ready',
    'collected',
  ]);
  const wallet = (await api.call(publicApi.wallet, {}, token)).body;
  expect(wallet.balanceCents).toBe(500);
  expect(wallet.entries.map(({ kind, amountCents }) => `${kind} ${amountCents}`)).toEqual([
    'capture -500',
    'top_up 1000',
  ]);
  mine.close();
});

test('the same key gives the same answer, byte for byte; another body is refused', async () => {
  const student = await shop.student();
  const itemId = await shop.item(5);
  const lines = [{ itemId, quantity: 1 }];
  const key = newKey();
  const first = await place(shop, student.token, lines, key);
  expect(first.status).toBe(201);
  await cooking(jsonOf<{ orderId: string }>(first).orderId);
  const again = await place(shop, student.token, lines, key);
  expect({ status: again.status, text: again.text }).toEqual({
    status: first.status,
    text: first.text,
  });
  const other = await place(shop, student.token, [{ itemId, quantity: 2 }], key);
  expect([other.status, codeOf(other)]).toEqual([422, 'key_reused']);
  expect((await shop.stockOf(itemId)).available).toBe(4);

  const stranger = await shop.student();
  const theirs = await place(shop, stranger.token, lines, key);
  expect(theirs.status, 'a key belongs to its student').toBe(201);
  expect(jsonOf<{ orderId: string }>(theirs).orderId).not.toBe(
    jsonOf<{ orderId: string }>(first).orderId,
  );
});

test('a double tap makes one order', async () => {
  const student = await shop.student();
  const itemId = await shop.item(50);
  const key = newKey();
  const taps = await Promise.all(
    Array.from({ length: 10 }, () => place(shop, student.token, [{ itemId, quantity: 1 }], key)),
  );
  const stored = taps.filter(({ status }) => status === 201);
  expect(stored.length).toBeGreaterThan(0);
  for (const tap of taps) expect([201, 409], tap.text).toContain(tap.status);
  expect(new Set(stored.map(({ text }) => text)).size).toBe(1);
  expect((await shop.stockOf(itemId)).available).toBe(49);
});

test('an order that is paid can be cancelled until it cooks: money and stock come back', async () => {
  const { api } = shop;
  const student = await shop.student();
  const itemId = await shop.item(9, 300);
  const before = await balanceOf(shop, student.token);
  const orderId = await placed(shop, student, [{ itemId, quantity: 3 }]);
  const params = { orderId };
  const cancel = () => api.try(publicApi.cancelOrder, { params }, student.token);
  const answer = await cancel();
  // A free station may have been quicker; then it is too late, which the next test looks at.
  if (answer.status === 409) {
    expect(codeOf(answer)).toBe('too_late');
  } else {
    expect(answer.status, answer.text).toBe(200);
    expect(jsonOf(answer)).toMatchObject({ orderId, status: 'cancelled', reason: 'student' });
    const again = await cancel();
    expect([again.status, jsonOf(again)['status']]).toEqual([200, 'cancelled']);
    await eventually(
      'the money is back',
      async () => (await balanceOf(shop, student.token)) === before,
    );
    await eventually('the stock is back', async () => {
      const { available, reserved } = await shop.stockOf(itemId);
      return available === 9 && reserved === 0;
    });
  }
  await shop.audit();
});

test('what cooks is not cancelled: too late', async () => {
  const student = await shop.student();
  const orderId = await placed(shop, student, [{ itemId: await shop.item(1), quantity: 1 }]);
  await cooking(orderId);
  const cancel = () => shop.api.try(publicApi.cancelOrder, { params: { orderId } }, student.token);
  for (const button of ['ready', 'collected'] as const) {
    const answer = await cancel();
    expect([answer.status, codeOf(answer)]).toEqual([409, 'too_late']);
    await press(button, orderId);
  }
  const late = await cancel();
  expect([late.status, codeOf(late)]).toEqual([409, 'too_late']);
  const backwards = await shop.api.try(
    publicApi.ticketReady,
    { params: { orderId } },
    await shop.kitchen(),
  );
  expect([backwards.status, codeOf(backwards)]).toEqual([409, 'wrong_state']);
});

test('the kitchen refuses an order: it is cancelled and refunded', async () => {
  const { api } = shop;
  const student = await shop.student();
  const before = await balanceOf(shop, student.token);
  const itemId = await shop.item(4, 700);
  const orderId = await placed(shop, student, [{ itemId, quantity: 1 }]);
  await cooking(orderId);
  // An id is the same id in capitals: the order must hear of its refusal all the same.
  const params = { orderId: orderId.toUpperCase() };
  const refusal = { params, body: { reason: 'the oven is cold' } };
  const refused = await api.call(publicApi.ticketRefused, refusal, await shop.kitchen());
  expect(refused.body.status).toBe('refused');
  const order = await shop.reached(orderId, ['cancelled']);
  expect(order.reason).toBe('kitchen');
  await eventually(
    'the money is back',
    async () => (await balanceOf(shop, student.token)) === before,
  );
  const { entries } = (await api.call(publicApi.wallet, {}, student.token)).body;
  const own = entries.filter((entry) => entry.orderId === orderId);
  expect(own.map(({ kind, amountCents }) => [kind, amountCents])).toEqual([
    ['refund', 700],
    ['capture', -700],
  ]);
});

test('who cannot pay is told why, and the stock comes back', async () => {
  const student = await shop.student();
  const itemId = await shop.item(50, 60_000);
  const orderId = await placed(shop, student, [{ itemId, quantity: 2 }]);
  const order = await shop.reached(orderId, ['rejected']);
  expect(order.reason).toBe('insufficient_funds');
  await eventually('the stock is back', async () => (await shop.stockOf(itemId)).available === 50);
});

test('all lines or none: one short line leaves the others untouched', async () => {
  const student = await shop.student();
  const [plenty, none] = [await shop.item(10), await shop.item(0)];
  const answer = await place(shop, student.token, [
    { itemId: plenty, quantity: 1 },
    { itemId: none, quantity: 1 },
  ]);
  expect([answer.status, codeOf(answer)]).toEqual([422, 'sold_out']);
  expect(await shop.stockOf(plenty)).toMatchObject({ available: 10, reserved: 0 });
});

test('orders are listed newest first, page by page, each once, and only the own ones', async () => {
  const { api } = shop;
  const student = await shop.student();
  const itemId = await shop.item(50);
  const ids: string[] = [];
  for (let count = 0; count < 7; count++)
    ids.push(await placed(shop, student, [{ itemId, quantity: 1 }]));
  const seen: string[] = [];
  let cursor: string | undefined;
  for (let pages = 0; pages < 10; pages++) {
    const query = { limit: '3', ...(cursor === undefined ? {} : { cursor }) };
    const page = (await api.call(publicApi.listOrders, { query }, student.token)).body;
    seen.push(...page.items.map(({ orderId }) => orderId));
    cursor = page.nextCursor;
    if (cursor === undefined) break;
  }
  expect(seen).toEqual(ids.toReversed());
  const all = (
    await api.call(publicApi.listOrders, { query: { limit: '100' } }, await shop.admin())
  ).body.items;
  expect(new Set(all.map(({ studentId }) => studentId)).size).toBeGreaterThan(1);
});

test('a stream resumes after the last event seen, without a gap', async () => {
  const { api } = shop;
  const student = await shop.student();
  const itemId = await shop.item(50);
  const first = await openStream(api, publicApi.myEvents.path, student.token);
  const before = await placed(shop, student, [{ itemId, quantity: 1 }]);
  const isOf =
    (orderId: string, status: OrderStatus) =>
    ({ kind, data }: (typeof first.events)[number]): boolean =>
      kind === 'order' && data.orderId === orderId && data.status === status;
  const last = await first.next('the first order is paid', isOf(before, 'paid'));
  first.close();
  const missed = await placed(shop, student, [{ itemId, quantity: 1 }]);
  await cooking(missed);
  const second = await openStream(api, publicApi.myEvents.path, student.token, last.id);
  await second.next('the step that was missed', isOf(missed, 'in_kitchen'));
  const steps = second.events.flatMap(({ kind, data }) =>
    kind === 'order' && data.orderId === missed ? [data.status] : [],
  );
  expect(steps).toEqual(['stock_verified', 'paid', 'in_kitchen']);
  expect(second.events.some(isOf(before, 'paid')), 'nothing comes twice').toBe(false);
  second.close();

  const lost = await openStream(api, publicApi.myEvents.path, student.token, 'no-such-id');
  await lost.next('a reset', ({ kind }) => kind === 'reset');
  lost.close();

  const one = await openStream(api, `/api/v1/orders/${missed}/events`, student.token);
  await press('ready', missed);
  await one.next('the step of this order', isOf(missed, 'ready'));
  expect(one.events.every(({ kind, data }) => kind !== 'order' || data.orderId === missed)).toBe(
    true,
  );
  one.close();
});

test('the kitchen sees tickets first come first, with their lines', async () => {
  const student = await shop.student();
  const itemId = await shop.item(10);
  const orderId = await placed(shop, student, [{ itemId, quantity: 2 }]);
  const kitchen = await shop.kitchen();
  const ticket = await eventually('the ticket is there', async () => {
    const { tickets } = (await shop.api.call(publicApi.tickets, {}, kitchen)).body;
    return tickets.find((one) => one.orderId === orderId);
  });
  expect(ticket.lines).toMatchObject([{ itemId, quantity: 2 }]);
  expect(['waiting', 'cooking']).toContain(ticket.status);
});

test('the books are right, and no secret stands in any log (F20)', async () => {
  await shop.audit();
  expectNoSecretInLogs(shop, secrets);
});
