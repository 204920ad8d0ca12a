// Runs in which something is wrong with keys, orders and what is read of them.

import type { Entry } from '../src/index.ts';
import { type Case, entryOf, first, refuseLast, soup, spoilt, twice } from './spoil.ts';

export const badOrders: Record<string, Case> = {
  'a key is answered with two orders': {
    ...{ breaks: 'I1', counts: 'duplicated', says: /order-1 and with order-2/ },
    run: spoilt((run) => Object.assign(entryOf(run, 'ok', 1), { orderId: 'order-2' }), twice),
  },
  'two keys are answered with one order': {
    ...{ breaks: 'I1', counts: 'lost', says: /answer to ada k1 and to bob k2/ },
    run: spoilt(
      (run) => Object.assign(entryOf(run, 'ok', 1), { orderId: 'order-1' }),
      (shop) => {
        shop.place('ada', 'k1', soup(1));
        shop.place('bob', 'k2', soup(1));
      },
    ),
  },
  'an acknowledged order is not there': {
    ...{ breaks: 'I2', counts: 'lost', says: /is answered 201 to ada k1, .* is not there/ },
    run: spoilt(({ evidence }) => evidence.orders.pop()),
  },
  'an acknowledged order has other lines': {
    ...{ breaks: 'I2', counts: 'lost', says: 'was asked for as 2 × soup and is 3 × soup' },
    run: spoilt(({ evidence }) => Object.assign(first(evidence.orders), { lines: soup(3) })),
  },
  'an order is left behind': {
    ...{ breaks: 'I3', counts: 'unsettled', says: 'is still stock_verified after the drain' },
    run: spoilt(({ evidence }) => {
      const order = first(evidence.orders);
      Object.assign(order, { status: 'stock_verified', history: order.history.slice(0, 2) });
    }),
  },
  'a dead order is revived': {
    ...{ breaks: 'I3', counts: 'unexpected', says: 'goes from rejected to paid' },
    run: spoilt(
      ({ evidence: { orders } }) => {
        first(orders).history.push({ status: 'paid', atMs: 2e9 });
        first(orders).status = 'paid';
      },
      (shop) => shop.place('ada', 'k1', soup(1), 'at once', 'late'),
    ),
  },
  'a history runs backwards in time': {
    ...{ breaks: 'I3', counts: 'unexpected', says: /became paid at 1,? ?before|became paid at 1/ },
    run: spoilt(({ evidence }) => {
      const step = first(evidence.orders).history.find(({ status }) => status === 'paid');
      Object.assign(step ?? {}, { atMs: 1 });
    }),
  },
  'a key has two orders, one of which nobody knows': {
    ...{
      breaks: 'I4',
      counts: 'duplicated',
      says: /ada k1.* two orders: order-1 \(collected\) and order-9/,
    },
    run: spoilt(({ evidence: { orders } }) => {
      orders.push({ ...structuredClone(first(orders)), orderId: 'order-9' });
    }),
  },
  'a student has more orders than keys, and keys are not told': {
    ...{ breaks: 'I4', counts: 'duplicated', says: '2 orders of 2 × soup for 1 keys' },
    run: spoilt(({ evidence: { orders } }) => {
      delete first(orders).key;
      orders.push({ ...structuredClone(first(orders)), orderId: 'order-9' });
    }),
  },
  'a client reads an order backwards': {
    ...{ breaks: 'I13', counts: 'unexpected', says: 'is seen by ada as collected, then as paid' },
    run: spoilt(
      (run) => {
        Object.assign(entryOf(run, 'ok', 2), { order: { orderId: 'order-1', status: 'paid' } });
      },
      (shop) => {
        shop.place('ada', 'k1', soup(1));
        shop.settle();
        shop.read('ada', 'order-1');
        shop.read('ada', 'order-1');
      },
    ),
  },
  'a client reads what an order never was': {
    ...{
      breaks: 'I13',
      counts: 'unexpected',
      says: 'is seen as rejected by ada, which it never was',
    },
    run: spoilt(
      (run) => {
        Object.assign(entryOf(run, 'ok', 1), { order: { orderId: 'order-1', status: 'rejected' } });
      },
      (shop) => {
        shop.place('ada', 'k1', soup(1));
        shop.read('ada', 'order-1');
      },
    ),
  },
  'an acknowledged order is not found': {
    ...{ breaks: 'I13', counts: 'lost', says: 'is not found by ada once it was known' },
    run: spoilt(
      ({ history }) => {
        const at = history.findIndex((entry) => entry.type === 'ok' && entry.op === 'read');
        const { call, proc, t } = history[at] as Extract<Entry, { type: 'ok' }>;
        const code = 'order_not_found';
        history[at] = { type: 'fail', op: 'read', status: 404, code, call, proc, t };
      },
      (shop) => {
        shop.place('ada', 'k1', soup(1));
        shop.read('ada', 'order-1');
      },
    ),
  },
  'a cancellation that was acknowledged did not happen': {
    ...{ breaks: 'I13', counts: 'unexpected', says: 'is seen as cancelled by ada, which it never' },
    run: spoilt(
      ({ evidence: { orders } }) => {
        const order = first(orders);
        Object.assign(order, { status: 'stock_verified', history: order.history.slice(0, 2) });
      },
      (shop) => shop.place('ada', 'k1', soup(1), 'at once', 'cancelled'),
    ),
  },
  'stock is said to be verified, and never was': {
    ...{ breaks: 'I13', counts: 'unexpected', says: 'is answered 201, and its stock was never' },
    run: spoilt(
      (run) => Object.assign(entryOf(run, 'ok'), { status: 201 }),
      (shop) => {
        shop.place('ada', 'k1', soup(6), 'queued');
      },
    ),
  },
  'a key is answered with other bytes': {
    ...{ breaks: 'I15', counts: 'unexpected', says: /other bytes: from byte \d+ on/ },
    run: spoilt((run) => Object.assign(entryOf(run, 'ok', 1), { body: '{"orderId": ""}' }), twice),
  },
  'a key is answered with another status at the end': {
    ...{ breaks: 'I15', counts: 'unexpected', says: 'is answered 201 first and 202 later' },
    run: spoilt(({ evidence: { replays } }) => Object.assign(first(replays), { status: 202 })),
  },
  'a key is refused as sold out after it was answered': {
    ...{
      breaks: 'I15',
      counts: 'refusedNeedlessly',
      says: /refused as sold_out.* after it was answered/,
    },
    run: spoilt((run) => refuseLast(run), twice),
  },
  'a key is refused as sold out after its order was decided': {
    ...{ breaks: 'I15', counts: 'refusedNeedlessly', says: /its order order-1 was decided at/ },
    run: spoilt(
      (run) => refuseLast(run),
      (shop) => {
        shop.place('ada', 'k1', soup(2), 'lost');
        shop.settle();
        shop.nowMs += 100;
        shop.place('ada', 'k1', soup(2));
      },
    ),
  },
};
