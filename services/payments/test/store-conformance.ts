// What every store of payments must do, whatever it is made of.

import { randomUUID } from 'node:crypto';
import type { EventOf } from '@rushlight/contracts';
import { expect, test } from 'vitest';
import type { ChargeRequest, Lease, Outcome, PaymentStore, Work } from '../src/store.ts';

export type Subject = {
  store: PaymentStore;
  emitted(): Promise<EventOf<'payment.decided'>[]>;
};

const nowMs = 1_800_000_000_000;
const lease = (): Lease => ({ workId: randomUUID(), nowMs, untilMs: nowMs + 3_000 });
const request = (amountCents = 500): ChargeRequest => ({
  orderId: randomUUID(),
  studentId: 'student1',
  amountCents,
});
const captured = ({ orderId }: ChargeRequest): Outcome => ({ orderId, outcome: 'captured' });

function some<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('there should be something');
  return value;
}

/** @param make an empty store each time, with what it emitted so far */
export function paymentStoreConformance(make: () => Promise<Subject>): void {
  const begin = (store: PaymentStore, ...requests: ChargeRequest[]) =>
    store.beginCharges([{ messageId: randomUUID(), things: requests }], lease());
  const end = (store: PaymentStore, ...requests: ChargeRequest[]) =>
    store.beginRefunds(
      [{ messageId: randomUUID(), things: requests.map(({ orderId }) => orderId) }],
      lease(),
    );
  const finish = (store: PaymentStore, work: Work | undefined, ...outcomes: Outcome[]) =>
    store.finishCharges(some(work), outcomes, true, nowMs);
  const statusOf = async (store: PaymentStore, { orderId }: ChargeRequest) =>
    (await store.page(undefined, 1_000)).find((row) => row.orderId === orderId)?.status;

  test('a message begins its charges once', async () => {
    const { store } = await make();
    const messageId = randomUUID();
    const [first, second] = [request(), request()];
    expect(await store.beginCharges([{ messageId, things: [first] }], lease())).toBeDefined();
    expect(await store.beginCharges([{ messageId, things: [first] }], lease())).toBeUndefined();
    expect(await store.beginCharges([{ messageId, things: [second] }], lease())).toBeUndefined();
    expect(await begin(store, first, second)).toMatchObject({
      task: { kind: 'charge', orderIds: [second.orderId] },
    });
    expect(await store.toCharge([first.orderId, randomUUID()])).toEqual([first]);
  });

  test('messages that are taken in together are one task, each message once', async () => {
    const { store } = await make();
    const [first, second, third] = [request(), request(), request()];
    const taken = [first, second, third].map((one) => ({ messageId: randomUUID(), things: [one] }));
    const [one, two, three] = taken;
    if (!one || !two || !three) throw new Error('there should be three');
    expect(await store.beginCharges([one, two, two], lease())).toMatchObject({
      task: { kind: 'charge', orderIds: expect.arrayContaining([first.orderId, second.orderId]) },
    });
    expect(await store.beginCharges([two, three, one], lease())).toMatchObject({
      task: { kind: 'charge', orderIds: [third.orderId] },
    });
    expect(await store.beginCharges([one, two, three], lease())).toBeUndefined();
  });

  test('an outcome is written, posted and said once', async () => {
    const subject = await make();
    const { store } = subject;
    const [paid, poor] = [request(500), request(900)];
    const work = await begin(store, paid, poor);
    const reason = 'insufficient_funds' as const;
    const declined: Outcome = { orderId: poor.orderId, outcome: 'declined', reason };
    await finish(store, work, captured(paid), declined);
    await finish(store, work, captured(paid), captured(poor));
    const said = new Map((await subject.emitted()).map((event) => [event.orderId, event.outcome]));
    expect(await subject.emitted()).toHaveLength(2);
    expect(said.get(paid.orderId)).toBe('captured');
    expect(said.get(poor.orderId)).toBe('insufficient_funds');
    expect(await store.wallet('student1')).toEqual({
      balanceCents: -500,
      entries: [{ atMs: nowMs, kind: 'capture', amountCents: -500, orderId: paid.orderId }],
    });
    expect(await store.claim(nowMs + 10_000, nowMs + 20_000, 10)).toEqual([]);
  });

  test('replicas that finish the same task at the same moment write it once', async () => {
    const subject = await make();
    const { store } = subject;
    const orders = Array.from({ length: 20 }, () => request(10));
    const work = await begin(store, ...orders);
    await Promise.all([1, 2, 3, 4].map(() => finish(store, work, ...orders.map(captured))));
    expect(await subject.emitted()).toHaveLength(20);
    expect((await store.wallet('student1')).balanceCents).toBe(-200);
    const refund = some(await end(store, ...orders));
    const refunded = orders.map(({ orderId }) => ({ orderId, outcome: 'refunded' as const }));
    const told = await Promise.all(
      [1, 2, 3].map(() => store.finishRefunds(refund, refunded, nowMs)),
    );
    const one = { outcome: 'refunded', amountCents: 10, capturedUnknown: false };
    expect(told.flat()).toEqual(orders.map(() => one));
    expect((await store.wallet('student1')).balanceCents).toBe(0);
    expect((await store.sums()).allAccountsCents).toBe(0);
  });

  test('the end of an order before its charge leaves a tombstone', async () => {
    const { store } = await make();
    const order = request();
    expect(await end(store, order)).toBeUndefined();
    expect(await begin(store, order)).toBeUndefined();
    expect(await statusOf(store, order)).toBe('voided');
  });

  test('the end of a captured order is refunded once', async () => {
    const { store } = await make();
    const order = request(700);
    await finish(store, await begin(store, order), captured(order));
    const work = await end(store, order);
    expect(await end(store, order)).toBeUndefined();
    expect(await statusOf(store, order)).toBe('captured');
    expect(await store.toRefund([order.orderId])).toEqual([
      { orderId: order.orderId, studentId: 'student1' },
    ]);
    const { orderId } = order;
    const finishRefund = () =>
      store.finishRefunds(some(work), [{ orderId, outcome: 'refunded' }], nowMs);
    expect(await finishRefund()).toHaveLength(1);
    expect(await finishRefund()).toEqual([]);
    expect(await store.page(undefined, 10)).toEqual([
      { orderId, status: 'refunded', capturedCents: 700, refundedCents: 700 },
    ]);
    const { balanceCents, entries } = await store.wallet('student1');
    expect(balanceCents).toBe(0);
    expect(entries.map(({ kind }) => kind)).toEqual(['refund', 'capture']);
  });

  test('an order that ends while its charge is unknown follows what the provider says', async () => {
    const subject = await make();
    const { store } = subject;
    const [taken, free] = [request(300), request(400)];
    const charge = await begin(store, taken, free);
    const refund = await end(store, taken, free);
    await finish(store, charge, captured(taken), captured(free));
    expect(await subject.emitted()).toEqual([]);
    const outcomes = [
      { orderId: taken.orderId, outcome: 'refunded' as const },
      { orderId: free.orderId, outcome: 'nothing_captured' as const },
    ];
    const told = await store.finishRefunds(some(refund), outcomes, nowMs);
    expect(told.toSorted((a, b) => a.amountCents - b.amountCents)).toEqual([
      { outcome: 'refunded', amountCents: 300, capturedUnknown: true },
      { outcome: 'voided', amountCents: 400, capturedUnknown: false },
    ]);
    expect(await statusOf(store, taken)).toBe('refunded');
    expect(await statusOf(store, free)).toBe('voided');
    expect((await store.wallet('student1')).balanceCents).toBe(0);
    expect((await store.sums()).entries).toMatchObject({ capture: -300, refund: 300 });
  });

  test('a task belongs to one until its lease ends, or it is given back', async () => {
    const { store } = await make();
    const work = some(await begin(store, request()));
    expect(await store.claim(nowMs + 2_999, nowMs + 6_000, 10)).toEqual([]);
    const [claimed] = await store.claim(nowMs + 3_000, nowMs + 6_000, 10);
    expect(claimed).toEqual({ ...work, attempts: 2 });
    expect(await store.claim(nowMs + 3_000, nowMs + 6_000, 10)).toEqual([]);
    await store.postpone(work.workId, nowMs + 4_000);
    expect(await store.claim(nowMs + 4_000, nowMs + 6_000, 10)).toHaveLength(1);
  });

  test('wallets are opened, funded and topped up, each counted once', async () => {
    const { store } = await make();
    const openings = [
      { studentId: 'a', openingCents: 100 },
      { studentId: 'b', openingCents: 0 },
    ];
    const open = some(
      await store.beginOpenings([{ messageId: randomUUID(), things: openings }], lease()),
    );
    expect(await store.busy(['a', 'b', 'c'])).toEqual(new Set(['a', 'b']));
    for (let time = 0; time < 2; time++) await store.finishOpenings(open, openings, nowMs);
    const fund = await store.beginFund(['a', 'c'], 50, lease());
    const changes = [
      { studentId: 'a', changeCents: -50 },
      { studentId: 'c', changeCents: 50 },
    ];
    for (let time = 0; time < 2; time++) await store.finishFund(fund, changes, nowMs);
    expect(await store.wallets('', 10)).toEqual([
      { studentId: 'a', balanceCents: 50 },
      { studentId: 'b', balanceCents: 0 },
      { studentId: 'c', balanceCents: 50 },
    ]);
    expect(await store.wallets('a', 1)).toEqual([{ studentId: 'b', balanceCents: 0 }]);
    expect((await store.wallet('a')).entries).toEqual([
      { atMs: nowMs, kind: 'top_up', amountCents: -50 },
      { atMs: nowMs, kind: 'opening', amountCents: 100 },
    ]);
    expect(await store.busy(['a', 'b', 'c'])).toEqual(new Set());
    const sums = await store.sums();
    expect(sums).toMatchObject({ walletsCents: 100, allAccountsCents: 0 });
    expect(sums.entries).toMatchObject({ opening: 100, adjustment: 0 });
  });

  test('a top-up key stands for one top-up of one person', async () => {
    const { store } = await make();
    const asked = { by: 'admin', key: 'k', studentId: 'a', amountCents: 5 };
    const first = await store.beginTopUp(asked, lease());
    if (first.kind !== 'begun') throw new Error(first.kind);
    const again = await store.beginTopUp(asked, lease());
    expect(again).toMatchObject({ kind: 'begun', topUpId: first.topUpId });
    expect(await store.beginTopUp({ ...asked, amountCents: 6 }, lease())).toEqual({
      kind: 'key_reused',
    });
    expect(await store.beginTopUp({ ...asked, by: 'b', amountCents: 6 }, lease())).toMatchObject({
      kind: 'begun',
    });
    const topUp = { topUpId: first.topUpId, studentId: 'a', amountCents: 5 };
    await store.finishTopUp(first.work, topUp, 25, nowMs);
    await store.finishTopUp(first.work, topUp, 25, nowMs);
    expect(await store.beginTopUp(asked, lease())).toEqual({ kind: 'done', balanceCents: 25 });
    expect((await store.wallet('a')).balanceCents).toBe(5);
  });

  test('a key whose student nobody knows is free again', async () => {
    const { store } = await make();
    const asked = { by: 'admin', key: 'k', studentId: 'a', amountCents: 5 };
    const first = await store.beginTopUp(asked, lease());
    if (first.kind !== 'begun') throw new Error(first.kind);
    const topUp = { topUpId: first.topUpId, studentId: 'a', amountCents: 5 };
    await store.finishTopUp(first.work, topUp, undefined, nowMs);
    expect(await store.beginTopUp({ ...asked, amountCents: 6 }, lease())).toMatchObject({
      kind: 'begun',
    });
  });

  test('a meal that costs nothing is captured and moves nothing', async () => {
    const subject = await make();
    const { store } = subject;
    const order = request(0);
    await finish(store, await begin(store, order), captured(order));
    expect(await subject.emitted()).toEqual([{ orderId: order.orderId, outcome: 'captured' }]);
    expect((await store.wallet('student1')).entries).toEqual([]);
  });

  test('payments that ended long ago are forgotten, open ones never', async () => {
    const { store } = await make();
    const [ended, open] = [request(), request()];
    await finish(store, await begin(store, ended), captured(ended));
    await begin(store, open);
    expect(await store.forget(nowMs, nowMs, 10)).toBe(0);
    expect(await store.forget(nowMs + 1, nowMs + 1, 10)).toBe(1);
    expect((await store.page(undefined, 10)).map(({ orderId }) => orderId)).toEqual([open.orderId]);
  });
}
