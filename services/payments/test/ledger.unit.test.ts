// The whole of payments on a simulated clock: a driver, our books in memory, and a provider that
// is slow, declines, and loses answers after it has done the work.

import { type Environment, silentLog } from '@rushlight/chassis';
import type { EventOf } from '@rushlight/contracts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Driver, type DriverOptions } from '../src/driver.ts';
import { MemoryPaymentStore } from '../src/memory-store.ts';
import { advance, type Payment, type PaymentEvent, paymentIdOf } from '../src/payment.ts';
import { createMemoryProvider } from '../src/provider/memory-provider.ts';
import { reconcile } from '../src/reconcile.ts';
import { cancelled, message, verified } from './help.ts';

/** Time that passes only when somebody sleeps or waits; chance from a seed. */
function simulated(seed: number) {
  let nowMs = 1_000_000;
  let state = seed;
  let ids = 0;
  const env: Environment = {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    random: () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return state / 2 ** 32;
    },
    newId: () => `00000000-0000-7000-8000-${String(++ids).padStart(12, '0')}`,
    sleep: async (durationMs) => {
      nowMs += durationMs;
    },
    after: () => () => undefined,
  };
  return { env, pass: (durationMs: number) => (nowMs += durationMs) };
}

const students = ['ann', 'ben', 'cat'];
const aStudent = fc.constantFrom(...students);
const anOrder = fc.integer({ min: 0, max: 7 });
const aStep = fc.oneof(
  fc.record({ open: aStudent, cents: fc.integer({ min: 0, max: 2_000 }) }),
  fc.record({ fund: aStudent, cents: fc.integer({ min: 0, max: 2_000 }) }),
  fc.record({ topUp: aStudent, key: fc.constantFrom('k1', 'k2'), cents: fc.constantFrom(10, 20) }),
  fc.record({ pay: fc.array(anOrder, { minLength: 1, maxLength: 4 }) }),
  fc.record({ end: fc.array(anOrder, { minLength: 1, maxLength: 4 }) }),
  fc.record({ repeat: fc.nat(20) }),
  fc.record({ passMs: fc.integer({ min: 100, max: 5_000 }) }),
  fc.constant({ forgetful: true }),
);
type Step = typeof aStep extends fc.Arbitrary<infer S> ? S : never;

const orderIdOf = (n: number) => `00000000-0000-4000-8000-00000000000${n}`;
const studentOf = (n: number) => students[n % students.length] ?? '';
const centsOf = (n: number) => n * 150;

async function run(seed: number, answerLostRate: number) {
  const { env, pass } = simulated(seed);
  const decided: EventOf<'payment.decided'>[] = [];
  const store = new MemoryPaymentStore((_, events) => decided.push(...events));
  const nature = { latencyMs: 20, declineRate: 0.1, answerLostRate };
  const provider = createMemoryProvider(env, nature);
  // The same provider cannot be asked without its nature, so the checks ask until it answers.
  const surely = async <T>(ask: () => Promise<T>): Promise<T> => {
    for (let tries = 0; tries < 1_000; tries++) {
      const answer = await ask().then(
        (value) => ({ value }),
        () => undefined,
      );
      if (answer) return answer.value;
    }
    throw new Error('it never answered');
  };
  const counted = { captured: 0, refunded: 0 };
  const metrics: DriverOptions['metrics'] = {
    count: (name, labels, by = 1) => {
      if (name !== 'payments_cents_total') return;
      counted[(labels as { kind: keyof typeof counted }).kind] += by;
    },
  };
  const driver = new Driver({ store, provider, env, log: silentLog, metrics });
  const sent: ReturnType<typeof message>[] = [];
  const send = async (next: ReturnType<typeof message>): Promise<void> => {
    sent.push(next);
    await driver.takeMessages([next]);
  };
  const order = (n: number) => ({
    orderId: orderIdOf(n),
    studentId: studentOf(n),
    totalCents: centsOf(n),
  });

  const take = async (step: Step): Promise<void> => {
    if ('open' in step) {
      const events = [{ studentId: step.open, name: 'A', openingCents: step.cents }];
      await send(message('user.registered', events));
    } else if ('fund' in step) {
      const work = await store.beginFund([step.fund], step.cents, driver.lease());
      await driver.carryOut(work).catch(() => undefined);
    } else if ('topUp' in step) {
      const { topUp: studentId, key, cents: amountCents } = step;
      const request = { by: 'admin', key, studentId, amountCents };
      const begun = await store.beginTopUp(request, driver.lease());
      if (begun.kind === 'begun') await driver.carryOut(begun.work).catch(() => undefined);
    } else if ('pay' in step) await send(verified([...new Set(step.pay)].map(order)));
    else if ('end' in step) await send(cancelled([...new Set(step.end)].map(order)));
    else if ('passMs' in step) {
      pass(step.passMs);
      await driver.resume();
    } else if ('repeat' in step) {
      const again = sent[step.repeat];
      if (again) await driver.takeMessages([again]);
    } else {
      // A process that took a message, wrote its task down and died.
      const next = verified([order(7)]);
      const requests = [
        { orderId: orderIdOf(7), studentId: studentOf(7), amountCents: centsOf(7) },
      ];
      await store.beginCharges([{ messageId: next.id, things: requests }], driver.lease());
    }
  };
  return { env, pass, store, provider, driver, decided, counted, surely, take };
}

test('whatever happens, the books sum to 0 and end equal to the provider: charged at most once', async () => {
  const rates = fc.constantFrom(0, 0.3, 0.7);
  const property = fc.asyncProperty(
    fc.array(aStep, { maxLength: 30 }),
    fc.nat(),
    rates,
    async (steps, seed, lost) => {
      const shop = await run(seed, lost);
      const { store, provider, surely } = shop;
      for (const step of steps) {
        await shop.take(step);
        const { allAccountsCents, walletsCents, entries } = await store.sums();
        expect(allAccountsCents).toBe(0);
        const posted = Object.values(entries).reduce((sum, cents) => sum + cents, 0);
        expect(walletsCents).toBe(posted);
        expect(shop.counted.captured, 'counted as captured').toBe(0 - entries.capture);
        expect(shop.counted.refunded, 'counted as refunded').toBe(entries.refund);
        for (const { balanceCents } of await surely(() => provider.balances('', 100))) {
          expect(balanceCents).toBeGreaterThanOrEqual(0);
        }
      }
      // Those who never got an account cannot be decided: give them one, then let it all end.
      for (const studentId of students) {
        const work = await store.beginFund([studentId], 500, shop.driver.lease());
        await shop.driver.carryOut(work).catch(() => undefined);
      }
      for (let round = 0; round < 200; round++) {
        shop.pass(6_000);
        await shop.driver.resume();
      }
      expect(await store.busy(students)).toEqual(new Set());
      const answers = await surely(() =>
        reconcile({ store, provider, env: { sleep: async () => undefined } }),
      );
      expect(answers.violations).toEqual([]);

      const ledger = await surely(() => provider.ledger(0, 10_000));
      const decidedIds = shop.decided.map(({ orderId }) => orderId);
      expect(new Set(decidedIds).size).toBe(decidedIds.length);
      for (const { orderId, status, capturedCents, refundedCents } of await store.page(
        undefined,
        100,
      )) {
        expect(['captured', 'declined', 'refunded', 'voided']).toContain(status);
        const own = ledger.filter(({ reference }) => reference === paymentIdOf(orderId));
        const charged = own.filter(({ kind }) => kind === 'capture');
        expect(charged.length).toBeLessThanOrEqual(1);
        const kept = own.reduce((sum, { amountCents }) => sum - amountCents, 0);
        expect(kept).toBe(capturedCents - refundedCents);
      }
    },
  );
  await fc.assert(property, { numRuns: 150 });
});

const anEvent: fc.Arbitrary<PaymentEvent> = fc.constantFrom<PaymentEvent>(
  { type: 'verified', studentId: 'ann', amountCents: 5 },
  { type: 'charged' },
  { type: 'declined', reason: 'payment_declined' },
  { type: 'order_ended' },
  { type: 'given_back' },
  { type: 'never_taken' },
);

test('a payment never moves backwards, and one that ended stays as it is', () => {
  const rank = { charging: 0, captured: 1, refunding: 2, declined: 3, refunded: 3, voided: 3 };
  fc.assert(
    fc.property(fc.array(anEvent, { maxLength: 15 }), (events) => {
      let payment: Payment | undefined;
      for (const event of events) {
        const step = advance(payment, event);
        if (step.kind !== 'moved') continue;
        const before = payment ? rank[payment.status] : -1;
        expect(rank[step.payment.status]).toBeGreaterThan(before);
        payment = step.payment;
      }
    }),
  );
});
