// Payments are killed at their worst moments; money is moved once all the same.

import { randomUUID } from 'node:crypto';
import { freshDatabase, startService, until } from '@rushlight/chassis/testing';
import { paymentsApi, publicApi } from '@rushlight/contracts';
import { Client } from 'pg';
import { expect, test, vi } from 'vitest';
import { cancelled, openNeighbour, student, verified } from './help.ts';

vi.setConfig({ testTimeout: 60_000 });

async function startPayments(env: Record<string, string> = {}) {
  const provider = await freshDatabase('card_provider');
  const payments = await startService('payments', {
    env: { RUSHLIGHT_PROVIDER_DATABASE_URL: provider.url, ...env },
  });
  const neighbour = await openNeighbour(payments.busUrl);
  const [books, mirror] = await Promise.all([connect(provider.url), connect(payments.databaseUrl)]);
  return {
    ...{ payments, books, mirror, bus: neighbour.bus, decided: neighbour.decided },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([books.end(), mirror.end()]);
      await neighbour[Symbol.asyncDispose]();
      await payments[Symbol.asyncDispose]();
      await provider[Symbol.asyncDispose]();
    },
  };
}
type Run = Awaited<ReturnType<typeof startPayments>>;

async function connect(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  await client.connect();
  return client;
}

const count = async (client: Client, from: string): Promise<number> =>
  Number((await client.query<{ n: string }>(`SELECT count(*) AS n FROM ${from}`)).rows[0]?.n);
const fund = (run: Run, studentId: string, balanceCents: number) =>
  until(
    () =>
      run.payments
        .as()
        .call(paymentsApi.fundWallets, { body: { studentIds: [studentId], balanceCents } })
        .then(
          () => true,
          () => false,
        ),
    { what: 'the wallet' },
  );
const balance = async (run: Run, studentId: string) =>
  (await run.payments.as().call(publicApi.wallet, {}, { user: student(studentId) })).body
    .balanceCents;
const audit = async (run: Run) =>
  (await run.payments.as().call(paymentsApi.auditPayments, { query: {} }, { deadlineMs: 10_000 }))
    .body;

/** Holds back whoever wants to write this table, does the work, kills the service, lets go. */
async function killedWhileHeld(run: Run, client: Client, table: string, work: () => Promise<void>) {
  await client.query('BEGIN');
  await client.query(`LOCK TABLE ${table} IN EXCLUSIVE MODE`);
  await work();
  await run.payments.kill();
  await client.query('ROLLBACK');
  await run.payments.start();
}

test('killed after the payment was noted and before it was charged: charged once', async () => {
  await using run = await startPayments();
  await fund(run, 'ann', 1_000);
  const order = { orderId: randomUUID(), studentId: 'ann', totalCents: 300 };
  await killedWhileHeld(run, run.books, 'charges', async () => {
    await run.bus.publish([verified([order])]);
    await until(async () => (await count(run.mirror, 'payments')) === 1, { what: 'the note' });
    expect(await count(run.books, 'charges')).toBe(0);
  });
  await until(() => run.decided.has(order.orderId), { what: 'the decision', deadlineMs: 10_000 });
  expect(run.decided.get(order.orderId)).toEqual(['captured']);
  expect(await count(run.books, "ledger WHERE kind = 'capture'")).toBe(1);
  expect(await balance(run, 'ann')).toBe(700);
});

test('killed after it was charged and before we wrote it down: charged once', async () => {
  await using run = await startPayments();
  await fund(run, 'ben', 1_000);
  const order = { orderId: randomUUID(), studentId: 'ben', totalCents: 300 };
  await killedWhileHeld(run, run.mirror, 'postings', async () => {
    await run.bus.publish([verified([order])]);
    await until(async () => (await count(run.books, 'charges')) === 1, { what: 'the charge' });
    expect(await count(run.mirror, "payments WHERE status = 'charging'")).toBe(1);
  });
  await until(() => run.decided.has(order.orderId), { what: 'the decision', deadlineMs: 10_000 });
  expect(run.decided.get(order.orderId)).toEqual(['captured']);
  expect(await count(run.books, "ledger WHERE kind = 'capture'")).toBe(1);
  expect(await balance(run, 'ben')).toBe(700);
  expect(await audit(run)).toMatchObject({ balanced: true, violations: [], capturedCents: 300 });
});

test('killed between a refund at the provider and our note of it: given back once', async () => {
  await using run = await startPayments();
  await fund(run, 'cat', 1_000);
  const order = { orderId: randomUUID(), studentId: 'cat', totalCents: 300 };
  await run.bus.publish([verified([order])]);
  await until(() => run.decided.has(order.orderId), { what: 'the decision' });
  await killedWhileHeld(run, run.mirror, 'postings', async () => {
    await run.bus.publish([cancelled([order])]);
    await until(async () => (await count(run.books, "ledger WHERE kind = 'refund'")) === 1, {
      what: 'the refund',
    });
  });
  await until(async () => (await balance(run, 'cat')) === 1_000, {
    what: 'the mirror',
    deadlineMs: 10_000,
  });
  expect(await audit(run)).toMatchObject({ balanced: true, refundedCents: 300 });
});

test('cancelled while nobody knows whether it was charged: the money comes back', async () => {
  await using run = await startPayments();
  await fund(run, 'dan', 1_000);
  const order = { orderId: randomUUID(), studentId: 'dan', totalCents: 300 };
  await killedWhileHeld(run, run.mirror, 'postings', async () => {
    await run.bus.publish([verified([order])]);
    await until(async () => (await count(run.books, 'charges')) === 1, { what: 'the charge' });
    await run.bus.publish([cancelled([order])]);
    await until(async () => (await count(run.mirror, 'work')) === 2, { what: 'the refund' });
  });
  const isRefunded = async () => (await audit(run)).payments[0]?.status === 'refunded';
  await until(isRefunded, { what: 'the refund', deadlineMs: 10_000 });
  expect(await balance(run, 'dan')).toBe(1_000);
  expect(await audit(run)).toMatchObject({ capturedCents: 300, refundedCents: 300 });
});

test('a provider that loses half of its answers charges each order once, through kills', async () => {
  await using run = await startPayments({
    RUSHLIGHT_PAYMENTS_PROVIDER_ANSWER_LOST_RATE: '0.5',
    RUSHLIGHT_PAYMENTS_PROVIDER_LATENCY_MS: '10',
  });
  await fund(run, 'eve', 100_000);
  const orders = Array.from({ length: 60 }, () => ({
    orderId: randomUUID(),
    studentId: 'eve',
    totalCents: 100,
  }));
  const dead = orders.slice(0, 20);
  for (let at = 0; at < orders.length; at += 3) {
    await run.bus.publish([verified(orders.slice(at, at + 3))]);
    if (at === 18) await run.payments.kill();
    if (at === 18) await run.bus.publish([cancelled(dead)]);
    if (at === 18) await run.payments.start();
  }
  await until(async () => (await count(run.mirror, 'work')) === 0, {
    what: 'all tasks',
    deadlineMs: 25_000,
  });
  await until(async () => (await run.bus.depth('payments')) === 0, { what: 'the queue' });
  await until(() => orders.slice(20).every(({ orderId }) => run.decided.has(orderId)), {
    what: 'the decisions',
    deadlineMs: 10_000,
  });
  const twice = `(SELECT 1 FROM ledger GROUP BY kind, reference HAVING count(*) > 1) AS twice`;
  expect(await count(run.books, twice)).toBe(0);
  const { rows } = await run.books.query('SELECT balance_cents::int AS cents FROM accounts');
  expect(rows).toEqual([{ cents: 100_000 - 40 * 100 }]);
  const sums = await run.mirror.query(
    "SELECT balance_cents::int AS cents FROM accounts WHERE account = 'wallet:eve'",
  );
  expect(sums.rows).toEqual([{ cents: 100_000 - 40 * 100 }]);
});

test('a wrong mirror is reported, and not repaired', async () => {
  await using run = await startPayments();
  await fund(run, 'fay', 1_000);
  expect(await audit(run)).toMatchObject({ balanced: true });
  await run.books.query('UPDATE accounts SET balance_cents = 900');
  await until(async () => !(await audit(run)).balanced, { what: 'the difference' });
  const { violations } = await audit(run);
  expect(violations.map(({ rule }) => rule).sort()).toEqual([
    'balances_are_entries',
    'mirror_equals_provider',
  ]);
  expect(await balance(run, 'fay')).toBe(1_000);
});

test('thousands of payments a second', async () => {
  await using run = await startPayments();
  const students = Array.from({ length: 500 }, (_, n) => `crowd-${n}`);
  const body = { studentIds: students, balanceCents: 1_000_000 };
  await run.payments.as().call(paymentsApi.fundWallets, { body }, { deadlineMs: 10_000 });
  const total = 10_000;
  const orders = Array.from({ length: total }, (_, n) => ({
    orderId: randomUUID(),
    studentId: students[n % students.length] ?? '',
    totalCents: 100,
  }));
  const startedMs = performance.now();
  for (let at = 0; at < total; at += 500) {
    await run.bus.publish([verified(orders.slice(at, at + 500))]);
  }
  await until(() => run.decided.size === total, { what: 'all decisions', deadlineMs: 25_000 });
  const perSecond = Math.round(total / ((performance.now() - startedMs) / 1_000));
  process.stderr.write(`payments: ${perSecond} captures a second, bus included\n`);
  expect(await audit(run)).toMatchObject({ balanced: true, capturedCents: total * 100 });
});
