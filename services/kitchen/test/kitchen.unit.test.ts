import type { Environment } from '@rushlight/chassis';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cookUntilNow } from '../src/cook.ts';
import { MemoryKitchenStore } from '../src/memory-store.ts';
import { estimateReadyAtMs, planStarts } from '../src/stations.ts';
import { advance, type TicketEvent, type TicketState } from '../src/ticket.ts';
import { newTicket } from './help.ts';

const anyEvent: fc.Arbitrary<TicketEvent> = fc.constantFrom<TicketEvent>(
  { type: 'start', station: 1, readyAtMs: 5 },
  { type: 'finish', atMs: 5 },
  { type: 'collect' },
  { type: 'refuse', reason: 'burnt' },
  { type: 'void' },
  { type: 'order_dead' },
);

test('a ticket never moves backwards, and an event repeated changes nothing', () => {
  const rank = { waiting: 0, cooking: 1, ready: 2, collected: 3, refused: 3, voided: 3 };
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 15 }), (events) => {
      let state: TicketState = { status: 'waiting' };
      for (const event of events) {
        const step = advance(state, event);
        if (step.kind !== 'moved') continue;
        expect(rank[step.state.status]).toBeGreaterThan(rank[state.status]);
        state = step.state;
        expect(advance(state, event).kind).toBe('repeated');
      }
    }),
  );
});

test('what cooks is not voided by a person, but dies with its order', () => {
  const cooking: TicketState = { status: 'cooking', station: 1, readyAtMs: 5 };
  expect(advance(cooking, { type: 'void' }).kind).toBe('refused');
  expect(advance(cooking, { type: 'order_dead' })).toEqual({
    kind: 'moved',
    state: { status: 'voided' },
  });
});

test('starts keep the order of arrival, fill every free station and no other', () => {
  const queue = fc.array(fc.constantFrom(0, 0, 3_000, 7_000), { maxLength: 30 });
  const busyStations = fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { maxLength: 10 });
  const stationCount = fc.integer({ min: 1, max: 8 });
  fc.assert(
    fc.property(queue, busyStations, stationCount, fc.boolean(), (times, busy, stations, auto) => {
      const waiting = times.map((cookMs, n) => ({ orderId: `order-${n}`, cookMs }));
      const starts = planStarts({ waiting, busy, stations, auto, nowMs: 1_000 });
      expect(starts.map(({ orderId }) => orderId)).toEqual(
        waiting.slice(0, starts.length).map(({ orderId }) => orderId),
      );
      const taken = starts.filter(({ readyAtOnce }) => !readyAtOnce).map(({ station }) => station);
      expect(new Set([...taken, ...busy]).size).toBe(taken.length + busy.length);
      const free = Math.max(0, stations - busy.length);
      expect(taken.length).toBeLessThanOrEqual(free);
      if (starts.length < waiting.length) expect(taken.length).toBe(free);
    }),
  );
});

test('an estimate is what happens when every meal takes the mean time', () => {
  const clock = { nowMs: 0 };
  const meanCookMs = 5_000;
  const cookingUntilMs = fc.array(fc.integer({ min: 0, max: 7_000 }), { maxLength: 4 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 40 }), cookingUntilMs, (position, until) => {
      const freeAtMs = [...until, 0, 0, 0, 0].slice(0, 4);
      let wanted = 0;
      for (let n = 1; n <= position; n++) {
        freeAtMs.sort((a, b) => a - b);
        wanted = (freeAtMs.shift() ?? 0) + meanCookMs;
        freeAtMs.push(wanted);
      }
      const estimate = estimateReadyAtMs({
        ...{ position, cookMs: meanCookMs, meanCookMs, stations: 4 },
        ...{ cookingUntilMs: until, nowMs: clock.nowMs },
      });
      // Exact when no meal that cooks now takes longer than the mean; never early by more.
      expect(estimate).toBeGreaterThanOrEqual(wanted - 2_000);
      expect(estimate).toBeLessThanOrEqual(wanted + 2_000);
    }),
  );
});

test('a queue is cooked in the time that its stations need', async () => {
  let nowMs = 0;
  const env = { nowMs: () => nowMs } as Environment;
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const readyAtMs: number[] = [];
  const store = new MemoryKitchenStore((_, changes) => {
    for (const { status, atMs } of changes) if (status === 'ready') readyAtMs.push(atMs);
  });
  const tickets = Array.from({ length: 9 }, (_, n) => newTicket(`order-${n}`, 5_000));
  await store.takeIn([{ messageId: 'message', tickets, dead: [] }], nowMs);
  for (; nowMs <= 15_000; nowMs += 100) {
    await cookUntilNow({ store, env, log, stations: 3, auto: true });
  }
  expect(readyAtMs).toEqual([5_000, 5_000, 5_000, 10_000, 10_000, 10_000, 15_000, 15_000, 15_000]);
});
