import { expect, test } from 'vitest';
import { realEnvironment as env } from '../src/environment.ts';
import { createMemoryLedger } from '../src/store/index.ts';
import { outboxConformance, simulatedEnvironment } from '../src/testing/index.ts';

outboxConformance('memory', async () => {
  const ledger = createMemoryLedger({ env });
  return {
    outbox: ledger.outbox,
    begin: async (events) => ({
      commit: () => ledger.transaction('emit', (tx) => tx.emit('stock.decided', events)),
    }),
    killRelays: async () => ledger.dropClaims(),
    [Symbol.asyncDispose]: async () => {},
  };
});

test('nothing of an operation that throws remains', async () => {
  const ledger = createMemoryLedger({ env });
  const stock = new Map([['tea', 3]]);
  const orderId = env.newId();
  const sell = (left: number): Promise<boolean> =>
    ledger.transaction('sell', (tx) => {
      const isNew = tx.isNew(orderId);
      tx.change(() => stock.set('tea', left));
      tx.emit('stock.decided', [{ orderId, outcome: 'reserved' }]);
      if (left < 0) throw new Error('short');
      return isNew;
    });
  await expect(sell(-1)).rejects.toThrow('short');
  expect([stock.get('tea'), await ledger.outbox.depth()]).toEqual([3, 0]);
  expect([await sell(2), await sell(2)]).toEqual([true, false]);
  expect([stock.get('tea'), await ledger.outbox.depth()]).toEqual([2, 2]);
});

test('of several messages those are new that were never taken, each once', async () => {
  const ledger = createMemoryLedger({ env });
  const take = (ids: string[]): Promise<Set<string>> =>
    ledger.transaction('take', (tx) => tx.newOf(ids));
  expect(await take(['a', 'b', 'a'])).toEqual(new Set(['a', 'b']));
  expect(await take(['a', 'b', 'c'])).toEqual(new Set(['c']));
});

test('the inbox forgets what is old enough', async () => {
  const simulated = simulatedEnvironment(1);
  const ledger = createMemoryLedger({ env: simulated });
  const take = (id: string): Promise<boolean> => ledger.transaction('take', (tx) => tx.isNew(id));
  await take('old');
  await simulated.advance(10_000);
  await take('new');
  expect(await ledger.forgetInbox(5_000)).toBe(1);
  expect([await take('old'), await take('new')]).toEqual([true, false]);
});
