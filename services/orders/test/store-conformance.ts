// What every store of orders must do, in memory and on Postgres alike.

import type { Message } from '@rushlight/contracts';
import { describe, expect, test } from 'vitest';
import type { OrderEvent } from '../src/order.ts';
import { storedAnswer } from '../src/view.ts';
import { newOrder, paymentDecided, startMs, stockDecided, ticketChanged } from './help.ts';
import { openScene, type StoreUnderTest } from './scene.ts';
import { upkeepConformance } from './upkeep-conformance.ts';

const reserved: OrderEvent = { type: 'stock.reserved' };
const unknown: OrderEvent = { type: 'stock.unknown' };
const shortNow: OrderEvent = { type: 'stock.short', via: 'call' };

/** @param open makes an empty store */
export function storeConformance(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(name, () => {
    const scene = openScene(open);
    const { store, said, accept, decide, take, statusOf, historyOf, heard, bring } = scene;

    describe('accepting', () => {
      test('a new order is pending, with its price, a pickup number and no answer', async () => {
        const { orderId } = await accept({ totalCents: 99_999_999_999 });
        const order = await store.find(orderId);
        expect(order).toMatchObject({
          status: 'pending',
          totalCents: 99_999_999_999,
          history: [{ status: 'pending', atMs: startMs }],
        });
        expect(order?.pickupNumber).toBeGreaterThanOrEqual(1);
        expect(order && storedAnswer(order)).toBeUndefined();
        expect(await said()).toEqual([]);
      });

      test('a known key gives the order that has it, whatever the new body', async () => {
        const first = await accept();
        const again = newOrder({ studentId: first.studentId, key: first.key, fingerprint: 'x' });
        const [result] = await store.acceptBatch([again]);
        expect(result).toMatchObject({ kind: 'known', order: { orderId: first.orderId } });
        expect(await store.find(again.orderId)).toBeUndefined();
      });

      test('the same key of another student is another key', async () => {
        const first = await accept();
        await accept({ key: first.key });
      });

      test('of two orders with one key in one batch, one is accepted', async () => {
        const one = newOrder();
        const two = newOrder({ studentId: one.studentId, key: one.key, fingerprint: 'other' });
        const kinds = (await store.acceptBatch([one, two])).map((result) => result.kind);
        expect(kinds.sort()).toEqual(['accepted', 'known']);
      });

      test('one key in 20 batches at once is one order, and all 20 are told so', async () => {
        const { studentId, key } = newOrder();
        const others = () => [newOrder(), newOrder({ studentId, key }), newOrder()];
        const results = await Promise.all(
          Array.from({ length: 20 }, () => store.acceptBatch(others())),
        );
        const kinds = results.map((result) => result[1]?.kind);
        expect(kinds.filter((kind) => kind === 'accepted')).toHaveLength(1);
        expect(kinds.filter((kind) => kind === 'known')).toHaveLength(19);
        expect(await store.list({ studentId, limit: 100 })).toHaveLength(1);
      });

      test('batches with the same keys in opposite orders do not lock each other out', async () => {
        const keys = Array.from({ length: 30 }, () => newOrder());
        const batch = () => keys.map(({ studentId, key }) => newOrder({ studentId, key }));
        const results = await Promise.all(
          Array.from({ length: 8 }, (_, n) =>
            store.acceptBatch(n % 2 ? batch() : batch().reverse()),
          ),
        );
        const accepted = results.flat().filter((result) => result.kind === 'accepted');
        expect(accepted).toHaveLength(30);
      });
    });

    describe('deciding', () => {
      test('reserved: verified, answered with that state, and said', async () => {
        const { orderId } = await accept();
        const moved = await decide(orderId, reserved);
        expect(moved?.order).toMatchObject({
          status: 'stock_verified',
          answered: 'stock_verified',
        });
        expect(await heard('order.stock_verified')).toMatchObject([
          { orderId, totalCents: 900, atMs: startMs + 10 },
        ]);
      });

      test('no answer: queued, with the lines in what is said', async () => {
        const { orderId } = await accept();
        expect((await decide(orderId, unknown))?.order.answered).toBe('queued');
        expect(await heard('order.queued')).toMatchObject([
          { orderId, lines: [{ itemId: 'soup', quantity: 2 }] },
        ]);
      });

      test('short: rejected without an answer to keep, and the key is free again', async () => {
        const { orderId, studentId, key } = await accept();
        const moved = await decide(orderId, shortNow);
        expect(moved?.order).toMatchObject({ status: 'rejected', reason: 'sold_out' });
        expect(moved && storedAnswer(moved.order)).toBeUndefined();
        expect(await heard('order.rejected')).toMatchObject([
          { orderId, reason: 'sold_out', release: false, refund: false },
        ]);
        expect(await store.findByKeys([{ studentId, key, fingerprint: '' }])).toEqual([undefined]);
        await accept({ studentId, key });
      });

      test('what somebody else moved meanwhile is left as it is, and told', async () => {
        const { orderId } = await accept();
        await store.cancel(orderId, 'student', startMs + 5);
        const moved = await decide(orderId, reserved);
        expect(moved?.step.kind).toBe('refused');
        expect(moved?.order).toMatchObject({ status: 'cancelled', answered: 'cancelled' });
        const queued = await bring('queued');
        expect((await decide(queued, shortNow))?.order.status).toBe('queued');
      });

      test('an order that does not exist is no answer', async () => {
        expect(await decide(newOrder().orderId, reserved)).toBeUndefined();
      });
    });

    describe('messages', () => {
      test('an order goes all the way, and each step is said once', async () => {
        const orderId = await bring('queued');
        await take(stockDecided(orderId));
        await take(paymentDecided(orderId));
        await take(ticketChanged(orderId, 'cooking'));
        await take(ticketChanged(orderId, 'ready'));
        await take(ticketChanged(orderId, 'collected'));
        expect(await historyOf(orderId)).toEqual([
          ...['pending', 'queued', 'stock_verified', 'paid', 'in_kitchen', 'ready', 'collected'],
        ]);
        const topics = (await said()).map((one) => one.topic);
        expect(topics.sort()).toEqual([
          ...['order.collected', 'order.in_kitchen', 'order.paid', 'order.ready'],
          'order.stock_verified',
        ]);
      });

      test('a message that comes again changes and says nothing', async () => {
        const orderId = await bring('stock_verified');
        const message = paymentDecided(orderId);
        await Promise.all([take(message), take(message), take(message)]);
        await take(message);
        expect(await heard('order.paid')).toHaveLength(1);
        await take(paymentDecided(orderId)); // The same news under another id.
        expect(await said()).toEqual([]);
      });

      test('two steps of one order in one message are both made', async () => {
        const orderId = await bring('paid');
        await take(ticketChanged(orderId, 'cooking', 'ready'));
        expect(await historyOf(orderId)).toEqual([
          ...['pending', 'stock_verified', 'paid', 'in_kitchen', 'ready'],
        ]);
        expect((await said()).map((one) => one.topic).sort()).toEqual([
          ...['order.in_kitchen', 'order.ready'],
        ]);
      });

      test('ready before cooking ends in ready, with a history that only grows', async () => {
        const orderId = await bring('paid');
        await take(ticketChanged(orderId, 'ready'), startMs + 100);
        await take(ticketChanged(orderId, 'cooking'), startMs + 90);
        expect(await statusOf(orderId)).toBe('ready');
        await take(ticketChanged(orderId, 'collected'), startMs + 50);
        const { history = [] } = (await store.find(orderId)) ?? {};
        const times = history.map((step) => step.atMs);
        expect(times).toEqual([...times].sort((a, b) => a - b));
        expect(history.at(-1)?.status).toBe('collected');
      });

      test('short by the bus ends a queued order and keeps its 202', async () => {
        const orderId = await bring('queued');
        await take(stockDecided(orderId, 'short'));
        const order = await store.find(orderId);
        expect(order).toMatchObject({ status: 'rejected', reason: 'sold_out', answered: 'queued' });
        expect(order && storedAnswer(order)?.status).toBe(202);
        expect(await heard('order.rejected')).toMatchObject([
          { reason: 'sold_out', refund: false },
        ]);
      });

      test.each(['insufficient_funds', 'payment_declined'] as const)(
        '%s gives the stock back',
        async (outcome) => {
          const orderId = await bring('stock_verified');
          await take(paymentDecided(orderId, outcome));
          expect(await heard('order.rejected')).toMatchObject([
            { orderId, reason: outcome, release: true, refund: false },
          ]);
        },
      );

      test('a meal that the kitchen refuses is cancelled and paid back', async () => {
        const orderId = await bring('in_kitchen');
        await take(ticketChanged(orderId, 'refused'));
        expect(await heard('order.cancelled')).toMatchObject([
          { orderId, reason: 'kitchen', release: true, refund: true },
        ]);
      });

      test('a capture that comes after the end changes nothing: its refund was said', async () => {
        const orderId = await bring('stock_verified');
        await store.cancel(orderId, 'student', startMs + 15);
        expect(await heard('order.cancelled')).toMatchObject([{ release: true, refund: true }]);
        await take(paymentDecided(orderId));
        expect(await statusOf(orderId)).toBe('cancelled');
        expect(await said()).toEqual([]);
      });

      test('orders that do not exist are passed over, and the others move', async () => {
        const orderId = await bring('stock_verified');
        const message = paymentDecided(orderId);
        const nobody = paymentDecided(newOrder().orderId);
        await take({ ...message, events: [...nobody.events, ...message.events] } as Message);
        expect(await statusOf(orderId)).toBe('paid');
      });
    });

    describe('cancelling', () => {
      test.each([
        ['pending', false],
        ['queued', false],
        ['stock_verified', true],
      ] as const)('%s: cancelled at once; refund %s', async (status, refund) => {
        const orderId = await bring(status);
        const result = await store.cancel(orderId, 'admin', startMs + 50);
        expect(result?.order).toMatchObject({ status: 'cancelled', reason: 'admin' });
        expect(await heard('order.cancelled')).toMatchObject([
          { orderId, reason: 'admin', release: true, refund },
        ]);
        const again = await store.cancel(orderId, 'student', startMs + 60);
        expect(again).toMatchObject({ step: { kind: 'repeated' }, order: { reason: 'admin' } });
        expect(await said()).toEqual([]);
      });

      test('paid: the kitchen decides, and who asked first is remembered', async () => {
        const orderId = await bring('paid');
        const result = await store.cancel(orderId, 'admin', startMs + 50);
        expect(result).toMatchObject({ step: { kind: 'kitchen decides' } });
        await store.cancel(orderId, 'student', startMs + 51);
        expect(await statusOf(orderId)).toBe('paid');
        await take(ticketChanged(orderId, 'voided'));
        expect(await heard('order.cancelled')).toMatchObject([
          { orderId, reason: 'admin', release: true, refund: true },
        ]);
      });

      test('a voided ticket that nobody is known to have asked for: by the student', async () => {
        const orderId = await bring('paid');
        await take(ticketChanged(orderId, 'voided'));
        expect(await store.find(orderId)).toMatchObject({ status: 'cancelled', reason: 'student' });
      });

      test.each(['in_kitchen', 'ready'] as const)('%s: too late', async (status) => {
        const orderId = await bring(status);
        const result = await store.cancel(orderId, 'student', startMs + 50);
        expect(result).toMatchObject({ step: { kind: 'refused' }, order: { status } });
      });

      test('an order that does not exist', async () => {
        expect(await store.cancel(newOrder().orderId, 'student', startMs)).toBeUndefined();
      });
    });

    upkeepConformance(scene);
  });
}
