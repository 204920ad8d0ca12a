import { type OrderStatus, orderStatuses } from '@rushlight/contracts';
import { expect, test } from 'vitest';
import { type Dossier, type ItemSums, judgeItems, judgeOrder } from '../src/audit.ts';

const nowMs = 1_800_000_000_000;
const hex = nowMs.toString(16).padStart(12, '0');
const orderId = `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
const lines = [{ itemId: 'soup', quantity: 2 }];
const served = ['paid', 'in_kitchen', 'ready', 'collected'] as const;
const dead = ['rejected', 'cancelled'] as const;

type Full = { [K in keyof Dossier]-?: NonNullable<Dossier[K]> };

/** What the services say of an order whose books are in perfect shape. */
function good(status: OrderStatus, ageMs = 120_000): Full {
  const isServed = (served as readonly string[]).includes(status);
  return {
    orderId,
    order: { orderId, studentId: 's', status, totalCents: 900, lines, changedAtMs: nowMs - ageMs },
    hold: { orderId, status: isServed ? 'committed' : 'released', lines },
    payment: {
      orderId,
      status: isServed ? 'captured' : 'refunded',
      capturedCents: 900,
      refundedCents: isServed ? 0 : 900,
    },
    ticket: { orderId, status: isServed ? 'cooking' : 'voided' },
  };
}
function rulesOf(dossier: Dossier): string[] {
  return judgeOrder(dossier, nowMs).violations.map(({ rule }) => rule);
}

test.each([...served, ...dead])('a good book of a %s order is good', (status) => {
  expect(judgeOrder(good(status), nowMs)).toEqual({ inFlight: false, violations: [] });
});

test.each(dead)('a %s order that never got anywhere leaves nothing behind', (status) => {
  const { order } = good(status);
  expect(judgeOrder({ orderId, order }, nowMs)).toEqual({ inFlight: false, violations: [] });
});

test('an order that has not ended is in flight, whatever its effects are', () => {
  for (const status of ['pending', 'queued', 'stock_verified'] as const) {
    const { order, hold, payment } = good(status);
    const waiting = { ...hold, status: 'reserved' as const };
    const charging = {
      ...payment,
      status: 'charging' as const,
      capturedCents: 0,
      refundedCents: 0,
    };
    expect(judgeOrder({ orderId, order }, nowMs)).toEqual({ inFlight: true, violations: [] });
    expect(judgeOrder({ orderId, order, hold: waiting, payment: charging }, nowMs)).toEqual({
      inFlight: true,
      violations: [],
    });
  }
});

const badBooks: [name: string, rule: string, book: (good: Full) => Dossier][] = [
  ['no hold', 'sold stock is committed', (book) => ({ ...book, hold: undefined })],
  [
    'a hold that is only reserved',
    'sold stock is committed',
    (book) => ({ ...book, hold: { ...book.hold, status: 'reserved' } }),
  ],
  [
    'a hold that was released',
    'sold stock is committed',
    (book) => ({ ...book, hold: { ...book.hold, status: 'released' } }),
  ],
  ['no payment', 'a sold order is paid for', (book) => ({ ...book, payment: undefined })],
  [
    'a refund',
    'a sold order is paid for',
    (book) => ({ ...book, payment: { ...book.payment, refundedCents: 900 } }),
  ],
  ['no ticket', 'a sold order has a ticket', (book) => ({ ...book, ticket: undefined })],
  [
    'a void ticket',
    'a sold order has a ticket',
    (book) => ({ ...book, ticket: { ...book.ticket, status: 'voided' } }),
  ],
];
test.each(badBooks)(
  'a served order with %s: first in flight, then a violation',
  (_, rule, book) => {
    for (const status of served) {
      expect(judgeOrder(book(good(status, 5_000)), nowMs)).toEqual({
        inFlight: true,
        violations: [],
      });
      expect(rulesOf(book(good(status, 61_000)))).toEqual([rule]);
    }
  },
);

const badGraves: typeof badBooks = [
  [
    'stock that is still held',
    'stock of a dead order is given back',
    (book) => ({ ...book, hold: { ...book.hold, status: 'reserved' } }),
  ],
  [
    'stock that was committed',
    'stock of a dead order is given back',
    (book) => ({ ...book, hold: { ...book.hold, status: 'committed' } }),
  ],
  [
    'money that was kept',
    'money of a dead order is given back',
    (book) => ({ ...book, payment: { ...book.payment, status: 'captured', refundedCents: 0 } }),
  ],
  [
    'a charge without an end',
    'money of a dead order is given back',
    (book) => ({
      ...book,
      payment: { ...book.payment, status: 'charging', capturedCents: 0, refundedCents: 0 },
    }),
  ],
  [
    'a meal that is cooked',
    'a dead order is not cooked',
    (book) => ({ ...book, ticket: { ...book.ticket, status: 'cooking' } }),
  ],
];
test.each(badGraves)('a dead order with %s: first in flight, then a violation', (_, rule, book) => {
  for (const status of dead) {
    expect(judgeOrder(book(good(status, 5_000)), nowMs)).toEqual({
      inFlight: true,
      violations: [],
    });
    expect(rulesOf(book(good(status, 61_000)))).toEqual([rule]);
  }
});

test('what must never be is a violation at once, in any status', () => {
  for (const status of orderStatuses) {
    const young = good(status, 0);
    const payment = { ...young.payment, capturedCents: 1_800, refundedCents: 0 };
    expect(rulesOf({ ...young, payment, ticket: undefined })).toContain('charged once');
    const refunded = { ...young.payment, refundedCents: 1_800 };
    expect(rulesOf({ ...young, payment: refunded, ticket: undefined })).toContain(
      'refunded at most what was captured',
    );
    const part = { ...young.payment, capturedCents: 899, refundedCents: 0 };
    expect(rulesOf({ ...young, payment: part, ticket: undefined })).toContain('charged the total');
  }
});

test('a meal that is cooked before it is paid for is a violation at once', () => {
  for (const status of ['pending', 'queued', 'stock_verified'] as const) {
    const book = { ...good(status, 0), ticket: { orderId, status: 'waiting' as const } };
    expect(rulesOf(book)).toEqual(['no ticket before payment']);
  }
});

test('effects without an order are violations at once', () => {
  const { hold, payment, ticket } = good('paid');
  expect(rulesOf({ orderId, hold, payment, ticket })).toEqual([
    'no hold without an order',
    'no capture without an order',
    'no ticket without an order',
  ]);
  const released = good('cancelled');
  expect(rulesOf({ ...released, order: undefined })).toEqual([]);
});

test('effects that outlive an order which was forgotten after a day are none', () => {
  const { hold, payment, ticket } = good('collected');
  const dayLater = nowMs + 25 * 3_600_000;
  expect(judgeOrder({ orderId, hold, payment, ticket }, dayLater).violations).toEqual([]);
});

const item: ItemSums = {
  itemId: 'soup',
  initial: 100,
  added: 20,
  sold: 30,
  onHand: 90,
  reserved: 10,
  available: 80,
};

test('a good stock book is good', () => {
  expect(judgeItems([item], new Map([['soup', 10]]))).toEqual([]);
});

test.each([
  ['initial + added - sold = on hand', { ...item, sold: 31 }],
  ['available = on hand - reserved', { ...item, available: 81 }],
  ['stock is never negative', { ...item, reserved: 91, available: -1 }],
])('a stock book that breaks "%s" is found out', (rule, broken) => {
  expect(judgeItems([broken], undefined).map((one) => one.rule)).toContain(rule);
});

test('stock that is reserved for nobody is found out, when the books stood still', () => {
  expect(judgeItems([item], new Map([['soup', 9]])).map(({ rule }) => rule)).toEqual([
    'reserved = holds',
  ]);
  expect(judgeItems([item], undefined)).toEqual([]);
});
