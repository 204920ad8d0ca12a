// The order path against two yardsticks, in one run with one load generator: an empty Fastify route,
// and the same Postgres committing one row at a time.
//
// B1. Orders are settled when they are answered 201: durable, and their stock decided. A run counts
//     only if afterwards every one of them is paid, none past its deadline, and the audit is ok.
// B2. The empty route is measured before and after the platform, so that a machine that gets busy
//     meanwhile shows, and the median counts.
// B3. Stock suffices for all orders, except where "sold out" is what is measured.

import {
  acceptedPerS,
  answerMsMax,
  bodiesOf,
  Counter,
  closed,
  ordersPath,
  type SettledRun,
} from './counter.ts';
import { type CpuReading, cpuUsEach, readCpu } from './cpu.ts';
import { forkModule } from './forked.ts';
import { type Generator, startGenerator } from './load/generator.ts';
import type { Pace } from './load/plan.ts';
import { memoryMbBelow } from './memory.ts';
import { findPeak, type Peak } from './peak.ts';
import { median } from './percentile.ts';
import { judge, type Verdict } from './promises.ts';
import {
  type Answers,
  answersOf,
  type Overload,
  type OverloadTimes,
  overloadSteps,
  readOverload,
} from './rush-hours.ts';
import { openShop, type Shop } from './shop.ts';
import { measureStartUp, type StartUp } from './start-up.ts';

export type OrdersPlan = {
  /** Whether to measure `npm start` too, which takes a platform of its own. */
  startUp: boolean;
  students: number;
  warmUpMs: number;
  concurrencies: readonly number[];
  times: { searchMs: number; runMs: number; runs: number };
  halfLoadMs: number;
  overload: OverloadTimes;
  soldOutMs: number;
  connections: number;
  /** More than the gateway lets in at once, so that it is the gateway that has to refuse. */
  overloadConnections: number;
};

export const ordersPlan: OrdersPlan = {
  startUp: true,
  students: 1_000,
  warmUpMs: 3_000,
  concurrencies: [128, 256, 512, 1_024],
  times: { searchMs: 1_200, runMs: 4_000, runs: 3 },
  halfLoadMs: 6_000,
  overload: { normalMs: 3_000, overloadMs: 6_000, recoveryMs: 12_000 },
  soldOutMs: 4_000,
  connections: 1_000,
  overloadConnections: 5_000,
};

/** `cpuUs`: processor time of the measured side for each of them; null where it is not known. */
export type Rate = { perS: number; cpuUs: number | null };

export type OrdersResult = {
  startUp: Omit<StartUp, 'token' | 'reply'> | null;
  emptyRoute: Peak<Rate>;
  rowCommits: Peak<Rate>;
  manyItems: Peak<SettledRun>;
  hotItem: Peak<SettledRun>;
  halfLoad: { ratePerS: number; answers: Answers };
  overload: Overload;
  soldOut: { ratePerS: number; answers: Answers };
  /** Of the platform, this process and the load generator right after the load. */
  loadedMemoryMb: number | null;
  promises: Verdict[];
};

type Say = (text: string) => void;

const manyItems = 19;
const stock = 1_000_000;
const soldOutStock = 10;
const commitConnections = 16;
/** Like a real token and a real answer in size, where there is none at hand. */
const sampleToken = 'x'.repeat(400);
const sampleReply = { order: 'x'.repeat(400) };

export async function measureOrders(plan: OrdersPlan, say: Say): Promise<OrdersResult> {
  const startUp = plan.startUp ? await measureStartUp() : null;
  if (startUp) say(`first order settled ${startUp.firstOrderS.toFixed(1)} s after npm start`);
  await using generator = await startGenerator();
  const empty = (peak?: Peak<Rate>): Promise<Peak<Rate>> =>
    measureEmptyRoute(plan, generator, startUp, peak?.concurrency);
  const before = await empty();
  say(`empty route: ${Math.round(before.perS)}/s`);
  const platform = await measurePlatform(plan, generator, say);
  const after = await empty(before);
  const runs = [...before.runs, ...after.runs];
  const emptyRoute = { ...before, perS: median(runs.map(({ perS }) => perS)), runs };
  say(`empty route again: ${Math.round(after.perS)}/s`);

  const { manyItems: many, hotItem: hot, rowCommits, halfLoad, overload, soldOut } = platform;
  const promises = judge({
    manyToEmpty: many.perS / emptyRoute.perS,
    hotToEmpty: hot.perS / emptyRoute.perS,
    manyToCommits: many.perS / rowCommits.perS,
    hotToCommits: hot.perS / rowCommits.perS,
    halfLoadP99Ms: halfLoad.answers['201']?.p99 ?? Number.POSITIVE_INFINITY,
    soldOutP99Ms: soldOut.answers['422']?.p99 ?? Number.POSITIVE_INFINITY,
    goodputToPeak: overload.goodputToPeak,
    recoveryS: overload.recovery.seconds,
    firstOrderS: startUp?.firstOrderS ?? null,
    idleMemoryMb: startUp?.idleMemoryMb ?? null,
  });
  const { firstOrderS = 0, idleMemoryMb = null } = startUp ?? {};
  return {
    startUp: startUp && { firstOrderS, idleMemoryMb },
    emptyRoute,
    ...platform,
    promises,
  };
}

/** (a): the same body, headers and answer, and nothing done. */
async function measureEmptyRoute(
  plan: OrdersPlan,
  generator: Generator,
  sample: StartUp | null,
  concurrency?: number,
): Promise<Peak<Rate>> {
  const reply = JSON.stringify(sample?.reply ?? sampleReply);
  await using server = await forkModule<{ url: string }>(
    new URL('empty-route.ts', import.meta.url),
    [reply],
  );
  const bodies = bodiesOf(Array.from({ length: manyItems }, (_, n) => `dish-${n}`));
  const read = (): CpuReading => readCpu(new Map([[server.child.pid ?? 0, 'empty route']]), 0);
  const send = async (connections: number, durationMs: number): Promise<Rate> => {
    const before = read();
    const outcome = await generator.orders({
      url: server.ready.url,
      path: ordersPath,
      tokens: [sample?.token ?? sampleToken],
      bodies,
      keyPrefix: 'empty-',
      pace: { kind: 'closed', concurrency: connections, durationMs },
      answerMsMax,
    });
    const cpuUs = cpuUsEach(before, read(), outcome.latencyMs['201']?.count ?? 0);
    return { perS: acceptedPerS(outcome), cpuUs };
  };
  await send(plan.concurrencies[0] ?? 1, plan.warmUpMs / 2);
  const candidates = concurrency === undefined ? plan.concurrencies : [concurrency];
  const { searchMs, runMs, runs } = plan.times;
  // Not before the last run is the server let go.
  return await findPeak(candidates, { searchMs, runMs: runMs / 2, runs }, send);
}

type PlatformPart = Omit<OrdersResult, 'startUp' | 'emptyRoute' | 'promises'>;

async function measurePlatform(
  plan: OrdersPlan,
  generator: Generator,
  say: Say,
): Promise<PlatformPart> {
  await using shop = await openShop({ students: plan.students });
  const counter = new Counter(shop, generator);
  const rowCommits = await measureCommits(plan, shop, generator);
  say(`row commits: ${Math.round(rowCommits.perS)}/s`);

  const menu = await shop.dishes(manyItems, stock);
  await counter.settle(menu, closed(plan.concurrencies[0] ?? 1, plan.warmUpMs));
  const many = await measurePeak(plan, counter, menu);
  say(`19 items: ${describePeak(many)}`);
  await shop.audit();
  const hot = await measurePeak(plan, counter, await shop.dishes(1, stock));
  say(`one hot item: ${describePeak(hot)}`);
  await shop.audit();

  const halfLoad = await measureHalfLoad(plan, counter, menu, many.perS);
  say(`half the peak: p99 ${halfLoad.answers['201']?.p99} ms`);
  await shop.audit();
  const overload = await measureOverload(plan, counter, menu, many.perS);
  say(`three times the peak: goodput ${overload.goodputToPeak.toFixed(2)} of the peak`);
  await shop.audit();
  const soldOut = await measureSoldOut(plan, counter, shop, many.perS);
  await shop.audit();
  const loadedMemoryMb = memoryMbBelow(process.pid);
  return { rowCommits, manyItems: many, hotItem: hot, halfLoad, overload, soldOut, loadedMemoryMb };
}

/** (b): rows like those of orders, one in a transaction. */
async function measureCommits(
  plan: OrdersPlan,
  shop: Shop,
  generator: Generator,
): Promise<Peak<Rate>> {
  const { databaseUrl, statement, values } = await shop.rowToCommit();
  const commit = async (connections: number, durationMs: number): Promise<Rate> => {
    const run = { databaseUrl, statement, values, connections, durationMs };
    const before = shop.cpu();
    const { commits, tookMs } = await generator.commits(run);
    return { perS: (commits * 1_000) / tookMs, cpuUs: cpuUsEach(before, shop.cpu(), commits) };
  };
  const { searchMs, runMs, runs } = plan.times;
  return findPeak([commitConnections], { searchMs, runMs: runMs / 2, runs }, commit);
}

/** (c) */
async function measurePeak(
  plan: OrdersPlan,
  counter: Counter,
  itemIds: readonly string[],
): Promise<Peak<SettledRun>> {
  return findPeak(plan.concurrencies, plan.times, (concurrency, durationMs) =>
    counter.settle(itemIds, closed(concurrency, durationMs)),
  );
}

async function measureHalfLoad(
  plan: OrdersPlan,
  counter: Counter,
  itemIds: readonly string[],
  peakPerS: number,
): Promise<OrdersResult['halfLoad']> {
  const ratePerS = peakPerS / 2;
  const steps = [{ name: 'half', ratePerS, durationMs: plan.halfLoadMs }];
  const pace: Pace = { kind: 'open', connections: plan.connections, steps };
  const outcome = await counter.place(itemIds, pace);
  await counter.rest();
  return { ratePerS, answers: answersOf(outcome, 'half') };
}

async function measureOverload(
  plan: OrdersPlan,
  counter: Counter,
  itemIds: readonly string[],
  peakPerS: number,
): Promise<Overload> {
  const steps = overloadSteps(peakPerS, plan.overload);
  const pace: Pace = { kind: 'open', connections: plan.overloadConnections, steps };
  const outcome = await counter.place(itemIds, pace);
  await counter.rest();
  return readOverload(outcome, peakPerS, plan.overload);
}

async function measureSoldOut(
  plan: OrdersPlan,
  counter: Counter,
  shop: Shop,
  peakPerS: number,
): Promise<OrdersResult['soldOut']> {
  const itemIds = await shop.dishes(1, soldOutStock);
  const fill: Pace = { kind: 'closed', concurrency: 1, durationMs: answerMsMax, ordersMax: 20 };
  await counter.place(itemIds, fill);
  await counter.rest();
  const ratePerS = peakPerS * 3;
  const steps = [{ name: 'sold-out', ratePerS, durationMs: plan.soldOutMs }];
  const pace: Pace = { kind: 'open', connections: plan.overloadConnections, steps };
  const outcome = await counter.place(itemIds, pace);
  await counter.rest();
  return { ratePerS, answers: answersOf(outcome, 'sold-out') };
}

function describePeak({ concurrency, perS, runs }: Peak<SettledRun>): string {
  const paidPerS = Math.round(median(runs.map((run) => run.paidPerS)));
  return `${Math.round(perS)} settled/s at ${concurrency} at once, ${paidPerS} paid/s`;
}
