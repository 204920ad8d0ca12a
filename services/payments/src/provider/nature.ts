// What a real provider is like: slow at times, and at times silent after it has done the work.
// This is the nature of the simulated one, given to it when it is made; nobody outside can tell
// it from the real thing.

import { type Environment, UnavailableError } from '@rushlight/chassis';
import type { CardProvider } from './provider.ts';

export type Nature = {
  /** Each call takes this long, plus up to as much again by chance. */
  latencyMs: number;
  /** The share of charges that the provider turns down although there is money, 0 to 1. */
  declineRate: number;
  /** The share of calls whose work is done and whose answer never comes, 0 to 1. */
  answerLostRate: number;
};

export const goodNatured: Nature = { latencyMs: 0, declineRate: 0, answerLostRate: 0 };

/** Wraps a provider so that its calls take time, and lose answers. */
export function withNature(
  provider: CardProvider,
  nature: Nature,
  env: Pick<Environment, 'random' | 'sleep'>,
): CardProvider {
  const suffer = async <T>(work: () => Promise<T>): Promise<T> => {
    if (nature.latencyMs > 0) await env.sleep(nature.latencyMs * (1 + env.random()));
    const answer = await work();
    if (nature.answerLostRate > 0 && env.random() < nature.answerLostRate) {
      throw new UnavailableError('card provider', 'The card provider did not answer.');
    }
    return answer;
  };
  return {
    openAccounts: (openings) => suffer(() => provider.openAccounts(openings)),
    charge: (charges) => suffer(() => provider.charge(charges)),
    refund: (refunds) => suffer(() => provider.refund(refunds)),
    topUp: (topUp) => suffer(() => provider.topUp(topUp)),
    setBalances: (order) => suffer(() => provider.setBalances(order)),
    balance: (studentId) => suffer(() => provider.balance(studentId)),
    balances: (after, limit) => suffer(() => provider.balances(after, limit)),
    ledger: (after, limit) => suffer(() => provider.ledger(after, limit)),
    sums: () => suffer(() => provider.sums()),
  };
}
