// The second half of what every store of orders must do: sweeping, reading, the menu, forgetting.

import { describe, expect, test } from 'vitest';
import type { OrderEvent } from '../src/order.ts';
import type { StoredOrder } from '../src/store.ts';
import { item, newOrder, startMs, stockDecided } from './help.ts';
import type { Scene } from './scene.ts';

const unknown: OrderEvent = { type: 'stock.unknown' };

export function upkeepConformance(scene: Scene): void {
  const { store, accept, take, statusOf, heard, bring } = scene;
  describe('sweeping', () => {
    test('what is pending for too long is queued, its answer stored, its question asked', async () => {
      const orderId = await bring('pending');
      const young = await bring('pending', { acceptedAtMs: startMs + 2_000 });
      expect(await store.sweepPending(startMs + 1, startMs + 3_001, 10)).toBe(1);
      expect(await store.find(orderId)).toMatchObject({ status: 'queued', answered: 'queued' });
      expect(await statusOf(young)).toBe('pending');
      expect(await heard('order.queued')).toHaveLength(1);
      expect(await store.sweepPending(startMs + 1, startMs + 3_501, 10)).toBe(0);
    });

    test.each([
      ['pending', false],
      ['queued', false],
      ['stock_verified', true],
    ] as const)('%s past its deadline: rejected; refund %s', async (status, refund) => {
      const orderId = await bring(status);
      expect(await store.sweepDeadlines(startMs + 60_000, 10)).toBe(0);
      expect(await store.sweepDeadlines(startMs + 60_001, 10)).toBe(1);
      expect(await heard('order.rejected')).toMatchObject([
        { orderId, reason: 'deadline', release: true, refund },
      ]);
      expect(await store.sweepDeadlines(startMs + 90_000, 10)).toBe(0);
    });

    test('a paid order has no deadline', async () => {
      await bring('paid');
      await bring('ready');
      expect(await store.sweepDeadlines(startMs + 10_000_000, 10)).toBe(0);
    });

    test('a run takes no more than its limit; sweepers side by side share the work', async () => {
      await store.acceptBatch(Array.from({ length: 25 }, () => newOrder()));
      expect(await store.sweepDeadlines(startMs + 70_000, 10)).toBe(10);
      const runs = await Promise.all(
        Array.from({ length: 4 }, () => store.sweepDeadlines(startMs + 70_000, 10)),
      );
      const left = await store.sweepDeadlines(startMs + 70_000, 100);
      expect(runs.reduce((sum, n) => sum + n, left)).toBe(15);
      expect(await heard('order.rejected')).toHaveLength(25);
    });
  });

  describe('reading', () => {
    test('lists are newest first, of one student or of all, page by page', async () => {
      const studentId = 'pages';
      const ids: string[] = [];
      for (let n = 0; n < 5; n++) ids.push(await bring('pending', { studentId }));
      await bring('pending');
      const newestFirst = [...ids].sort().reverse();
      const first = await store.list({ studentId, limit: 3 });
      expect(first.map(idOf)).toEqual(newestFirst.slice(0, 3));
      const before = first.at(-1)?.orderId ?? '';
      const second = await store.list({ studentId, before, limit: 3 });
      expect(second.map(idOf)).toEqual(newestFirst.slice(3));
      expect(await store.list({ limit: 100 })).toHaveLength(6);
    });

    test('the audit counts by status and walks all orders by id', async () => {
      for (const status of ['pending', 'paid', 'paid', 'queued'] as const) await bring(status);
      expect(await store.countByStatus()).toEqual({ pending: 1, paid: 2, queued: 1 });
      const page = await store.page(undefined, 3);
      const rest = await store.page(page.at(-1)?.orderId, 3);
      const ids = [...page, ...rest].map(idOf);
      expect(ids).toEqual([...new Set(ids)].sort());
      expect(ids).toHaveLength(4);
    });

    test('keys are looked up in a batch, null where nobody used them', async () => {
      const order = await accept();
      const found = await store.findByKeys([newOrder(), order, order]);
      expect(found.map((one) => one?.orderId)).toEqual([
        ...[undefined, order.orderId, order.orderId],
      ]);
    });
  });

  describe('the menu', () => {
    test('the newest version counts, in whatever order it comes, twice in a batch too', async () => {
      await store.saveItems(undefined, [item('soup', 100, 2), item('soup', 90, 1)]);
      await store.saveItems(undefined, [item('soup', 80, 1)]);
      await take({ ...stockDecided(''), topic: 'item.changed', events: [item('tea', 50, 1)] });
      expect(await store.items(['soup', 'tea', 'nothing'])).toHaveLength(2);
      const [soup] = await store.items(['soup']);
      expect(soup).toMatchObject({ priceCents: 100, name: 'The soup' });
    });

    test('what was removed is not on it', async () => {
      await store.saveItems(undefined, [{ ...item('soup', 100, 3), removed: true }]);
      await store.saveItems(undefined, [item('soup', 100, 2)]);
      expect(await store.items(['soup'])).toEqual([]);
    });
  });

  test('old keys are freed and old orders forgotten, a few at a time', async () => {
    const dayMs = 86_400_000;
    const idAt = (atMs: number, n: number) => {
      const hex = atMs.toString(16).padStart(12, '0');
      return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-00000000000${n}`;
    };
    const old = async (ageMs: number, n: number) => {
      const acceptedAtMs = startMs - ageMs;
      return bring('paid', { orderId: idAt(acceptedAtMs, n), acceptedAtMs });
    };
    const month = [await old(31 * dayMs, 1), await old(31 * dayMs, 2)];
    const dayOldMs = startMs - 1.2 * dayMs;
    const day = await accept({ orderId: idAt(dayOldMs, 3), acceptedAtMs: dayOldMs });
    await store.decideBatch([{ orderId: day.orderId, event: unknown }], startMs);
    const fresh = await accept({ orderId: idAt(startMs - dayMs / 2, 4) });
    const forget = (rows: number) => store.forget(startMs - dayMs, startMs - 30 * dayMs, rows);
    await forget(1);
    expect((await store.list({ limit: 10 })).map(idOf)).toContain(month[1]);
    await forget(10);
    const left = (await store.list({ limit: 10 })).map(idOf);
    expect(left.sort()).toEqual([day.orderId, fresh.orderId].sort());
    const [freed, kept] = await store.findByKeys([day, fresh]);
    expect(freed).toBeUndefined();
    expect(kept?.orderId).toBe(fresh.orderId);
  });
}

function idOf(order: StoredOrder): string {
  return order.orderId;
}
