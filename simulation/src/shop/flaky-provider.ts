// The way to the card provider: far away, slow at times, and at times silent after the work is done.

import { type Environment, UnavailableError } from '@rushlight/chassis';
import type { CardProvider } from '@rushlight/payments/protocol';
import type { FaultKind } from '../engine/fault-kinds.ts';
import type { SimProcess } from '../engine/process.ts';
import type { Settings } from '../settings.ts';
import type { Weather } from './disk.ts';

export function flakyProvider(
  provider: CardProvider,
  process: SimProcess,
  env: Environment,
  { settings, weather }: { settings: Settings; weather: Weather },
): CardProvider {
  const { world } = process;
  const happens = (kind: FaultKind, rate: number): boolean => {
    if (!weather.faulty || rate === 0 || env.random() >= rate) return false;
    world.count(kind);
    return true;
  };
  const transitMs = (): number => {
    const slow = happens('provider_slow', settings.providerSlowRate);
    return env.random() * (slow ? settings.slowMsMax : settings.providerMs);
  };
  const far =
    <G extends unknown[], A>(what: string, ask: (...given: G) => Promise<A>) =>
    async (...given: G): Promise<A> => {
      await env.sleep(transitMs());
      const answer = await ask(...given);
      await env.sleep(transitMs());
      if (happens('provider_silent', settings.providerSilentRate)) {
        world.story.say('provider', () => `does ${what}, and its answer is lost`);
        throw new UnavailableError('card provider', 'The card provider did not answer.');
      }
      world.story.say('provider', () => `${what}: ${JSON.stringify(answer)}`);
      return answer;
    };
  return {
    openAccounts: far('open', (openings) => provider.openAccounts(openings)),
    charge: far('charge', (charges) => provider.charge(charges)),
    refund: far('refund', (refunds) => provider.refund(refunds)),
    topUp: far('top up', (topUp) => provider.topUp(topUp)),
    setBalances: far('set balances', (order) => provider.setBalances(order)),
    balance: (studentId) => provider.balance(studentId),
    balances: (after, limit) => provider.balances(after, limit),
    ledger: (after, limit) => provider.ledger(after, limit),
    sums: () => provider.sums(),
  };
}
