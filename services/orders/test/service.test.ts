import {
  type Bus,
  type Client,
  openPostgresBus,
  realEnvironment,
  silentLog,
  type User,
} from '@rushlight/chassis';
import { startService, until } from '@rushlight/chassis/testing';
import {
  ApiError,
  type EventOf,
  limits,
  type OrderView,
  ordersApi,
  publicApi,
  type Topic,
} from '@rushlight/contracts';
import { expect, test, vi } from 'vitest';
import type { Placement } from '../src/place-order.ts';
import {
  anyTrace,
  item,
  message,
  paymentDecided,
  soup,
  stockDecided,
  ticketChanged,
} from './help.ts';
import { allReserved, allShort, hangs, startNeighbour } from './neighbour.ts';

vi.setConfig({ testTimeout: 60_000 });

const userOf = (studentId: string, role: User['role'] = 'student'): User => ({
  ...{ kind: 'user', studentId, role, tokenId: `t-${studentId}`, issuedAtS: 0 },
  expiresAtS: 9_999_999_999,
});
const ada = userOf('ada');
/** Longer than orders waits for inventory. */
const patient = { deadlineMs: 10_000 };
const admin = userOf('root', 'admin');

const order = (key: string, given: Partial<Placement> = {}) => ({
  ...{ studentId: 'ada', key, fingerprint: 'two soups', lines: [...soup], traceId: anyTrace() },
  ...(given as object),
});

async function startOrders() {
  const neighbour = await startNeighbour();
  neighbour.onReserve(allReserved);
  const { url } = neighbour;
  const service = await startService('orders', { serviceUrls: { inventory: url, kitchen: url } });
  const bus: Bus = await openPostgresBus({
    ...{ url: service.busUrl, name: 'neighbour', env: realEnvironment, log: silentLog },
  });
  const said: { topic: Topic; event: { orderId?: string } }[] = [];
  const listening = bus.consume('notifications', async ({ topic, events }) => {
    for (const event of events) said.push({ topic, event: event as { orderId?: string } });
  });
  let client: { url: string; client: Client } | undefined;
  /** One client for as long as the process lives: a new one has a new URL. */
  const api = (): Client => {
    const { url: now } = service;
    if (client?.url !== now) client = { url: now, client: service.as() };
    return client.client;
  };
  const place = async (...orders: ReturnType<typeof order>[]) =>
    (await api().call(ordersApi.placeOrders, { body: { orders } }, patient)).body.answers;
  const read = async (orderId: string, user = ada): Promise<OrderView> =>
    (await api().call(publicApi.getOrder, { params: { orderId } }, { user })).body;
  const shop = {
    ...{ service, neighbour, bus, place, read },
    saidOf: <T extends Topic>(topic: T, orderId: string) =>
      said
        .filter((one) => one.topic === topic && one.event.orderId === orderId)
        .map((one) => one.event as EventOf<T>),
    placed: async (key: string, status = 201): Promise<OrderView> => {
      const [answer] = await place(order(key));
      expect(answer?.status).toBe(status);
      return JSON.parse(answer?.body ?? '');
    },
    cancel: async (orderId: string, user = ada): Promise<OrderView> =>
      (await api().call(publicApi.cancelOrder, { params: { orderId } }, { user })).body,
    list: async (user: User, query: { limit?: string; cursor?: string } = {}) =>
      (await api().call(publicApi.listOrders, { query }, { user })).body,
    becomes: (orderId: string, status: OrderView['status'], deadlineMs = 10_000) =>
      until(async () => (await read(orderId, admin)).status === status, {
        ...{ deadlineMs, what: `${orderId} to be ${status}` },
      }),
    [Symbol.asyncDispose]: async () => {
      await listening.close();
      await bus.close();
      await service[Symbol.asyncDispose]();
      await neighbour[Symbol.asyncDispose]();
    },
  };
  return shop;
}

const codeOf = async (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'no error',
    (error: unknown) => (error instanceof ApiError ? error.code : String(error)),
  );

test('an order goes all its way, and everybody sees what they may', async () => {
  await using shop = await startOrders();
  const { orderId } = await shop.placed('k');
  expect(shop.neighbour.seen.filter(({ path }) => path.endsWith('/reserve'))).toHaveLength(1);
  await shop.bus.publish([paymentDecided(orderId)]);
  await shop.becomes(orderId, 'paid');
  const readyAtMs = Date.UTC(2026, 0, 1);
  shop.neighbour.on('/internal/tickets/estimates', () => ({
    estimates: [{ orderId, queuePosition: 3, readyAtMs }],
  }));
  expect(await shop.read(orderId)).toMatchObject({
    ...{ queuePosition: 3, readyAt: '2026-01-01T00:00:00.000Z' },
  });
  await shop.bus.publish([ticketChanged(orderId, 'cooking', 'ready')]);
  await shop.becomes(orderId, 'ready');
  await shop.bus.publish([ticketChanged(orderId, 'collected')]);
  await shop.becomes(orderId, 'collected');
  const topics = ['stock_verified', 'paid', 'in_kitchen', 'ready', 'collected'] as const;
  for (const topic of topics) {
    await until(() => shop.saidOf(`order.${topic}`, orderId).length === 1, { what: topic });
  }
  expect(await codeOf(shop.read(orderId, userOf('bob')))).toBe('order_not_found');
  expect(await codeOf(shop.cancel(orderId, userOf('bob')))).toBe('order_not_found');
  expect((await shop.read(orderId, userOf('cook', 'kitchen'))).orderId).toBe(orderId);

  await shop.placed('k2');
  await shop.place(order('k', { studentId: 'bob' }));
  const first = await shop.list(ada, { limit: '1' });
  const second = await shop.list(ada, { limit: '1', cursor: first.nextCursor ?? '' });
  expect(first.items[0]?.orderId).not.toBe(orderId);
  expect(second.items.map((one) => one.orderId)).toEqual([orderId]);
  expect(second.nextCursor).toBeUndefined();
  expect((await shop.list(admin)).items).toHaveLength(3);

  const { body: audit } = await shop.service.as().call(ordersApi.auditOrders, { query: {} });
  expect(audit.byStatus).toEqual({ collected: 1, stock_verified: 2 });
  expect(audit.orders[0]).toMatchObject({ orderId, totalCents: 900, lines: soup });
});

test('inventory slow, gone, lying or short: 202 and the bus decides, or 422', async () => {
  await using shop = await startOrders();
  shop.neighbour.onReserve(() => hangs);
  const startedMs = performance.now();
  const slow = await shop.placed('slow', 202);
  expect(performance.now() - startedMs).toBeLessThan(limits.reserveDeadlineMs + 5_000);
  shop.neighbour.onReserve(() => ({ answers: 'none' }));
  const lied = await shop.placed('lied', 202);
  shop.neighbour.on('/internal/stock/reserve', (_, reply) => void reply.end('<html>'));
  const nonsense = await shop.placed('nonsense', 202);
  shop.neighbour.on('/internal/stock/reserve', (_, reply) => void reply.destroy());
  const reset = await shop.placed('reset', 202);
  shop.neighbour.onReserve(allShort);
  const [answer] = await shop.place(order('short'));
  expect([answer?.status, JSON.parse(answer?.body ?? '').code]).toEqual([422, 'sold_out']);

  await shop.bus.publish([stockDecided(slow.orderId), stockDecided(lied.orderId, 'short')]);
  await shop.becomes(slow.orderId, 'stock_verified');
  await shop.becomes(lied.orderId, 'rejected');
  for (const { orderId } of [slow, lied, nonsense, reset]) {
    await until(() => shop.saidOf('order.queued', orderId).length === 1, { what: 'order.queued' });
  }
  const [replay] = await shop.place(order('slow'));
  expect(JSON.parse(replay?.body ?? '')).toEqual(slow);
});

test('killed between accept and decide: the order is queued, ends, and its key tells', async () => {
  await using shop = await startOrders();
  shop.neighbour.onReserve(() => hangs);
  const asked = (): { orders: { orderId: string }[] } | undefined =>
    shop.neighbour.seen.find(({ path }) => path.endsWith('/reserve'))?.body as never;
  const lost = shop.place(order('k')).catch(() => 'lost');
  await until(() => asked() !== undefined, { what: 'inventory to be asked' });
  await shop.service.kill();
  expect(await lost).toBe('lost');
  await shop.service.start();
  shop.neighbour.onReserve(allReserved);
  const [{ status } = { status: 0 }] = await shop.place(order('k'));
  expect([409, 202]).toContain(status);

  const orderId = asked()?.orders[0]?.orderId ?? '';
  await shop.becomes(orderId, 'queued');
  const [answer] = await shop.place(order('k'));
  expect(answer?.status).toBe(202);
  await until(() => shop.saidOf('order.queued', orderId).length > 0, { what: 'order.queued' });
  await shop.bus.publish([stockDecided(orderId)]);
  await shop.becomes(orderId, 'stock_verified');
  await shop.bus.publish([paymentDecided(orderId)]);
  await shop.becomes(orderId, 'paid');
  expect((await shop.list(ada)).items).toHaveLength(1);
  expect((await shop.place(order('k')))[0]).toEqual(answer);
});

test('killed under load: each order has one end, and each answered one is found', async () => {
  await using shop = await startOrders();
  const answered: string[] = [];
  let stop = false;
  let up = true;
  const rush = async (n: number): Promise<void> => {
    for (let at = 0; !stop; at++) {
      const batch = Array.from({ length: 20 }, (_, m) => order(`k-${n}-${at}-${m}`));
      await until(() => up, { deadlineMs: 30_000, what: 'orders to be back' });
      const answers = await shop.place(...batch).catch(() => []);
      for (const { status, body } of answers) {
        if (status === 201 || status === 202) answered.push(JSON.parse(body).orderId);
      }
    }
  };
  const rushes = [rush(1), rush(2), rush(3)];
  await until(() => answered.length > 200, { what: 'a rush' });
  up = false;
  await shop.service.kill();
  await shop.service.start();
  up = true;
  const before = answered.length;
  await until(() => answered.length > before + 200, { what: 'the rush to go on' });
  stop = true;
  await Promise.all(rushes);
  await until(
    async () => {
      const { body } = await shop.service.as().call(ordersApi.auditOrders, { query: {} });
      return body.byStatus.pending === undefined;
    },
    { deadlineMs: 20_000, what: 'nothing to be pending' },
  );
  const found = new Set<string>();
  for (let after: string | undefined; ; ) {
    const query = after === undefined ? {} : { after };
    const { body } = await shop.service.as().call(ordersApi.auditOrders, { query });
    for (const { orderId } of body.orders) found.add(orderId);
    after = body.next;
    if (after === undefined) break;
  }
  expect(answered.filter((id) => !found.has(id))).toEqual([]);
  expect(new Set(answered).size).toBe(answered.length);
});

test('cancelling: at once before payment, by the kitchen after it', async () => {
  await using shop = await startOrders();
  const early = await shop.placed('early');
  expect(await shop.cancel(early.orderId)).toMatchObject({ status: 'cancelled' });
  expect(await shop.cancel(early.orderId)).toMatchObject({ status: 'cancelled' });
  const paid = async (key: string): Promise<string> => {
    const { orderId } = await shop.placed(key);
    await shop.bus.publish([paymentDecided(orderId)]);
    await shop.becomes(orderId, 'paid');
    return orderId;
  };
  const answer = (outcome: string) =>
    shop.neighbour.on('/internal/tickets/void', () => ({ outcome }));

  answer('voided');
  const voided = await paid('voided');
  expect(await shop.cancel(voided, admin)).toMatchObject({ status: 'cancelled', reason: 'admin' });
  await until(() => shop.saidOf('order.cancelled', voided).length === 1, { what: 'the refund' });
  expect(shop.saidOf('order.cancelled', voided)[0]).toMatchObject({ release: true, refund: true });

  answer('started');
  const started = await paid('started');
  expect(await codeOf(shop.cancel(started))).toBe('too_late');

  shop.neighbour.on('/internal/tickets/void', (_, reply) => void reply.destroy());
  const lost = await paid('lost');
  expect(await codeOf(shop.cancel(lost, admin))).toContain('UnavailableError');
  expect((await shop.read(lost)).status).toBe('paid');
  await shop.bus.publish([ticketChanged(lost, 'voided')]);
  await shop.becomes(lost, 'cancelled');
  expect(await shop.read(lost)).toMatchObject({ reason: 'admin' });
});

test('prices follow the menu, and an accepted order keeps its own', async () => {
  await using shop = await startOrders();
  const { orderId } = await shop.placed('old');
  await shop.bus.publish([message('item.changed', [item('soup', 1_000, 2)])]);
  let n = 0;
  await until(async () => (await shop.placed(`new-${n++}`)).totalCents === 2_000, {
    what: 'the new price',
  });
  expect((await shop.read(orderId)).totalCents).toBe(900);
  await shop.bus.publish([message('item.changed', [{ ...item('soup', 1_000, 3), removed: true }])]);
  await until(async () => (await shop.place(order(`gone-${n++}`)))[0]?.status === 404, {
    what: 'the item to be gone',
  });
  expect((await shop.place(order('old')))[0]?.status).toBe(201);
});

test('strangers and bad input get a clear answer', async () => {
  await using shop = await startOrders();
  const url = `${shop.service.url}/internal/orders/batch`;
  expect((await fetch(url, { method: 'POST' })).status).toBe(401);
  const tooMany = Array.from({ length: limits.orderBatchMax + 1 }, (_, n) => order(`k${n}`));
  expect(await codeOf(shop.place(...tooMany))).toBe('bad_request');
  expect(await codeOf(shop.place())).toBe('bad_request');
  const wrong = [{ itemId: 'soup', quantity: -1 }];
  expect(await codeOf(shop.place(order('k', { lines: wrong })))).toBe('bad_request');
  expect(await codeOf(shop.read('not-an-id'))).toBe('bad_request');
  const nobody = '019b0000-0000-7000-8000-000000000000';
  expect(await codeOf(shop.read(nobody))).toBe('order_not_found');
  expect(await codeOf(shop.cancel(nobody))).toBe('order_not_found');
  expect(await codeOf(shop.list(ada, { limit: '0' }))).toBe('bad_request');
  expect(await codeOf(shop.list(ada, { cursor: "' OR 1=1 --" }))).toBe('bad_request');
});
