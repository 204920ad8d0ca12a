// Places orders at a shop and sees them through.

import { setTimeout as sleep } from 'node:timers/promises';
import { cpuUsEach } from './cpu.ts';
import type { Generator } from './load/generator.ts';
import type { Outcome, Pace } from './load/plan.ts';
import type { Answers } from './rush-hours.ts';
import type { Shop } from './shop.ts';

export type SettledRun = {
  /** Answered 201, per second until the last answer. */
  perS: number;
  /** The same orders, per second until the last of them was paid. */
  paidPerS: number;
  /** From the last answer until the last order was paid. */
  paidLagS: number;
  /** Processor time of the whole platform per order, until all are settled. */
  cpuUs: number | null;
  answers: Answers;
};
export const ordersPath = '/api/v1/orders';
export const answerMsMax = 10_000;
const paidMsMax = 60_000;
const settledMsMax = 120_000;
const restMs = 500;

export class Counter {
  readonly #shop: Shop;
  readonly #generator: Generator;
  #runs = 0;

  constructor(shop: Shop, generator: Generator) {
    this.#shop = shop;
    this.#generator = generator;
  }

  place(itemIds: readonly string[], pace: Pace): Promise<Outcome> {
    return this.#generator.orders({
      url: this.#shop.platform.url,
      path: ordersPath,
      tokens: this.#shop.tokens,
      bodies: bodiesOf(itemIds),
      keyPrefix: `run-${++this.#runs}-`,
      pace,
      answerMsMax,
    });
  }

  /** @throws Error when an order is not paid in time */
  async settle(itemIds: readonly string[], pace: Pace): Promise<SettledRun> {
    const before = this.#shop.cpu();
    const startMs = performance.now();
    const outcome = await this.place(itemIds, pace);
    const answeredMs = performance.now();
    const paidMs = await this.#shop.whenPaid(paidMsMax);
    await this.#shop.whenSettled(settledMsMax);
    const after = this.#shop.cpu();
    await sleep(restMs);
    const accepted = outcome.latencyMs['201']?.count ?? 0;
    return {
      perS: acceptedPerS(outcome),
      paidPerS: (accepted * 1_000) / (paidMs - startMs),
      paidLagS: (paidMs - answeredMs) / 1_000,
      cpuUs: cpuUsEach(before, after, accepted),
      answers: outcome.latencyMs,
    };
  }

  /** Waits until nothing is left of what was placed. */
  async rest(): Promise<void> {
    await this.#shop.whenSettled(settledMsMax);
    await sleep(restMs);
  }
}

export const closed = (concurrency: number, durationMs: number): Pace => ({
  kind: 'closed',
  concurrency,
  durationMs,
});

export function bodiesOf(itemIds: readonly string[]): string[] {
  return itemIds.map((itemId) => JSON.stringify({ lines: [{ itemId, quantity: 1 }] }));
}

export function acceptedPerS({ latencyMs, tookMs }: Outcome): number {
  return ((latencyMs['201']?.count ?? 0) * 1_000) / tookMs;
}
