import type { Client } from '@rushlight/chassis';
import { expect, test } from 'vitest';
import { createAudit } from '../src/audit-report.ts';

const nowMs = 1_800_000_000_000;
const item = {
  itemId: 'soup',
  initial: 20_000,
  added: 0,
  sold: 0,
  onHand: 20_000,
  reserved: 0,
  available: 20_000,
};
const idOf = (index: number): string => {
  const time = nowMs.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${index.toString(16).padStart(12, '0')}`;
};
type Row = { orderId: string };
type Books = {
  orders: Row[];
  holds: Row[];
  payments: Row[];
  tickets: Row[];
  balanced: boolean;
  told: { rule: string; subject: string; detail: string }[];
};

/** Four services over plain arrays, that answer in pages as the real ones do. */
function makeShop(books: Books) {
  const reads = { orders: 0, holds: 0, payments: 0, tickets: 0 };
  type Table = keyof typeof reads;
  let onRead: (table: Table, count: number) => void = () => undefined;
  const pageOf = (table: Table, query: { after?: string; limit: string }) => {
    onRead(table, ++reads[table]);
    const { after, limit } = query;
    const rows = books[table].filter(({ orderId }) => after === undefined || orderId > after);
    const page = rows.slice(0, Number(limit));
    return { page, ...(rows.length > page.length ? { next: page.at(-1)?.orderId } : {}) };
  };
  const clientOf = (table: Table, body: (page: Row[]) => object) =>
    ({
      call: async (_: unknown, { query }: { query: { after?: string; limit: string } }) => {
        const { page, next } = pageOf(table, query);
        return { status: 200, body: { ...body(page), ...(next === undefined ? {} : { next }) } };
      },
    }) as unknown as Client;
  const clients = {
    orders: clientOf('orders', (orders) => ({
      orders,
      byStatus: { pending: books.orders.length },
    })),
    inventory: clientOf('holds', (holds) => {
      const reserved = books.holds.filter((one) => 'status' in one && one.status === 'reserved');
      const left = item.onHand - reserved.length;
      const items = [{ ...item, reserved: reserved.length, available: left }];
      return { holds, items, violations: [] };
    }),
    payments: clientOf('payments', (payments) => ({
      payments,
      capturedCents: 5,
      refundedCents: 0,
      balanced: books.balanced,
      violations: books.told,
    })),
    kitchen: clientOf('tickets', (tickets) => ({ tickets })),
  };
  const env = {
    nowMs: () => nowMs + 120_000,
    monotonicMs: () => 0,
    sleep: async () => undefined,
  };
  const audit = createAudit({ env, clients });
  return { audit, reads, whenRead: (hear: typeof onRead) => (onRead = hear) };
}
const order = (index: number, status = 'rejected') => ({
  orderId: idOf(index),
  studentId: 's',
  status,
  totalCents: 900,
  lines: [{ itemId: 'soup', quantity: 1 }],
  changedAtMs: nowMs,
});
const hold = (index: number, status = 'released') => ({
  orderId: idOf(index),
  status,
  lines: [{ itemId: 'soup', quantity: 1 }],
});
const empty = (): Books => ({
  ...{ orders: [], holds: [], payments: [], tickets: [] },
  ...{ balanced: true, told: [] },
});

test('thousands of orders over many pages, some without effects, are joined by their ids', async () => {
  const books = empty();
  for (let i = 0; i < 12_345; i++) {
    books.orders.push(order(i, i % 5 === 0 ? 'queued' : 'rejected'));
    if (i % 3 === 0) books.holds.push(hold(i));
  }
  const { audit, reads } = makeShop(books);
  const report = await audit();
  expect(report.ok).toBe(true);
  expect(report.orders.inFlight).toBe(2_469);
  expect(reads).toEqual({ orders: 3, holds: 2, payments: 1, tickets: 1 });
});

test('what stays wrong is a violation with the id it is about', async () => {
  const books = empty();
  books.orders.push(order(1), order(3));
  books.holds.push(hold(1, 'committed'), hold(2, 'committed'));
  const { ok, violations } = await makeShop(books).audit();
  expect(ok).toBe(false);
  expect(violations.map(({ rule, subject }) => [rule, subject])).toEqual([
    ['stock of a dead order is given back', idOf(1)],
    ['no hold without an order', idOf(2)],
  ]);
});

test('an order that came while the books were read is no violation', async () => {
  const books = empty();
  books.orders.push(order(1, 'queued'));
  const { audit, reads, whenRead } = makeShop(books);
  whenRead((table, count) => {
    if (table !== 'holds' || count !== 1) return;
    expect(reads.orders, 'orders were read before').toBe(1);
    books.holds.push(hold(2, 'reserved'), hold(3, 'committed'));
    books.orders.push(order(2, 'queued'), order(3, 'queued'));
  });
  expect(await audit()).toMatchObject({ ok: true, violations: [] });
});

test('what a service itself saw broken counts when it says so twice', async () => {
  const told = { rule: 'double entry', subject: 'mirror', detail: 'sum 5' };
  const lasting = { ...empty(), told: [told], balanced: false };
  expect(await makeShop(lasting).audit()).toMatchObject({
    ok: false,
    money: { balanced: false },
    violations: [told],
  });
  const passing = { ...empty(), told: [told], balanced: false };
  const { audit, whenRead } = makeShop(passing);
  whenRead((table, count) => {
    if (table === 'payments' && count === 2) Object.assign(passing, { told: [], balanced: true });
  });
  expect(await audit()).toMatchObject({ ok: true, money: { balanced: true }, violations: [] });
});

test('audits that are asked for together are one', async () => {
  const { audit, reads } = makeShop(empty());
  const [a, b] = await Promise.all([audit(), audit()]);
  expect(a).toBe(b);
  expect(reads.orders).toBe(1);
});

test('no answer of a service is an error, not a report', async () => {
  const { audit, whenRead } = makeShop(empty());
  whenRead((table) => {
    if (table === 'tickets') throw new Error('kitchen is away');
  });
  await expect(audit()).rejects.toMatchObject({ code: 'unavailable' });
});
