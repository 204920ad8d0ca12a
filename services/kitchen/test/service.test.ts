import { randomUUID } from 'node:crypto';
import { startService, type TestService, until } from '@rushlight/chassis/testing';
import { kitchenApi, publicApi } from '@rushlight/contracts';
import { expect, test, vi } from 'vitest';
import { cancelled, cook, openNeighbour, paid } from './help.ts';

vi.setConfig({ testTimeout: 60_000 });

const noTime = { RUSHLIGHT_KITCHEN_COOK_S_MAX: '0' };
const longTime = { RUSHLIGHT_KITCHEN_COOK_S_MIN: '600', RUSHLIGHT_KITCHEN_COOK_S_MAX: '600' };
const user = { user: cook };

async function startKitchen(env: Record<string, string>) {
  const kitchen = await startService('kitchen', { env });
  const neighbour = await openNeighbour(kitchen.busUrl);
  const { bus, heard, statuses } = neighbour;
  return {
    ...{ kitchen, bus, heard, statuses },
    [Symbol.asyncDispose]: async () => {
      await neighbour[Symbol.asyncDispose]();
      await kitchen[Symbol.asyncDispose]();
    },
  };
}

const display = async (kitchen: TestService) =>
  (await kitchen.as().call(publicApi.tickets, {}, user)).body;
const voidTicket = async (kitchen: TestService, orderId: string) =>
  (await kitchen.as('orders').call(kitchenApi.voidTicket, { body: { orderId } })).body.outcome;
const ids = (count: number) => Array.from({ length: count }, () => randomUUID());

test('without cooking time a paid order is cooked and ready at once', async () => {
  await using run = await startKitchen(noTime);
  const [orderId = ''] = ids(1);
  const message = paid([orderId]);
  await run.bus.publish([message]);
  await run.bus.publish([message, paid([orderId])]);
  await until(() => run.statuses(orderId).length === 2, { what: 'the meal' });
  // Two messages: the bus promises no order.
  expect(run.statuses(orderId).sort()).toEqual(['cooking', 'ready']);
  const { tickets, waiting } = await display(run.kitchen);
  expect(waiting).toBe(0);
  expect(tickets).toMatchObject([{ orderId, status: 'ready', pickupNumber: 7 }]);
});

test('thousands of tickets a second pass a kitchen without cooking time', async () => {
  await using run = await startKitchen(noTime);
  const total = 10_000;
  const orders = ids(total);
  const startedMs = performance.now();
  for (let at = 0; at < total; at += 500) {
    await run.bus.publish([paid(orders.slice(at, at + 500))]);
  }
  await until(() => run.heard.length >= 2 * total, { what: 'all meals', deadlineMs: 25_000 });
  const perSecond = Math.round(total / ((performance.now() - startedMs) / 1_000));
  process.stderr.write(`kitchen: ${perSecond} tickets a second, bus included\n`);
});

test('stations are filled in the order of arrival, and no station cooks two meals', async () => {
  await using run = await startKitchen({ ...longTime, RUSHLIGHT_KITCHEN_STATIONS: '3' });
  const orders = ids(8);
  await run.bus.publish([paid(orders)]);
  await until(() => run.heard.length === 3, { what: 'three stations' });
  expect(run.heard.map(({ orderId }) => orderId)).toEqual(orders.slice(0, 3));
  const shown = await display(run.kitchen);
  expect(shown).toMatchObject({ stations: 3, auto: true, waiting: 5 });
  expect(shown.tickets.map((ticket) => ticket.orderId)).toEqual(orders);
  expect(shown.tickets.map((ticket) => ticket.queuePosition)).toEqual([
    undefined,
    undefined,
    undefined,
    1,
    2,
    3,
    4,
    5,
  ]);
  const { body } = await run.kitchen
    .as('orders')
    .call(kitchenApi.estimates, { body: { orderIds: orders } });
  const places = body.estimates.map(({ queuePosition }) => queuePosition ?? 0).sort();
  expect(places).toEqual([0, 0, 0, 1, 2, 3, 4, 5]);
  const last = body.estimates.find(({ orderId }) => orderId === orders[7]);
  const waitS = ((last?.readyAtMs ?? 0) - Date.now()) / 1_000;
  expect(waitS).toBeGreaterThan(1_700);
  expect(waitS).toBeLessThan(1_810);
});

test('a person presses ready and collected, again too, and the next meal starts', async () => {
  await using run = await startKitchen({ ...longTime, RUSHLIGHT_KITCHEN_STATIONS: '1' });
  const [first = '', second = ''] = ids(2);
  await run.bus.publish([paid([first, second])]);
  await until(() => run.heard.length === 1, { what: 'the first to start' });
  const press = (name: 'ticketReady' | 'ticketCollected', orderId: string) =>
    run.kitchen.as().call(publicApi[name], { params: { orderId } }, user);
  const refused = { code: 'wrong_state' };
  await expect(press('ticketReady', second)).rejects.toMatchObject(refused);
  await expect(press('ticketCollected', first)).rejects.toMatchObject(refused);
  await expect(press('ticketReady', randomUUID())).rejects.toMatchObject({
    code: 'unknown_ticket',
  });
  const ready = await press('ticketReady', first);
  expect(ready.body.status).toBe('ready');
  expect(await press('ticketReady', first)).toEqual(ready);
  await until(() => run.statuses(second).includes('cooking'), { what: 'the next to start' });
  await press('ticketCollected', first);
  expect((await press('ticketCollected', first)).body.status).toBe('collected');
  await until(() => run.statuses(first).length === 3, { what: 'the events' });
  expect(run.statuses(first)).toEqual(['cooking', 'ready', 'collected']);
});

test('a refused meal frees its station, and says so once', async () => {
  await using run = await startKitchen({ ...longTime, RUSHLIGHT_KITCHEN_STATIONS: '1' });
  const [first = '', second = ''] = ids(2);
  await run.bus.publish([paid([first, second])]);
  await until(() => run.heard.length === 1, { what: 'the first to start' });
  const refuse = () => {
    const call = { params: { orderId: first }, body: { reason: 'burnt' } };
    return run.kitchen.as().call(publicApi.ticketRefused, call, user);
  };
  expect((await refuse()).body.status).toBe('refused');
  expect((await refuse()).body.status).toBe('refused');
  await until(() => run.statuses(second).includes('cooking'), { what: 'the next to start' });
  expect(run.statuses(first)).toEqual(['cooking', 'refused']);
});

test('a void stops what has not begun, also before it comes, and nothing else', async () => {
  await using run = await startKitchen({ ...longTime, RUSHLIGHT_KITCHEN_STATIONS: '1' });
  const [cooking = '', waiting = '', absent = '', dead = ''] = ids(4);
  await run.bus.publish([paid([cooking, waiting])]);
  await until(() => run.heard.length === 1, { what: 'the first to start' });
  expect(await voidTicket(run.kitchen, cooking)).toBe('started');
  expect(await voidTicket(run.kitchen, waiting)).toBe('voided');
  expect(await voidTicket(run.kitchen, waiting)).toBe('voided');
  expect(await voidTicket(run.kitchen, absent)).toBe('voided');
  await run.bus.publish([cancelled([dead])]);
  await until(async () => (await run.bus.depth('kitchen')) === 0, { what: 'the cancel' });
  await run.bus.publish([paid([absent, dead])]);
  await until(() => run.statuses(absent).length === 2, { what: 'the late ticket' });
  expect(run.statuses(absent)).toEqual(['voided', 'voided']);
  expect(run.statuses(dead)).toEqual(['voided']);
  expect(run.statuses(waiting)).toEqual(['voided']);
  const { body } = await run.kitchen.as().call(kitchenApi.auditTickets, { query: {} });
  const byId = new Map(body.tickets.map(({ orderId, status }) => [orderId, status]));
  expect(byId.get(cooking)).toBe('cooking');
  for (const orderId of [waiting, absent, dead]) expect(byId.get(orderId)).toBe('voided');
});

test('a kitchen that is killed in mid-cooking goes on where it was', async () => {
  await using run = await startKitchen({
    RUSHLIGHT_KITCHEN_COOK_S_MIN: '0.5',
    RUSHLIGHT_KITCHEN_COOK_S_MAX: '1',
    RUSHLIGHT_KITCHEN_STATIONS: '5',
  });
  const orders = ids(10);
  await run.bus.publish([paid(orders)]);
  await until(() => run.heard.length >= 5, { what: 'the first meals to start' });
  await run.kitchen.kill();
  await run.kitchen.start();
  const ready = () => new Set(run.heard.filter(({ status }) => status === 'ready'));
  await until(() => ready().size === 10, { what: 'all meals', deadlineMs: 10_000 });
  const states = orders.map((orderId) => [...new Set(run.statuses(orderId))].sort());
  expect(states).toEqual(orders.map(() => ['cooking', 'ready']));
});

test('bad input is refused with a clear problem', async () => {
  await using run = await startKitchen(noTime);
  const orderId = "'; drop table tickets; --";
  const bad = { code: 'bad_request' };
  const ready = run.kitchen.as().call(publicApi.ticketReady, { params: { orderId } }, user);
  await expect(ready).rejects.toMatchObject(bad);
  await expect(voidTicket(run.kitchen, orderId)).rejects.toMatchObject(bad);
  const audit = run.kitchen.as().call(kitchenApi.auditTickets, { query: { after: orderId } });
  await expect(audit).rejects.toMatchObject(bad);
});
