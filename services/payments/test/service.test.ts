import { randomUUID } from 'node:crypto';
import { readMetrics, startService, sumOf, until } from '@rushlight/chassis/testing';
import { paymentsApi, publicApi } from '@rushlight/contracts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { admin, cancelled, message, openNeighbour, student, verified } from './help.ts';

let service: Awaited<ReturnType<typeof startService>>;
let neighbour: Awaited<ReturnType<typeof openNeighbour>>;

beforeAll(async () => {
  service = await startService('payments');
  neighbour = await openNeighbour(service.busUrl);
});

afterAll(async () => {
  await neighbour?.[Symbol.asyncDispose]();
  await service?.[Symbol.asyncDispose]();
});

const wallet = async (studentId: string) => {
  const options = { user: student(studentId) };
  return (await service.as().call(publicApi.wallet, {}, options)).body;
};
const audit = async () => {
  const call = { query: { limit: '5000' } };
  const { status, body } = await service.as().call(paymentsApi.auditPayments, call);
  expect(status).toBe(200);
  return body;
};
const fund = (studentIds: string[], balanceCents: number) =>
  service.as().call(paymentsApi.fundWallets, { body: { studentIds, balanceCents } });
const topUp = (studentId: string, amountCents: number, key: string) =>
  service
    .as()
    .call(
      publicApi.topUp,
      { headers: { 'idempotency-key': key }, body: { studentId, amountCents } },
      { user: admin, deadlineMs: 5_000 },
    );
const decisionsOf = (orderId: string) => neighbour.decided.get(orderId) ?? [];

test('a wallet is opened with what the registration says', async () => {
  const events = [{ studentId: 'opened', name: 'O', openingCents: 1_000 }];
  await neighbour.bus.publish([message('user.registered', events)]);
  await until(async () => (await wallet('opened')).balanceCents === 1_000, {
    what: 'the opening balance',
  });
  expect((await wallet('opened')).entries).toMatchObject([{ kind: 'opening', amountCents: 1_000 }]);
});

test('an order is charged once, however often its event comes', async () => {
  await fund(['payer'], 5_000);
  const order = { orderId: randomUUID(), studentId: 'payer', totalCents: 1_200 };
  const first = verified([order]);
  await neighbour.bus.publish([first]);
  await neighbour.bus.publish([first, verified([order])]);
  await until(() => decisionsOf(order.orderId).length > 0, { what: 'the decision' });
  await until(async () => (await neighbour.bus.depth('payments')) === 0, { what: 'the queue' });
  expect(decisionsOf(order.orderId)).toEqual(['captured']);
  expect(await wallet('payer')).toMatchObject({
    balanceCents: 3_800,
    entries: [{ kind: 'capture', amountCents: -1_200, orderId: order.orderId }, {}],
  });
});

test('an order that the wallet cannot pay is declined, and nothing is taken', async () => {
  await fund(['poor'], 100);
  const order = { orderId: randomUUID(), studentId: 'poor', totalCents: 101 };
  await neighbour.bus.publish([verified([order])]);
  await until(() => decisionsOf(order.orderId).length > 0, { what: 'the decision' });
  expect(decisionsOf(order.orderId)).toEqual(['insufficient_funds']);
  expect((await wallet('poor')).balanceCents).toBe(100);
});

test('a cancelled order gets its money back, once', async () => {
  await fund(['back'], 1_000);
  const order = { orderId: randomUUID(), studentId: 'back', totalCents: 700 };
  await neighbour.bus.publish([verified([order])]);
  await until(() => decisionsOf(order.orderId).length > 0, { what: 'the decision' });
  await neighbour.bus.publish([cancelled([order]), cancelled([order])]);
  await until(async () => (await wallet('back')).balanceCents === 1_000, { what: 'the refund' });
  const { entries } = await wallet('back');
  expect(entries.map(({ kind }) => kind)).toEqual(['refund', 'capture', 'top_up']);
});

test('an order that was cancelled before its charge came is never charged', async () => {
  await fund(['early'], 1_000);
  const order = { orderId: randomUUID(), studentId: 'early', totalCents: 700 };
  await neighbour.bus.publish([cancelled([order])]);
  const payment = async () =>
    (await audit()).payments.find(({ orderId }) => orderId === order.orderId);
  await until(async () => (await payment())?.status === 'voided', { what: 'the tombstone' });
  await neighbour.bus.publish([verified([order])]);
  await until(async () => (await neighbour.bus.depth('payments')) === 0, { what: 'the queue' });
  expect(await payment()).toMatchObject({ status: 'voided', capturedCents: 0 });
  expect((await wallet('early')).balanceCents).toBe(1_000);
});

test('a charge whose account is not open yet waits for it', async () => {
  const order = { orderId: randomUUID(), studentId: 'hasty', totalCents: 300 };
  await neighbour.bus.publish([verified([order])]);
  await until(async () => (await audit()).payments.some((row) => row.orderId === order.orderId), {
    what: 'the payment',
  });
  await fund(['hasty'], 400);
  await until(() => decisionsOf(order.orderId).length > 0, { what: 'the decision' });
  expect(decisionsOf(order.orderId)).toEqual(['captured']);
});

test('a top-up counts once per key, and a key stands for one top-up', async () => {
  await fund(['saver'], 0);
  const key = randomUUID();
  const first = await topUp('saver', 500, key);
  expect(first.body).toEqual({ studentId: 'saver', balanceCents: 500 });
  await topUp('saver', 100, randomUUID());
  expect(await topUp('saver', 500, key)).toEqual(first);
  await expect(topUp('saver', 501, key)).rejects.toMatchObject({ code: 'key_reused' });
  expect((await wallet('saver')).balanceCents).toBe(600);
});

test('a top-up for a student that nobody knows says so, and the key stays free', async () => {
  const key = randomUUID();
  await expect(topUp('nobody', 500, key)).rejects.toMatchObject({ code: 'unknown_user' });
  await fund(['nobody'], 0);
  expect((await topUp('nobody', 600, key)).body).toMatchObject({ balanceCents: 600 });
});

test('ten thousand wallets are filled to the same balance within one call', async () => {
  const studentIds = Array.from({ length: 10_000 }, (_, n) => `crowd-${n}`);
  const call = { body: { studentIds, balanceCents: 100_000 } };
  await service.as().call(paymentsApi.fundWallets, call, { deadlineMs: 10_000 });
  expect((await wallet('crowd-9999')).balanceCents).toBe(100_000);
});

test('the audit says what the provider took and gave back, and that the books are in order', async () => {
  const { capturedCents, refundedCents, balanced, violations, payments } = await audit();
  expect(violations).toEqual([]);
  expect(balanced).toBe(true);
  const sum = (of: (row: (typeof payments)[number]) => number) =>
    payments.reduce((cents, row) => cents + of(row), 0);
  expect(sum((row) => row.capturedCents)).toBe(capturedCents);
  expect(sum((row) => row.refundedCents)).toBe(refundedCents);
  expect(capturedCents).toBe(1_200 + 700 + 300);
  const page = await service.as().call(paymentsApi.auditPayments, { query: { limit: '2' } });
  expect(page.body.payments).toHaveLength(2);
  expect(page.body.next).toBe(page.body.payments.at(-1)?.orderId);
});

test('a scrape tells the money that moved', async () => {
  const { capturedCents, refundedCents } = await audit();
  const told = async () => {
    const scrape = await readMetrics(service.url);
    return ['captured', 'refunded'].map((kind) => sumOf(scrape, 'payments_cents_total', { kind }));
  };
  const isTold = async () => `${await told()}` === `${[capturedCents, refundedCents]}`;
  await until(isTold, { what: 'the money of the audit to be counted, all of it once' });
});

test('bad input is refused with a clear problem', async () => {
  const refused = { code: 'bad_request' };
  await expect(topUp('x', 1.5, 'k')).rejects.toMatchObject(refused);
  await expect(topUp('x', -1, 'k')).rejects.toMatchObject(refused);
  await expect(topUp("'; drop table postings; --", 1, 'k')).rejects.toMatchObject(refused);
  const call = { query: { after: "' or 1=1" } };
  await expect(service.as().call(paymentsApi.auditPayments, call)).rejects.toMatchObject(refused);
});
