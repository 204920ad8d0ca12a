// What the shop notices when its monitor is not there: arrivals at an even rate while it is killed again
// and again, while it stands still, and when it is back.

import { setTimeout as sleep } from 'node:timers/promises';
import { answerMsMax, bodiesOf, Counter, ordersPath } from './counter.ts';
import type { Generator } from './load/generator.ts';
import type { Latency, Step } from './load/plan.ts';
import { answersOf } from './rush-hours.ts';
import { openShop, type Shop } from './shop.ts';
import { figure, table } from './table.ts';

export type LossPlan = { students: number; stepMs: number; connections: number };

export const lossPlan: LossPlan = { students: 1_000, stepMs: 8_000, connections: 1_000 };

const stepNames = ['watched', 'killed', 'watched-again', 'frozen', 'back'] as const;
type StepName = (typeof stepNames)[number];

/** Accepted orders of each step; a step without any is missing. */
export type LossResult = { ratePerS: number; accepted: Partial<Record<StepName, Latency>> };

const menuItems = 19;
const stock = 1_000_000;
const killEveryMs = 1_500;

/** @param ratePerS arrivals, well below what the shop can do */
export async function measureLoss(
  plan: LossPlan,
  generator: Generator,
  ratePerS: number,
): Promise<LossResult> {
  await using shop = await openShop({ students: plan.students });
  const menu = await shop.dishes(menuItems, stock);
  const counter = new Counter(shop, generator);
  const place = (steps: readonly Step[], name: string) =>
    generator.orders({
      ...{ url: shop.platform.url, path: ordersPath, tokens: shop.tokens },
      ...{ bodies: bodiesOf(menu), keyPrefix: `loss-${name}-`, answerMsMax },
      pace: { kind: 'open', connections: plan.connections, steps },
    });
  await place([{ name: 'warm-up', ratePerS, durationMs: plan.stepMs }], 'warm-up');
  const steps = stepNames.map((name) => ({ name, ratePerS, durationMs: plan.stepMs }));
  const [outcome] = await Promise.all([place(steps, 'run'), trouble(shop, plan.stepMs)]);
  await counter.rest();
  await shop.platform.whenUp('monitor');
  await shop.audit();
  const accepted: LossResult['accepted'] = {};
  for (const name of stepNames) {
    const latency = answersOf(outcome, name)['201'];
    if (latency) accepted[name] = latency;
  }
  return { ratePerS, accepted };
}

/** In step with the load. */
async function trouble({ platform }: Shop, stepMs: number): Promise<void> {
  const startedMs = performance.now();
  const until = async (steps: number): Promise<void> => {
    await sleep(Math.max(0, startedMs + steps * stepMs - performance.now()));
  };
  await until(1);
  for (let sinceMs = 0; sinceMs + killEveryMs <= stepMs; sinceMs += killEveryMs) {
    platform.kill('monitor');
    await sleep(killEveryMs);
  }
  await until(3);
  platform.startFault({ fault: 'stop', target: 'monitor', durationS: Math.round(stepMs / 1_000) });
  await until(stepNames.length);
  platform.endFaults();
}

export function describeLoss({ ratePerS, accepted }: LossResult): string {
  const rows = stepNames.map((name) => {
    const latency = accepted[name];
    const cells = latency ? [latency.count, latency.p50, latency.p95, latency.p99] : [0];
    return [`the monitor: ${name.replace('-', ' ')}`, ...cells.map(figure)];
  });
  const head = [`${figure(ratePerS)} arrivals/s`, 'accepted', 'p50 ms', 'p95 ms', 'p99 ms'];
  return table(head, rows);
}
