import { check, type Entry, type Evidence } from '@rushlight/auditor';
import { expect, test } from 'vitest';
import { ofItems } from '../src/rush/own-evidence.ts';

const heard = (eventId: number, orderId: string, status: string): Entry => ({
  ...{ type: 'heard', t: 10, proc: 'kitchen display', eventId, orderId, status },
});
const order = (orderId: string, itemId: string) => ({
  ...{ orderId, student: 'ana', key: orderId, lines: [{ itemId, quantity: 1 }], totalCents: 5 },
  ...{ status: 'collected', history: [{ status: 'collected', atMs: 5 }] },
});
const evidence: Evidence = {
  items: [],
  orders: [order('ours', 'rush-2-1'), order('earlier', 'rush-1-1')],
  notices: [
    { orderId: 'ours', status: 'collected' },
    { orderId: 'earlier', status: 'collected' },
    { orderId: 'nobody', status: 'collected' },
  ],
};
const history = [
  heard(1, 'earlier', 'collected'),
  heard(2, 'ours', 'collected'),
  heard(3, 'nobody', 'collected'),
];

test('what happens now to an order of an earlier rush is none of ours', () => {
  const own = ofItems({ history, evidence }, new Set(['rush-2-1']));
  const ids = (steps: readonly { orderId?: unknown }[]) => steps.map(({ orderId }) => orderId);
  expect(ids(own.evidence.orders)).toEqual(['ours']);
  expect(ids(own.evidence.notices ?? [])).toEqual(['ours', 'nobody']);
  expect(ids(own.history as readonly { orderId?: unknown }[])).toEqual(['ours', 'nobody']);
});

test('what is told of an order that does not exist is still seen', () => {
  const own = ofItems({ history, evidence }, new Set(['rush-2-1']));
  const { violations } = check(own.history, own.evidence, { drained: false });
  const told = violations.filter(({ detail }) => detail.includes('is told to be collected'));
  expect(told.map(({ subject }) => subject)).toEqual(['nobody', 'nobody']);
});
