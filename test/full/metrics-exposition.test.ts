// What every process of a running shop exposes, after a day's work in small: Debian's promtool finds
// nothing to complain of, the table says the same of it, and the counters add up to the audit.

import { spawnSync } from 'node:child_process';
import { differences, readMetrics, sumOf } from '@rushlight/chassis/testing';
import { orderApi, type ProcessName, processNames, publicApi } from '@rushlight/contracts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../src/eventually.ts';
import { newKey } from '../src/examples.ts';
import { type Answer, jsonOf } from '../src/http.ts';
import { type Line, place } from '../src/ordering.ts';
import { type Shop, type Student, startShop } from '../src/platform.ts';
import { prometheusMissing } from '../src/prometheus.ts';
import { report } from '../src/report.ts';

const missing = prometheusMissing();
if (missing !== undefined) report(`promtool check metrics: not run, because ${missing}`);

let shop: Shop;
let unanswered = 0;
const stock = 5;

beforeAll(async () => {
  shop = await startShop();
});
afterAll(async () => {
  await shop?.stop();
});

const running = (): ProcessName[] =>
  processNames.filter((name) => shop.platform.parts().some((part) => part.name === name));
const metricsOf = (name: ProcessName) => readMetrics(shop.platform.serviceUrl(name));

/** Orders until it is decided; counts how often it was not. */
async function order(token: string, lines: readonly Line[], key = newKey()): Promise<Answer> {
  const look = async (): Promise<Answer | undefined> => {
    const answer = await place(shop, token, lines, key);
    if ([201, 202, 422].includes(answer.status)) return answer;
    unanswered += 1;
    return undefined;
  };
  return eventually('the order is answered', look, { deadlineMs: 60_000, everyMs: 250 });
}

/** Orders until nothing is left, one of them again, one with another body, and one is cancelled. */
async function trade(): Promise<{ accepted: string[] }> {
  const itemId = await shop.item(stock);
  const students = await shop.students(stock + 1);
  const [first, ...others] = students as [Student, ...Student[]];
  const lines = [{ itemId, quantity: 1 }];
  const key = newKey();
  const answers = [await order(first.token, lines, key)];
  expect((await order(first.token, lines, key)).text).toBe(answers[0]?.text);
  for (const { token } of others) answers.push(await order(token, lines));
  expect((await order(first.token, [{ itemId, quantity: 2 }], key)).status).toBe(422);
  await eventually('a wrong password is refused', async () => {
    const body = { studentId: 'admin', password: 'not this one' };
    return (await shop.api.try(publicApi.login, { body })).status === 401;
  });
  const good = answers.filter(({ status }) => status === 201 || status === 202);
  const accepted = good.map((answer) => jsonOf<{ orderId: string }>(answer).orderId);
  expect(accepted.length).toBeGreaterThanOrEqual(stock);
  const params = { orderId: accepted[0] ?? '' };
  await shop.api.try(orderApi.cancelOrder, { params }, first.token);
  await shop.settled(accepted);
  return { accepted };
}

test('the counters of a shop say what became of its orders', async () => {
  const before = await metricsOf('orders');
  const soldOut = { reason: 'sold_out' };
  const { accepted } = await trade();
  await shop.audit();
  const [orders, gateway, inventory, identity] = await Promise.all([
    metricsOf('orders'),
    metricsOf('gateway'),
    metricsOf('inventory'),
    metricsOf('identity'),
  ]);
  const grown = (name: string, labels: Record<string, string> = {}): number =>
    sumOf(orders, name, labels) - sumOf(before, name, labels);
  const taken = grown('orders_accepted_total');
  expect(taken).toBeLessThanOrEqual(accepted.length);
  // Whoever got no answer asked again, and was told of an order that was there already.
  expect(taken).toBeGreaterThanOrEqual(accepted.length - unanswered);
  expect(grown('orders_retried_total', { how: 'repeated' })).toBeGreaterThanOrEqual(1);
  expect(grown('orders_rejected_total', { reason: 'key_reused' })).toBeGreaterThanOrEqual(1);
  const refused = sumOf(gateway, 'orders_rejected_total', soldOut);
  expect(refused + grown('orders_rejected_total', soldOut)).toBeGreaterThanOrEqual(1);
  expect(sumOf(gateway, 'orders_failed_total')).toBeLessThanOrEqual(unanswered);
  const ended = ['paid', 'cancelled', 'rejected'].map((status) =>
    grown('orders_processed_total', { status }),
  );
  expect(ended.reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(accepted.length);
  const written = { operation: 'reserve', result: 'ok' };
  expect(sumOf(inventory, 'stock_updates_total', written)).toBeGreaterThanOrEqual(stock);
  expect(sumOf(identity, 'auth_attempts_total', { outcome: 'wrong' })).toBe(1);
});

test('every process exposes what the table says of it', async () => {
  expect(running().length).toBeGreaterThanOrEqual(7);
  const found = await Promise.all(
    running().map(async (name) =>
      differences(name, await metricsOf(name)).map((one) => [name, one]),
    ),
  );
  expect(found.flat()).toEqual([]);
});

test.skipIf(missing !== undefined)('promtool has nothing to say about it', async () => {
  for (const name of running()) {
    const { text } = await metricsOf(name);
    const options = { input: text, encoding: 'utf8', timeout: 60_000 } as const;
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], options);
    expect({ name, status, said: `${stdout}${stderr}` }).toEqual({ name, status: 0, said: '' });
  }
});
