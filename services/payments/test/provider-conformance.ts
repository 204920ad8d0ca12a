// What every implementation of the card provider must do.

import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Nature } from '../src/provider/nature.ts';
import type { CardProvider } from '../src/provider/provider.ts';

const pay = (cents: number, studentId: string, paymentId: string = randomUUID()) => ({
  paymentId,
  studentId,
  amountCents: cents,
});

/** @param make a provider of this nature; what it knows may come from earlier tests */
export function providerConformance(make: (nature: Nature) => Promise<CardProvider>): void {
  const good = { latencyMs: 0, declineRate: 0, answerLostRate: 0 };
  const withAccount = async (openingCents: number) => {
    const provider = await make(good);
    const studentId = randomUUID();
    await provider.openAccounts([{ studentId, openingCents }]);
    return { provider, studentId };
  };
  const outcomes = (answers: readonly { outcome: string }[]) =>
    answers.map(({ outcome }) => outcome);

  test('an account is opened once, whatever is asked later', async () => {
    const { provider, studentId } = await withAccount(100);
    const again = await provider.openAccounts([{ studentId, openingCents: 999 }]);
    expect(again).toEqual([{ studentId, openingCents: 100 }]);
    expect(await provider.balance(studentId)).toBe(100);
    expect(await provider.balance(randomUUID())).toBeUndefined();
  });

  test('charges are decided in their order, and each id once', async () => {
    const { provider, studentId } = await withAccount(100);
    const charges = [pay(60, studentId), pay(50, studentId), pay(40, studentId)];
    const wanted = ['captured', 'insufficient_funds', 'captured'];
    expect(outcomes(await provider.charge(charges))).toEqual(wanted);
    await provider.topUp({ key: randomUUID(), studentId, amountCents: 1_000 });
    expect(outcomes(await provider.charge(charges))).toEqual(wanted);
    expect(await provider.balance(studentId)).toBe(1_000);
  });

  test('an id that comes with another amount is refused loudly, and nothing is taken', async () => {
    const { provider, studentId } = await withAccount(100);
    const first = pay(10, studentId);
    await provider.charge([first]);
    const batch = [pay(5, studentId), { ...first, amountCents: 11 }];
    await expect(provider.charge(batch)).rejects.toThrow(/knows .* as 10 cents/);
    expect(await provider.balance(studentId)).toBe(90);
  });

  test('a charge for an account that is not open is not decided', async () => {
    const provider = await make(good);
    const charge = pay(10, randomUUID());
    expect(outcomes(await provider.charge([charge]))).toEqual(['unknown_account']);
    await provider.openAccounts([{ studentId: charge.studentId, openingCents: 10 }]);
    expect(outcomes(await provider.charge([charge]))).toEqual(['captured']);
  });

  test('a refund gives back once; before its charge it forbids it for ever', async () => {
    const { provider, studentId } = await withAccount(100);
    const [charged, late] = [pay(30, studentId), pay(40, studentId)];
    await provider.charge([charged]);
    for (let time = 0; time < 2; time++) {
      expect(await provider.refund([charged, late])).toEqual([
        { paymentId: charged.paymentId, outcome: 'refunded', amountCents: 30 },
        { paymentId: late.paymentId, outcome: 'nothing_captured' },
      ]);
    }
    expect(outcomes(await provider.charge([late]))).toEqual(['declined']);
    expect(await provider.balance(studentId)).toBe(100);
  });

  test('a top-up counts once per key', async () => {
    const { provider, studentId } = await withAccount(0);
    const topUp = { key: randomUUID(), studentId, amountCents: 10 };
    const answer = { outcome: 'done', balanceCents: 10 };
    expect(await provider.topUp(topUp)).toEqual(answer);
    expect(await provider.topUp(topUp)).toEqual(answer);
    await expect(provider.topUp({ ...topUp, amountCents: 11 })).rejects.toThrow(/knows/);
    const unknown = { ...topUp, studentId: randomUUID(), key: randomUUID() };
    expect(await provider.topUp(unknown)).toEqual({ outcome: 'unknown_account' });
    // Whoever was told so forgets the key. A late attempt under it must not count.
    await provider.openAccounts([{ studentId: unknown.studentId, openingCents: 0 }]);
    expect(await provider.topUp(unknown)).toEqual({ outcome: 'unknown_account' });
    expect(await provider.balance(unknown.studentId)).toBe(0);
    const again = { ...unknown, key: randomUUID() };
    expect(await provider.topUp(again)).toEqual({ outcome: 'done', balanceCents: 10 });
  });

  test('balances are set up and down, and once per key', async () => {
    const { provider, studentId } = await withAccount(100);
    const other = randomUUID();
    const order = { key: randomUUID(), studentIds: [studentId, other], balanceCents: 70 };
    const wanted = [
      { studentId, changeCents: -30 },
      { studentId: other, changeCents: 70 },
    ];
    expect(await provider.setBalances(order)).toEqual(wanted);
    await provider.charge([pay(20, studentId)]);
    expect(await provider.setBalances(order)).toEqual(wanted);
    expect(await provider.balance(studentId)).toBe(50);
    expect(await provider.balance(other)).toBe(70);
  });

  test('one that loses its answers has done the work all the same', async () => {
    const studentId = randomUUID();
    const provider = await make({ ...good, answerLostRate: 1 });
    const charge = pay(30, studentId);
    await expect(provider.openAccounts([{ studentId, openingCents: 100 }])).rejects.toThrow();
    for (let time = 0; time < 3; time++) {
      await expect(provider.charge([charge])).rejects.toMatchObject({ name: 'UnavailableError' });
    }
    await expect(provider.balance(studentId)).rejects.toThrow();
  });

  test('one that declines says so for ever', async () => {
    const { studentId } = await withAccount(100);
    const provider = await make({ ...good, declineRate: 1 });
    await provider.openAccounts([{ studentId, openingCents: 100 }]);
    const charge = pay(30, studentId);
    expect(outcomes(await provider.charge([charge, charge]))).toEqual(['declined', 'declined']);
    expect(await provider.balance(studentId)).toBe(100);
  });

  test('charges at the same moment never take more than there is', async () => {
    const { provider, studentId } = await withAccount(100);
    const answers = await Promise.all(
      Array.from({ length: 30 }, () => provider.charge([pay(7, studentId)])),
    );
    const captured = answers.flat().filter(({ outcome }) => outcome === 'captured');
    expect(captured).toHaveLength(14);
    expect(await provider.balance(studentId)).toBe(2);
  });

  test('the ledger adds up to the balances, after anything', async () => {
    const { provider, studentId } = await withAccount(100);
    const paymentIds: string[] = [randomUUID(), randomUUID(), randomUUID()];
    const step = fc.tuple(fc.constantFrom('charge', 'refund', 'top_up'), fc.nat(2));
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
        for (const [what, n] of steps) {
          const paymentId = paymentIds[n] ?? '';
          if (what === 'charge') await provider.charge([pay(40, studentId, paymentId)]);
          if (what === 'refund') await provider.refund([{ paymentId, studentId }]);
          if (what === 'top_up') {
            const key = `${studentId}:${n}`;
            await provider.topUp({ key, studentId, amountCents: 5 });
          }
          const { entries, balanceCents } = await provider.sums();
          const sum = Object.values(entries).reduce((all, cents) => all + cents, 0);
          expect(sum).toBe(balanceCents);
        }
      }),
      { numRuns: 15 },
    );
    const entries = await provider.ledger(0, 10_000);
    const own = entries.filter((entry) => entry.studentId === studentId);
    const balanceCents = own.reduce((sum, entry) => sum + entry.amountCents, 0);
    expect(await provider.balance(studentId)).toBe(balanceCents);
    for (const paymentId of paymentIds) {
      const captures = own.filter((e) => e.kind === 'capture' && e.reference === paymentId);
      expect(captures.length).toBeLessThanOrEqual(1);
    }
  });
}
