// An order's trace, as the monitor has it: whole, through every service, whatever way the order took.

import { monitorApiAtGateway, publicApi, traceIdOfOrder } from '@rushlight/contracts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { z } from 'zod';
import { eventually } from '../src/eventually.ts';
import { newKey } from '../src/examples.ts';
import { jsonOf } from '../src/http.ts';
import { place, placed } from '../src/ordering.ts';
import { type Shop, startShop } from '../src/platform.ts';

type Trace = z.output<(typeof monitorApiAtGateway.getTrace)['replies'][200]>;

const arrivesMsMax = 40_000;
let shop: Shop;

beforeAll(async () => {
  shop = await startShop({ cookS: 1, settings: { RUSHLIGHT_TRACES_PER_S: '1000' } });
});
afterAll(() => shop?.stop());

/** What the monitor has of this trace, as soon as it has all of these spans and what stands above them. */
async function traceWith(id: string, spans: readonly string[]): Promise<Trace> {
  const admin = await shop.admin();
  let trace: Trace | undefined;
  let missing: readonly string[] = spans;
  let orphans: readonly string[] = [];
  await eventually(
    'the monitor has the trace',
    async () => {
      const params = { traceId: id };
      const answer = await shop.api.try(monitorApiAtGateway.getTrace, { params }, admin);
      if (answer.status !== 200) return false;
      trace = jsonOf<Trace>(answer);
      const names = trace.spans.map(({ service, name }) => `${service} ${name}`);
      missing = spans.filter((span) => !names.includes(span));
      orphans = names.filter((_, nth) => trace?.spans[nth]?.orphaned);
      return missing.length === 0 && !trace.incomplete;
    },
    { deadlineMs: arrivesMsMax, everyMs: 250 },
  ).catch((error) => {
    const left = `missing: ${missing.join(', ')}; orphaned: ${orphans.join(', ')}`;
    throw new Error(`${error.message}: ${left}`);
  });
  return trace as Trace;
}

const toTheKitchen = [
  'payments begin_charges',
  'payments send payment.decided',
  'orders applyMessages',
  'orders send order.paid',
  'inventory commitPaid',
  'kitchen take_in',
  'kitchen finish_due',
  'orders send order.ready',
  'notifications take',
];

test('an order is one trace from the request to the meal, and whoever knows its id finds it', async () => {
  const student = await shop.student();
  const itemId = await shop.item(5);
  const orderId = await placed(shop, student, [{ itemId, quantity: 1 }]);
  await shop.reached(orderId, ['ready']);
  const trace = await traceWith(orderId, [
    'gateway POST /api/v1/orders',
    'gateway place orders',
    'orders POST /internal/orders/batch',
    'orders acceptBatch',
    'inventory reserveBatch',
    'orders decideBatch',
    'orders send order.stock_verified',
    ...toTheKitchen,
  ]);
  expect(trace.traceId).toBe(traceIdOfOrder(orderId));
  expect((await traceWith(orderId.toUpperCase(), [])).traceId).toBe(trace.traceId);
  expect(trace.errors).toBe(0);
  expect([...trace.services].sort()).toEqual([
    ...['gateway', 'inventory', 'kitchen', 'notifications', 'orders', 'payments'],
  ]);
  const root = trace.spans[0];
  expect(root).toMatchObject({ service: 'gateway', name: 'POST /api/v1/orders', depth: 0 });
  expect(root?.attributes['rushlight.order.id']).toBe(orderId);
  // Each part of a batch is linked with the batch, which has a trace of its own.
  const batch = trace.spans.find(({ name }) => name === 'place orders');
  const links = batch?.links ?? [];
  expect(links).toHaveLength(1);
  const own = await traceWith(links[0]?.traceId ?? '', ['gateway place orders']);
  const begun = own.spans.find(({ name }) => name === 'place orders');
  expect(begun?.links).toContainEqual(
    expect.objectContaining({ traceId: trace.traceId, spanId: batch?.spanId }),
  );
});

test('an order that has to wait for inventory has one trace as well', async () => {
  const student = await shop.student();
  const itemId = await shop.item(5);
  const { platform } = shop;
  // Known to orders, so that only the reservation has to wait.
  await placed(shop, student, [{ itemId, quantity: 1 }]);
  platform.startFault({ fault: 'stop', target: 'inventory', durationS: 5 });
  const answer = await place(shop, student.token, [{ itemId, quantity: 1 }]);
  expect(answer.status).toBe(202);
  const { orderId } = jsonOf<{ orderId: string }>(answer);
  await shop.reached(orderId, ['ready']);
  const trace = await traceWith(orderId, [
    'orders send order.queued',
    'inventory reserveQueued',
    'inventory send stock.decided',
    'orders send order.stock_verified',
    ...toTheKitchen,
  ]);
  // The call that got no answer stands in it.
  expect(trace.errors).toBeGreaterThan(0);
  const failed = trace.spans.filter(({ status }) => status === 'error');
  expect(failed.map(({ service, name }) => `${service} ${name}`)).toContain(
    'orders POST /internal/stock/reserve',
  );
});

test('where a process died, the trace says that something is missing', async () => {
  const students = await shop.students(10);
  const itemId = await shop.item(50);
  const orderIds = await Promise.all(
    students.map((student) => placed(shop, student, [{ itemId, quantity: 1 }])),
  );
  // What it has not sent yet dies with it.
  shop.platform.kill('orders');
  await shop.platform.whenUp('orders');
  await shop.settled(orderIds, arrivesMsMax);
  const admin = await shop.admin();
  await eventually(
    'a trace is incomplete',
    async () => {
      for (const orderId of orderIds) {
        const params = { traceId: orderId };
        const answer = await shop.api.try(monitorApiAtGateway.getTrace, { params }, admin);
        if (answer.status === 200 && jsonOf<Trace>(answer).incomplete) return true;
      }
      return false;
    },
    { deadlineMs: arrivesMsMax, everyMs: 250 },
  );
});

test('the trace of a caller is linked, and does not decide what is kept', async () => {
  const { token } = await shop.student();
  const itemId = await shop.item(5);
  const theirs = { traceId: 'c0ffee'.padEnd(32, '1'), spanId: 'beef'.padEnd(16, '2') };
  const headers = {
    'idempotency-key': newKey(),
    traceparent: `00-${theirs.traceId}-${theirs.spanId}-01`,
  };
  const body = { lines: [{ itemId, quantity: 1 }] };
  let orderId = '';
  await eventually('the item is known', async () => {
    const answer = await shop.api.try(publicApi.placeOrder, { headers, body }, token);
    if (answer.status === 201) ({ orderId } = jsonOf<{ orderId: string }>(answer));
    return answer.status === 201;
  });
  const trace = await traceWith(orderId, ['gateway POST /api/v1/orders']);
  expect(trace.traceId).not.toBe(theirs.traceId);
  expect(trace.spans[0]?.links).toContainEqual(expect.objectContaining(theirs));
});

test('lines of a log say in which trace they were written', async () => {
  const admin = await shop.admin();
  const student = await shop.student();
  const itemId = await shop.item(5);
  await placed(shop, student, [{ itemId, quantity: 1 }]);
  shop.platform.startFault({ fault: 'stop', target: 'inventory', durationS: 4 });
  const answer = await place(shop, student.token, [{ itemId, quantity: 1 }]);
  expect(answer.status).toBe(202);
  let traceId: string | undefined;
  await eventually(
    'the monitor has read the log',
    async () => {
      const query = { service: 'orders', text: 'inventory gave no answer' };
      const { body } = await shop.api.call(monitorApiAtGateway.searchLogs, { query }, admin);
      traceId = body.lines.find((line) => line.traceId !== undefined)?.traceId;
      return traceId !== undefined;
    },
    { deadlineMs: arrivesMsMax, everyMs: 250 },
  );
  const batch = await traceWith(traceId ?? '', ['orders place']);
  expect(batch.logs.map(({ message }) => message)).toContain('inventory gave no answer: queued');
});
