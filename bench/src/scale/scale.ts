// What more processes bring: the same load on shops of several sizes, and what the model said before.
//
// S1. All shops take turns, so that a machine that gets slower meets all of them; who has no turn is
//     frozen. A ratio is that of two runs of the same round; the median of the rounds counts.
// S2. One load generator and one concurrency for all: the best of one of each, searched beforehand.
// S3. The model is fitted to one of each, under several loads. What it says of other sizes it has not seen.
// S4. The shops are not watched: a monitor is one process whatever the size, and lives elsewhere
//     where there are many machines.

import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { serviceNames } from '@rushlight/contracts';
import { LaunchError, type Scale } from '@rushlight/launcher';
import { cpuBetween, cpuIsKnown } from '../cpu.ts';
import { type Generator, startGenerator } from '../load/generator.ts';
import { median } from '../percentile.ts';
import { fitCosts, type ShopCosts } from '../scale-model/costs.ts';
import { type Prediction, predict } from '../scale-model/predict.ts';
import { openShop, type Shop } from '../shop.ts';
import { costsInput } from './fit-input.ts';
import { type Projection, project } from './projection.ts';
import { runLoad, type ScaleRun } from './run.ts';

export type Size = { name: string; scale: Partial<Scale> };

export type ScalePlan = {
  /** The first is what the others are compared with. */
  sizes: readonly Size[];
  /** Compared as well, where its programs are installed. */
  onEngines: Size | undefined;
  students: number;
  /** Of one of each; larger sizes are warmed up for longer. */
  warmUpMs: number;
  /** Concurrencies that the model is fitted to; the best of them is that of all runs. */
  fitConcurrencies: readonly number[];
  fitMs: number;
  rounds: number;
  runMs: number;
  /** How long each shop is watched while nothing is asked of it. */
  restMs: number;
  /** After it was frozen: so long alone, and so long under load. */
  wakeMs: number;
  /** Virtual seconds. */
  prediction: { warmUpS: number; measureS: number };
  projection: { warmUpS: number; measureS: number };
};

const ofEach = (count: number): Partial<Scale> => ({
  replicas: Object.fromEntries(serviceNames.map((name) => [name, count])),
});

export const scalePlan: ScalePlan = {
  sizes: [
    { name: 'one of each', scale: {} },
    { name: 'two gateways, two orders', scale: { replicas: { gateway: 2, orders: 2 } } },
    { name: 'two of each', scale: ofEach(2) },
    { name: 'four of each', scale: ofEach(4) },
  ],
  onEngines: {
    name: 'one of each on RabbitMQ, Redis, Postgres 15',
    scale: { bus: 'rabbitmq', cache: 'redis', postgres: 'system' },
  },
  students: 1_000,
  warmUpMs: 4_000,
  fitConcurrencies: [32, 128, 512, 1_024],
  fitMs: 2_500,
  rounds: 3,
  runMs: 3_000,
  restMs: 2_000,
  wakeMs: 700,
  prediction: { warmUpS: 1, measureS: 3 },
  projection: { warmUpS: 0.3, measureS: 0.5 },
};

export type SizeResult = {
  name: string;
  replicas: Readonly<Record<string, number>>;
  processes: number;
  runs: ScaleRun[];
  /** Rate ÷ that of the first size in the same round, the median of the rounds. */
  ratio: number;
  ratios: number[];
  /** Cores that it uses while nothing is asked of it. */
  restCores: number | null;
  /** Null where it is not the model's business. */
  predicted: Prediction | null;
};

export type ScaleResult = {
  cores: number;
  concurrency: number;
  costs: ShopCosts;
  /** One row a transaction: the median milliseconds of one, and how many a second over 16 connections. */
  commits: { oneMs: number; perS: number };
  fits: ScaleRun[];
  sizes: SizeResult[];
  /** What the model says of other machines. */
  projections: Projection[];
  /** Why a size could not be measured. */
  notRun: { name: string; why: string }[];
  bar: { what: string; ratio: number; met: boolean } | null;
};

type Say = (text: string) => void;
type Open = Size & { shop: Shop; itemIds: string[]; runs: ScaleRun[]; restCores: number | null };

const barRatio = 1;
const barIndex = 1;
const items = 19;
const stock = 1_000_000;
const commitMs = 1_000;
/** Each shop has several for the end of this process. */
const listenersMax = 50;
const manyConnections = 16;

export async function measureScale(plan: ScalePlan, say: Say): Promise<ScaleResult> {
  await using stack = new AsyncDisposableStack();
  process.setMaxListeners(listenersMax);
  const generator = stack.use(await startGenerator());
  const notRun: ScaleResult['notRun'] = [];
  const shops: Open[] = [];
  for (const size of [...plan.sizes, ...(plan.onEngines ? [plan.onEngines] : [])]) {
    try {
      const open = await openSize(size, plan, stack, generator);
      shops.push(open);
      say(`${size.name}: ${open.shop.platform.parts().length} parts are up and warm`);
    } catch (error) {
      if (!(error instanceof LaunchError) || size !== plan.onEngines) throw error;
      notRun.push({ name: size.name, why: error.message });
    }
  }
  const [first] = shops;
  if (first === undefined) throw new Error('A plan needs at least one size.');
  await wake(first, plan, generator);
  const fits = await measureFits(plan, first, generator, say);
  const concurrency = bestOf(fits).concurrency;
  const commits = await measureCommits(first.shop, generator);
  first.shop.freeze();
  for (let nth = 0; nth < plan.rounds; nth++) {
    for (const open of turned(shops, nth)) {
      const load = { concurrency, durationMs: plan.runMs, itemIds: open.itemIds };
      await wake(open, plan, generator);
      const run = await runLoad(open.shop, generator, load);
      open.shop.freeze();
      open.runs.push(run);
      say(`round ${nth + 1}, ${open.name}: ${Math.round(run.perS)} settled/s`);
    }
  }
  for (const { shop } of shops) {
    shop.thaw();
    await shop.audit();
  }
  const costs = fitCosts(costsInput(fits, commits.oneMs));
  const cores = availableParallelism();
  const sizes = shops.map((open) => {
    const isModelled = open.name !== plan.onEngines?.name;
    const replicas = replicasOf(open.scale);
    const asked = { costs, replicas, cores, clients: concurrency, items, ...plan.prediction };
    return {
      ...resultOf(open, first),
      predicted: isModelled ? predict({ ...asked, seed: 1 }) : null,
    };
  });
  const projections = project(costs, serviceNames, plan.projection);
  const bar = judge(sizes, plan);
  return { cores, concurrency, costs, commits, fits, sizes, projections, notRun, bar };
}

export function replicasOf({ replicas = {} }: Partial<Scale>): Record<string, number> {
  return Object.fromEntries(serviceNames.map((name) => [name, replicas[name] ?? 1]));
}

/** Opened, warmed up, looked at while it rests, and frozen. */
async function openSize(
  size: Size,
  plan: ScalePlan,
  stack: AsyncDisposableStack,
  generator: Generator,
): Promise<Open> {
  const { students } = plan;
  const shop = stack.use(await openShop({ students, monitor: false, scale: size.scale }));
  const itemIds = await shop.dishes(items, stock);
  const concurrency = plan.fitConcurrencies.at(-1) ?? 1;
  // As many orders for each process as the first size gets: what is compiled is compiled.
  const durationMs = plan.warmUpMs * Math.max(...Object.values(replicasOf(size.scale)));
  await runLoad(shop, generator, { concurrency, durationMs, itemIds });
  const restCores = await coresAtRest(shop, plan.restMs);
  shop.freeze();
  return { ...size, shop, itemIds, runs: [], restCores };
}

/** Some of what it had under way is too late by now: it finds that out before it is measured. */
async function wake({ shop, itemIds }: Open, plan: ScalePlan, generator: Generator) {
  shop.thaw();
  await sleep(plan.wakeMs);
  const concurrency = plan.fitConcurrencies.at(-1) ?? 1;
  await runLoad(shop, generator, { concurrency, durationMs: plan.wakeMs, itemIds });
}

async function coresAtRest(shop: Shop, restMs: number): Promise<number | null> {
  const before = shop.cpu();
  const startMs = performance.now();
  await sleep(restMs);
  const tookMs = performance.now() - startMs;
  return cpuIsKnown ? sumOf(cpuBetween(before, shop.cpu())) / (tookMs * 1_000) : null;
}

async function measureFits(
  plan: ScalePlan,
  { shop, itemIds }: Open,
  generator: Generator,
  say: Say,
): Promise<ScaleRun[]> {
  const fits: ScaleRun[] = [];
  for (const concurrency of plan.fitConcurrencies) {
    const run = await runLoad(shop, generator, { concurrency, durationMs: plan.fitMs, itemIds });
    fits.push(run);
    say(`one of each, ${concurrency} at once: ${Math.round(run.perS)} settled/s`);
  }
  return fits;
}

async function measureCommits(shop: Shop, generator: Generator): Promise<ScaleResult['commits']> {
  const { databaseUrl, statement, values } = await shop.rowToCommit();
  const rate = async (connections: number): Promise<number> => {
    const run = { databaseUrl, statement, values, connections, durationMs: commitMs };
    const { commits, tookMs } = await generator.commits(run);
    return (commits * 1_000) / tookMs;
  };
  const onePerS = await rate(1);
  return { oneMs: 1_000 / onePerS, perS: await rate(manyConnections) };
}

function resultOf(open: Open, first: Open): Omit<SizeResult, 'predicted'> {
  const { name, shop, runs, scale, restCores } = open;
  const ratios = runs.map(({ perS }, nth) => perS / (first.runs[nth]?.perS ?? Number.NaN));
  return {
    ...{ name, runs, ratios, restCores },
    replicas: replicasOf(scale),
    processes: shop.platform.parts().length,
    ratio: median(ratios),
  };
}

function judge(sizes: readonly SizeResult[], plan: ScalePlan): ScaleResult['bar'] {
  const size = sizes[barIndex];
  if (size === undefined || size.name === plan.onEngines?.name) return null;
  const what = `${size.name} ÷ ${sizes[0]?.name} is at least ${barRatio.toFixed(1)}`;
  return { what, ratio: size.ratio, met: size.ratio >= barRatio };
}

function bestOf(runs: readonly ScaleRun[]): ScaleRun {
  const [best] = [...runs].sort((a, b) => b.perS - a.perS);
  if (best === undefined) throw new Error('A plan needs a concurrency.');
  return best;
}

function turned<T>(things: readonly T[], by: number): T[] {
  const from = by % things.length;
  return [...things.slice(from), ...things.slice(0, from)];
}

function sumOf(usedUs: ReadonlyMap<string, number>): number {
  return [...usedUs.values()].reduce((sum, us) => sum + us, 0);
}
