import { cancelReasons, type OrderView, orderStatuses, rejectReasons } from '@rushlight/contracts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nextLookMs } from '../src/domain/estimate.ts';
import {
  isEnded,
  linesText,
  mayCancel,
  statusSentence,
  statusTexts,
  stepState,
  trackerSteps,
  withEvent,
} from '../src/domain/order-status.ts';

const orderId = '0b5b2a52-6a44-4c3e-8d4c-5a3e0f6f3c11';
const at = '2026-03-01T17:30:00.000Z';

function order(status: OrderView['status'], more: Partial<OrderView> = {}): OrderView {
  return {
    orderId,
    pickupNumber: 17,
    studentId: 'student1',
    lines: [{ itemId: 'lassi', name: 'Lassi', quantity: 1, priceCents: 150 }],
    totalCents: 150,
    status,
    history: [{ status: 'pending', at }],
    ...more,
  };
}

const event = (status: OrderView['status'], more = {}) => ({
  orderId,
  studentId: 'student1',
  pickupNumber: 17,
  status,
  at,
  ...more,
});

test('every status has a label and a sentence, every reason a sentence of its own', () => {
  for (const status of orderStatuses) {
    expect(statusTexts[status].label).not.toBe('');
    expect(statusSentence({ status })).toMatch(/[.!]$/);
  }
  const ends = [...rejectReasons, ...cancelReasons];
  const sentences = ends.map((reason) => statusSentence({ status: 'rejected', reason }));
  expect(new Set(sentences).size).toBe(ends.length);
});

test('a step of the tracker is done, now or next', () => {
  const states = trackerSteps.map((step) => stepState(order('paid'), step));
  expect(states).toEqual(['done', 'done', 'now', 'next', 'next', 'next']);
  expect(stepState(order('queued'), 'pending')).toBe('now');
  expect(stepState(order('collected'), 'collected')).toBe('done');
});

test('an order that has ended shows only the steps that it took', () => {
  const rejected = order('rejected', { history: [{ status: 'pending', at }] });
  expect(stepState(rejected, 'pending')).toBe('done');
  expect(stepState(rejected, 'paid')).toBe('missed');
});

test('an event moves an order on, with its reason and its time', () => {
  const queuedUp = order('paid', { queuePosition: 3 });
  const cooking = withEvent(queuedUp, event('in_kitchen', { readyAt: at }));
  expect(cooking).toMatchObject({ status: 'in_kitchen', readyAt: at });
  expect(cooking).not.toHaveProperty('queuePosition');
  expect(cooking.history.at(-1)).toEqual({ status: 'in_kitchen', at });
  expect(withEvent(order('paid'), event('rejected', { reason: 'deadline' })).reason).toBe(
    'deadline',
  );
});

test('an event of another order changes nothing', () => {
  const mine = order('paid');
  expect(withEvent(mine, { ...event('ready'), orderId: crypto.randomUUID() })).toBe(mine);
});

test('an order never moves back and keeps its first end, whatever the stream repeats', () => {
  const anyEvents = fc.array(fc.constantFrom(...orderStatuses), { maxLength: 20 });
  fc.assert(
    fc.property(anyEvents, (statuses) => {
      let now = order('pending');
      for (const status of statuses) {
        const before = now;
        now = withEvent(now, event(status));
        if (isEnded(before.status)) expect(now.status).toBe(before.status);
        if (mayCancel(now.status)) expect(mayCancel(before.status)).toBe(true);
        expect(now.history.length).toBeGreaterThanOrEqual(before.history.length);
      }
      const seen = now.history.map(({ status }) => status);
      expect(new Set(seen).size).toBe(seen.length);
    }),
  );
});

test('lines read as a sentence part', () => {
  const lines = [
    { name: 'Biryani', quantity: 2 },
    { name: 'Lassi', quantity: 1 },
  ];
  expect(linesText(lines)).toBe('2 × Biryani, Lassi');
});

test('the place in the line is looked at again, the more rarely the longer the wait', () => {
  const nowMs = Date.parse(at);
  const inMs = (ms: number) => new Date(nowMs + ms).toISOString();
  expect(nextLookMs(undefined, nowMs)).toBe(false);
  for (const status of ['pending', 'queued', 'stock_verified', 'ready', 'collected'] as const) {
    expect(nextLookMs({ status }, nowMs)).toBe(false);
  }
  expect(nextLookMs({ status: 'paid' }, nowMs)).toBe(1_500);
  expect(nextLookMs({ status: 'paid', readyAt: inMs(40_000) }, nowMs)).toBe(20_000);
  expect(nextLookMs({ status: 'paid', readyAt: inMs(-9_000) }, nowMs)).toBe(3_000);
  expect(nextLookMs({ status: 'in_kitchen', readyAt: inMs(5_000) }, nowMs)).toBe(6_000);
});
