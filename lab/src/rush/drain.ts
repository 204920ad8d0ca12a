// After everything is healed: wait until nothing is under way any more.

import { setTimeout as sleep } from 'node:timers/promises';
import { publicApi } from '@rushlight/contracts';
import type { Api } from './api.ts';
import type { Books } from './books.ts';

export const drainMsMax = 120_000;
const lookMs = 250;
/** The parts are looked at one after the other, so that something may slip between two looks. */
const quietLooksWanted = 3;

export type Drained = { isDrained: boolean; durationMs: number; left: Record<string, number> };

/** Resolves when nothing is under way, or when the time for it is over. */
export async function drain(api: Api, books: Books | undefined): Promise<Drained> {
  const startMs = performance.now();
  let quietLooks = 0;
  for (;;) {
    const left = await look(api, books);
    const isQuiet = Object.keys(left).length === 0;
    quietLooks = isQuiet ? quietLooks + 1 : 0;
    const durationMs = performance.now() - startMs;
    if (quietLooks >= quietLooksWanted) return { isDrained: true, durationMs, left };
    if (durationMs > drainMsMax) return { isDrained: false, durationMs, left };
    await sleep(lookMs);
  }
}

/** What is under way, by kind, without those of which there is nothing. */
async function look(api: Api, books: Books | undefined): Promise<Record<string, number>> {
  try {
    const counts = books ? await books.underWay() : await inFlight(api);
    return Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
  } catch {
    return { 'parts that do not answer': 1 };
  }
}

async function inFlight(api: Api): Promise<Record<string, number>> {
  const { body } = await api.call(publicApi.audit, {});
  return { orders: body.orders.inFlight };
}
