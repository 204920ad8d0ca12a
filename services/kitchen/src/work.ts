// What the kitchen does of its own accord: it takes the messages of its queue, cooks, and clears the
// shelf.

import type { Bus, Environment, Service } from '@rushlight/chassis';
import type { Message } from '@rushlight/contracts';
import { startCooking } from './cook.ts';
import { type CookTime, meaningOf } from './messages.ts';
import type { KitchenStore } from './store.ts';

export type KitchenPlan = CookTime & {
  stations: number;
  /** Meals become ready by themselves; if not, a person says so. */
  auto: boolean;
  /** What stands on the shelf for longer counts as collected. */
  shelfMs: number;
};

const shelfEveryMs = 2_000;
const batches = { messagesMax: 64, eventsMax: 2_000, pauseMs: 50 };
const rowsMax = 5_000;
const roundsMax = 20;

/** Returns how to wake the cooking when something changed. */
export function startWork(
  service: Pick<Service<unknown>, 'env' | 'log' | 'own' | 'every'>,
  {
    store,
    bus,
    plan,
  }: { store: KitchenStore; bus: Pick<Bus, 'consumeBatches'>; plan: KitchenPlan },
): { wake: () => void } {
  const { env, log } = service;
  const { stations, auto } = plan;
  const cooking = startCooking({ store, env, log, stations, auto });
  service.own('cooking', cooking.close);
  const take = async (messages: readonly Message[]): Promise<void> => {
    const taken = messages.map((message) => meaningOf(message, plan, env));
    const { unready } = await store.takeIn(taken, env.nowMs(), { stations, auto });
    if (unready > 0 || taken.some(({ dead }) => dead.length > 0)) cooking.wake();
  };
  const consumer = bus.consumeBatches('kitchen', take, batches);
  service.own('queue kitchen', () => consumer.close());
  service.every('shelf', shelfEveryMs, () => clearShelf(store, env, plan.shelfMs));
  return { wake: cooking.wake };
}

/** Nobody leaves a meal on the shelf for ever. */
async function clearShelf(
  store: KitchenStore,
  env: Pick<Environment, 'nowMs'>,
  shelfMs: number,
): Promise<void> {
  for (let round = 0; round < roundsMax; round++) {
    const nowMs = env.nowMs();
    const collected = await store.collectDue(nowMs - shelfMs, nowMs, rowsMax);
    if (collected < rowsMax) return;
  }
}
