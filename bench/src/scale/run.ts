// One load on one shop, and all that is to be known of it.
//
// R1. Orders are settled when they are answered 201. A run counts only if every one of them is paid
//     in time. What was answered otherwise is told, and is no settled order.
// R2. Shares (of a core, of the machine) are those of the time until the last answer; what an order
//     costs is counted until all that follows it is done.

import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { serviceNames, services } from '@rushlight/contracts';
import { counts } from '../cost.ts';
import { answerMsMax, bodiesOf, closed, ordersPath } from '../counter.ts';
import { type CpuReading, cpuBetween, cpuIsKnown } from '../cpu.ts';
import type { Generator } from '../load/generator.ts';
import type { Sample } from '../metrics-text.ts';
import { type Shop, serviceOfPart } from '../shop.ts';
import { type Waits, watchWaits } from './waits.ts';

export type ScaleRun = {
  concurrency: number;
  orders: number;
  /** Answered, but not 201. */
  others: number;
  perS: number;
  /** Until the last of them was paid. */
  paidPerS: number;
  /** Microseconds per order by service (its replicas together), by role of Postgres, by engine. */
  cpuUs: Record<string, number>;
  /** Null where the system does not tell. */
  busiest: { process: string; coreShare: number } | null;
  /** Of all cores: the platform, the load generator and this process. */
  machineShare: number | null;
  batches: Record<string, { count: number; sizeMean: number }>;
  /** Store operations by service; each is a transaction. */
  operations: Record<string, number>;
  messages: number;
  waits: Waits;
};

export type Load = { concurrency: number; durationMs: number; itemIds: readonly string[] };

const paidMsMax = 60_000;
const settledMsMax = 120_000;
const restMs = 300;
let runs = 0;

export async function runLoad(shop: Shop, generator: Generator, load: Load): Promise<ScaleRun> {
  const { concurrency, durationMs, itemIds } = load;
  const ours = new Map([
    [process.pid, 'benchmark'],
    [generator.pid, 'load generator'],
  ]);
  const metricsBefore = await scrape(shop);
  const endWaits = watchWaits(databasesOf(shop));
  const before = shop.cpu(ours);
  const startMs = performance.now();
  const outcome = await generator.orders({
    url: shop.platform.url,
    path: ordersPath,
    tokens: shop.tokens,
    bodies: bodiesOf(itemIds),
    keyPrefix: `scale-${++runs}-`,
    pace: closed(concurrency, durationMs),
    answerMsMax,
  });
  const answered = shop.cpu(ours);
  const answeredMs = performance.now() - startMs;
  const waits = await endWaits();
  const paidMs = (await shop.whenPaid(paidMsMax)) - startMs;
  await shop.whenSettled(settledMsMax);
  const settled = shop.cpu(ours);
  const { 201: accepted, ...rest } = outcome.latencyMs;
  const orders = accepted?.count ?? 0;
  const others = Object.values(rest).reduce((sum, { count }) => sum + count, 0);
  const { batches, operations, messages } = counts(metricsBefore, await scrape(shop), orders);
  await sleep(restMs);
  const usedUs = [...cpuBetween(before, answered).values()].reduce((sum, us) => sum + us, 0);
  return {
    ...{ concurrency, orders, others, waits },
    perS: (orders * 1_000) / outcome.tookMs,
    paidPerS: (orders * 1_000) / paidMs,
    cpuUs: cpuIsKnown ? perOrder(cpuBetween(before, settled), orders) : {},
    busiest: cpuIsKnown ? busiestOf(before, answered, answeredMs) : null,
    machineShare: cpuIsKnown ? usedUs / (answeredMs * 1_000 * availableParallelism()) : null,
    batches: Object.fromEntries(
      batches.map(({ service, batcher, ...batch }) => [`${service} ${batcher}`, batch]),
    ),
    operations: sumBy(operations, ({ service }) => service),
    messages: messages.reduce((sum, { count }) => sum + count, 0),
  };
}

async function scrape(shop: Shop): Promise<ReadonlyMap<string, readonly Sample[]>> {
  const pairs = serviceNames.map(async (name) => [name, await shop.metricsOf(name)] as const);
  return new Map(await Promise.all(pairs));
}

function databasesOf(shop: Shop): Map<string, string> {
  const names: string[] = serviceNames.filter((name) => services[name].database);
  if (shop.platform.busUrl === undefined) names.push('bus');
  return new Map(names.map((name) => [name, shop.platform.databaseUrl(name)]));
}

export function perOrder(usedUs: ReadonlyMap<string, number>, orders: number) {
  const rows = [...usedUs].map(([name, us]) => ({ service: serviceOfPart(name), count: us }));
  const sums = sumBy(rows, ({ service }) => service);
  return Object.fromEntries(
    Object.entries(sums)
      .map(([name, us]): [string, number] => [name, us / orders])
      .filter(([, us]) => us > 0)
      .sort(([, a], [, b]) => b - a),
  );
}

/** The one process that had most of a core. */
export function busiestOf(
  before: CpuReading,
  after: CpuReading,
  tookMs: number,
): ScaleRun['busiest'] {
  let busiest: ScaleRun['busiest'] = null;
  for (const [pid, { name, us }] of after.byPid) {
    const coreShare = (us - (before.byPid.get(pid)?.us ?? 0)) / (tookMs * 1_000);
    if (coreShare > (busiest?.coreShare ?? -1)) busiest = { process: name, coreShare };
  }
  return busiest;
}

function sumBy<T extends { count: number }>(
  rows: readonly T[],
  nameOf: (row: T) => string,
): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const row of rows) sums[nameOf(row)] = (sums[nameOf(row)] ?? 0) + row.count;
  return sums;
}
