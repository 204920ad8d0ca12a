// What every store of the kitchen must do, whatever it is made of.

import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { KitchenStore, TicketChange } from '../src/store.ts';
import type { Action, NewTicket, TicketStatus } from '../src/ticket.ts';
import { newTicket } from './help.ts';

export type Subject = { store: KitchenStore; emitted(): Promise<TicketChange[]> };

const nowMs = 1_800_000_000_000;
const open = { stations: 2, auto: true, limit: 100 };
const ids = (count: number) => Array.from({ length: count }, () => randomUUID());

const takeTickets = (store: KitchenStore, messageId: string, tickets: NewTicket[]) =>
  store.takeIn([{ messageId, tickets, dead: [] }], nowMs);
const voidDead = (store: KitchenStore, dead: readonly string[]) =>
  store.takeIn([{ messageId: randomUUID(), tickets: [], dead }], nowMs);

/** @param make an empty store each time, with what it emitted so far */
export function kitchenStoreConformance(make: () => Promise<Subject & AsyncDisposable>): void {
  const add = (store: KitchenStore, orderIds: readonly string[], cookMs = 5_000) =>
    takeTickets(
      store,
      randomUUID(),
      orderIds.map((orderId) => newTicket(orderId, cookMs)),
    );
  const statusesOf = async (store: KitchenStore) =>
    new Map((await store.page(undefined, 1_000)).map(({ orderId, status }) => [orderId, status]));

  test('a message is taken in once', async () => {
    await using subject = await make();
    const { store } = subject;
    const [first = '', second = ''] = ids(2);
    const messageId = randomUUID();
    await takeTickets(store, messageId, [newTicket(first)]);
    await takeTickets(store, messageId, [newTicket(second)]);
    expect(await store.counts()).toEqual({ waiting: 1, cooking: 0, ready: 0 });
  });

  test('messages are taken in together, each once, and the dead are not cooked', async () => {
    await using subject = await make();
    const { store } = subject;
    const [one = '', two = '', dead = ''] = ids(3);
    const [first, second, third] = [randomUUID(), randomUUID(), randomUUID()];
    const paid = (messageId: string, ...orderIds: string[]) => {
      const tickets = orderIds.map((orderId) => newTicket(orderId));
      return { messageId, tickets, dead: [] };
    };
    await store.takeIn([paid(first, one), paid(first, two), paid(second, one, dead)], nowMs);
    await store.takeIn([paid(second, two), { ...paid(third), dead: [dead] }], nowMs);
    expect(await statusesOf(store)).toEqual(
      new Map([one, dead].map((id) => [id, id === dead ? 'voided' : 'waiting'])),
    );
    const kitchen = { stations: 2, auto: true };
    await store.takeIn([paid(randomUUID(), two)], nowMs, kitchen);
    expect((await statusesOf(store)).get(two)).toBe('waiting'); // It does not overtake.
  });

  test('where nobody waits, tickets start as they come, and take what stations are free', async () => {
    await using subject = await make();
    const { store } = subject;
    const [quick = '', slow = '', slower = '', late = ''] = ids(4);
    const tickets = [newTicket(quick), newTicket(slow, 700), newTicket(slower, 900)];
    const kitchen = { stations: 2, auto: true };
    const messageId = randomUUID();
    expect(await store.takeIn([{ messageId, tickets, dead: [] }], nowMs, kitchen)).toEqual({
      unready: 2,
    });
    const last = { messageId: randomUUID(), tickets: [newTicket(late)], dead: [] };
    expect(await store.takeIn([last], nowMs, kitchen)).toEqual({ unready: 1 });
    expect(await statusesOf(store)).toEqual(
      new Map([
        [quick, 'ready'],
        [slow, 'cooking'],
        [slower, 'cooking'],
        [late, 'waiting'],
      ]),
    );
    expect(await subject.emitted()).toEqual([
      { orderId: quick, status: 'cooking', atMs: nowMs, readyAtMs: nowMs },
      { orderId: quick, status: 'ready', atMs: nowMs },
      { orderId: slow, status: 'cooking', atMs: nowMs, readyAtMs: nowMs + 700 },
      { orderId: slower, status: 'cooking', atMs: nowMs, readyAtMs: nowMs + 900 },
    ]);
    expect(await store.finishDue(nowMs + 700, 10)).toBe(1);
  });

  test('the oldest start first, one at each station', async () => {
    await using subject = await make();
    const { store } = subject;
    const orders = ids(5);
    await add(store, orders);
    expect(await store.startDue({ ...open, nowMs })).toBe(2);
    expect(await store.startDue({ ...open, nowMs })).toBe(0);
    expect((await subject.emitted()).map(({ orderId, status }) => [orderId, status])).toEqual(
      orders.slice(0, 2).map((orderId) => [orderId, 'cooking']),
    );
    const { waiting, tickets } = await store.display(2, 10);
    expect(waiting).toBe(3);
    expect(tickets.map(({ orderId }) => orderId)).toEqual(orders.slice(0, 4));
    expect(tickets.map(({ queuePosition }) => queuePosition)).toEqual([undefined, undefined, 1, 2]);
    const placed = await store.placed(orders);
    const last = placed.find(({ orderId }) => orderId === orders[4]);
    expect(last?.queuePosition).toBe(3);
  });

  test('replicas that start at the same moment share the stations', async () => {
    await using subject = await make();
    const { store } = subject;
    await add(store, ids(20));
    const started = await Promise.all(
      Array.from({ length: 6 }, () => store.startDue({ ...open, stations: 5, nowMs })),
    );
    expect(started.reduce((sum, count) => sum + count, 0)).toBe(5);
    const finished = await Promise.all(
      Array.from({ length: 6 }, () => store.finishDue(nowMs + 5_000, 100)),
    );
    expect(finished.reduce((sum, count) => sum + count, 0)).toBe(5);
    expect(await subject.emitted()).toHaveLength(10);
  });

  test('a message that comes twice at the same moment is taken in once', async () => {
    await using subject = await make();
    const { store } = subject;
    const messageId = randomUUID();
    const tickets = ids(10).map((orderId) => newTicket(orderId));
    await Promise.all([1, 2, 3].map(() => takeTickets(store, messageId, tickets)));
    expect((await store.counts()).waiting).toBe(10);
  });

  test('what has cooked long enough is ready, and leaves the shelf in the end', async () => {
    await using subject = await make();
    const { store } = subject;
    const [orderId = ''] = ids(1);
    await add(store, [orderId]);
    await store.startDue({ ...open, nowMs });
    expect(await store.agenda()).toEqual({
      waiting: false,
      cooking: 1,
      nextReadyAtMs: nowMs + 5_000,
    });
    expect(await store.finishDue(nowMs + 4_999, 100)).toBe(0);
    expect(await store.finishDue(nowMs + 5_000, 100)).toBe(1);
    expect(await store.finishDue(nowMs + 5_000, 100)).toBe(0);
    expect(await store.collectDue(nowMs + 5_000, nowMs, 100)).toBe(0);
    expect(await store.collectDue(nowMs + 5_001, nowMs, 100)).toBe(1);
    const statuses = (await subject.emitted()).map(({ status }) => status);
    expect(statuses).toEqual(['cooking', 'ready', 'collected']);
  });

  test('a void before the ticket leaves a tombstone that says so again', async () => {
    await using subject = await make();
    const { store } = subject;
    const [orderId = '', dead = ''] = ids(2);
    expect(await store.press(orderId, 'void', nowMs)).toMatchObject({ kind: 'done' });
    expect(await store.press(orderId, 'void', nowMs)).toMatchObject({ kind: 'done' });
    await voidDead(store, [dead]);
    expect(await subject.emitted()).toEqual([{ orderId, status: 'voided', atMs: nowMs }]);
    await add(store, [orderId, dead]);
    expect((await subject.emitted()).map((change) => change.status)).toEqual([
      'voided',
      'voided',
      'voided',
    ]);
    expect(await store.startDue({ ...open, nowMs })).toBe(0);
  });

  test('a dead order frees its station in silence', async () => {
    await using subject = await make();
    const { store } = subject;
    const orders = ids(3);
    await add(store, orders);
    await store.startDue({ ...open, stations: 1, nowMs });
    await voidDead(store, orders.slice(0, 2));
    expect(await store.startDue({ ...open, stations: 1, nowMs })).toBe(1);
    expect((await subject.emitted()).map(({ orderId }) => orderId)).toEqual([orders[0], orders[2]]);
  });

  test('every button in every state', async () => {
    await using subject = await make();
    const { store } = subject;
    const buttons: Action[] = ['ready', 'collected', 'refuse', 'void'];
    const paths: Record<TicketStatus, Action[]> = {
      waiting: [],
      cooking: [],
      ready: ['ready'],
      collected: ['ready', 'collected'],
      refused: ['refuse'],
      voided: ['void'],
    };
    const wanted: Record<TicketStatus, (TicketStatus | 'wrong_state')[]> = {
      waiting: ['wrong_state', 'wrong_state', 'refused', 'voided'],
      cooking: ['ready', 'wrong_state', 'refused', 'wrong_state'],
      ready: ['ready', 'collected', 'refused', 'wrong_state'],
      collected: ['wrong_state', 'collected', 'wrong_state', 'wrong_state'],
      refused: ['wrong_state', 'wrong_state', 'refused', 'refused'],
      voided: ['wrong_state', 'wrong_state', 'wrong_state', 'voided'],
    };
    for (const status of Object.keys(paths) as TicketStatus[]) {
      const found: string[] = [];
      for (const button of buttons) {
        const [orderId = ''] = ids(1);
        await add(store, [orderId]);
        if (['cooking', 'ready', 'collected'].includes(status)) {
          await store.startDue({ ...open, nowMs });
        }
        for (const before of paths[status]) await store.press(orderId, before, nowMs, 'why');
        expect((await statusesOf(store)).get(orderId)).toBe(status);
        const pressed = await store.press(orderId, button, nowMs, 'why');
        found.push(pressed.kind === 'done' ? pressed.ticket.state.status : pressed.kind);
        await voidDead(store, [orderId]);
      }
      expect([status, found]).toEqual([status, wanted[status]]);
    }
    expect(await store.press(randomUUID(), 'ready', nowMs)).toEqual({ kind: 'unknown' });
  });

  test('paid, void and cancelled in any order and number end the same way', async () => {
    await using subject = await make();
    const { store } = subject;
    const steps = fc.array(fc.constantFrom('paid', 'void', 'dead'), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(steps, async (order) => {
        const [orderId = ''] = ids(1);
        for (const step of order) {
          if (step === 'paid') await add(store, [orderId]);
          if (step === 'void') await store.press(orderId, 'void', nowMs);
          if (step === 'dead') await voidDead(store, [orderId]);
        }
        const status = (await statusesOf(store)).get(orderId);
        const isDead = order.includes('void') || order.includes('dead');
        const alive = order.includes('paid') ? 'waiting' : undefined;
        expect(status).toBe(isDead ? 'voided' : alive);
      }),
      { numRuns: 40 },
    );
  });

  test('whatever is done, nobody overtakes and no station is taken twice', async () => {
    const step = fc.oneof(
      fc.record({ add: fc.integer({ min: 1, max: 6 }), cookMs: fc.constantFrom(0, 700, 3_000) }),
      fc.record({ passMs: fc.integer({ min: 0, max: 4_000 }) }),
      fc.record({ refuse: fc.nat(20) }),
      fc.constant({ start: true }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        await using subject = await make();
        const { store } = subject;
        const arrivals: string[] = [];
        let atMs = nowMs;
        for (const each of steps) {
          if ('add' in each) {
            const orders = ids(each.add);
            arrivals.push(...orders);
            await add(store, orders, each.cookMs);
          } else if ('passMs' in each) {
            atMs += each.passMs;
            await store.finishDue(atMs, 100);
          } else if ('refuse' in each) {
            await store.press(arrivals[each.refuse] ?? randomUUID(), 'refuse', atMs, 'no');
          } else {
            await store.startDue({ ...open, nowMs: atMs });
          }
          const { tickets } = await store.display(100, 100);
          const stations = tickets.flatMap(({ state }) =>
            state.status === 'cooking' ? [state.station] : [],
          );
          expect(stations.length).toBeLessThanOrEqual(open.stations);
          expect(new Set(stations).size).toBe(stations.length);
        }
        const started = (await subject.emitted())
          .filter(({ status }) => status === 'cooking')
          .map(({ orderId }) => arrivals.indexOf(orderId));
        expect(started).toEqual([...started].sort((a, b) => a - b));
      }),
      { numRuns: 15 },
    );
  });

  test('tickets that ended long ago are forgotten, others never', async () => {
    await using subject = await make();
    const { store } = subject;
    const [ended = '', waiting = ''] = ids(2);
    await add(store, [ended, waiting]);
    await store.press(ended, 'refuse', nowMs, 'why');
    expect(await store.forget(nowMs, 10)).toBe(0);
    expect(await store.forget(nowMs + 1, 10)).toBe(1);
    expect([...(await statusesOf(store)).keys()]).toEqual([waiting]);
  });
}
