// What more processes bring: the same load on shops of several sizes, and what the model said before.
//
// S1. One shop is there at a time, opened for its turn, and loaded until what it runs is compiled: as
//     long for each process as for those of the first size. Rounds go through the sizes forth and
//     back, so that a machine that gets slower meets all of them. A ratio is that of two medians of the
//     same round; the median of the rounds counts.
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
  /** Of each size in each round; the median is that of the round. */
  runs: number;
  runMs: number;
  /** How long each shop is watched while nothing is asked of it. */
  restMs: number;
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
  warmUpMs: 6_000,
  fitConcurrencies: [32, 128, 512, 1_024],
  fitMs: 2_500,
  rounds: 2,
  runs: 3,
  runMs: 2_500,
  restMs: 1_000,
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
/** What was seen of a size, a run for each round. */
type Seen = Size & { runs: ScaleRun[]; processes: number; restCores: number | null };
/** What is measured once, of the first size. */
type Basis = { fits: ScaleRun[]; concurrency: number; commits: ScaleResult['commits'] };

const barRatio = 1;
const barIndex = 1;
const items = 19;
const stock = 1_000_000;
const commitMs = 1_000;
const manyConnections = 16;

export async function measureScale(plan: ScalePlan, say: Say): Promise<ScaleResult> {
  await using generator = await startGenerator();
  const notRun: ScaleResult['notRun'] = [];
  const seen = new Map<Size, Seen>();
  let basis: Basis | undefined;
  for (let nth = 0; nth < plan.rounds; nth++) {
    for (const size of inTurn([...plan.sizes, plan.onEngines], nth)) {
      if (notRun.some(({ name }) => name === size.name)) continue;
      try {
        await using shop = await openShop({
          ...{ students: plan.students, monitor: false, scale: size.scale },
        });
        basis = await measureTurn({ plan, size, nth, shop, generator, say, seen, basis });
      } catch (error) {
        if (!(error instanceof LaunchError) || size !== plan.onEngines) throw error;
        notRun.push({ name: size.name, why: error.message });
      }
    }
  }
  if (basis === undefined) throw new Error('A plan needs a size and a round.');
  return { ...conclude(plan, basis, [...seen.values()]), notRun };
}

type Turn = {
  plan: ScalePlan;
  size: Size;
  nth: number;
  shop: Shop;
  generator: Generator;
  say: Say;
  seen: Map<Size, Seen>;
  basis: Basis | undefined;
};

/** One size in one round. Returns what is measured once, by whoever comes first. */
async function measureTurn({ plan, size, nth, shop, generator, say, seen, basis }: Turn) {
  const itemIds = await shop.dishes(items, stock);
  const warm = { concurrency: plan.fitConcurrencies.at(-1) ?? 1, itemIds };
  const durationMs = plan.warmUpMs * Math.max(...Object.values(replicasOf(size.scale)));
  await runLoad(shop, generator, { ...warm, durationMs });
  const base = basis ?? (await measureBasis(plan, shop, itemIds, generator, say));
  const one = seen.get(size) ?? {
    ...{ ...size, runs: [], processes: shop.platform.parts().length },
    restCores: await coresAtRest(shop, plan.restMs),
  };
  seen.set(size, one);
  const runs: ScaleRun[] = [];
  for (let run = 0; run < plan.runs; run++) {
    const load = { concurrency: base.concurrency, durationMs: plan.runMs, itemIds };
    runs.push(await runLoad(shop, generator, load));
  }
  await shop.audit();
  const [middle] = runs.toSorted((a, b) => a.perS - b.perS).slice(Math.floor(plan.runs / 2));
  if (middle) one.runs.push(middle);
  const rates = runs.map(({ perS }) => Math.round(perS)).join(', ');
  say(`round ${nth + 1}, ${size.name}: ${rates} settled/s`);
  return base;
}

async function measureBasis(
  plan: ScalePlan,
  shop: Shop,
  itemIds: string[],
  generator: Generator,
  say: Say,
): Promise<Basis> {
  const fits = await measureFits(plan, shop, itemIds, generator, say);
  const commits = await measureCommits(shop, generator);
  return { fits, concurrency: bestOf(fits).concurrency, commits };
}

function conclude(
  plan: ScalePlan,
  { fits, concurrency, commits }: Basis,
  seen: readonly Seen[],
): Omit<ScaleResult, 'notRun'> {
  const costs = fitCosts(costsInput(fits, commits.oneMs));
  const cores = availableParallelism();
  const sizes = seen.map((one) => {
    const isModelled = one.name !== plan.onEngines?.name;
    const replicas = replicasOf(one.scale);
    const asked = { costs, replicas, cores, clients: concurrency, items, ...plan.prediction };
    return {
      ...resultOf(one, seen[0]),
      predicted: isModelled ? predict({ ...asked, seed: 1 }) : null,
    };
  });
  const projections = project(costs, serviceNames, plan.projection);
  return { cores, concurrency, costs, commits, fits, sizes, projections, bar: judge(sizes, plan) };
}

export function replicasOf({ replicas = {} }: Partial<Scale>): Record<string, number> {
  return Object.fromEntries(serviceNames.map((name) => [name, replicas[name] ?? 1]));
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
  shop: Shop,
  itemIds: string[],
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

function resultOf(one: Seen, first: Seen | undefined): Omit<SizeResult, 'predicted'> {
  const { name, runs, scale, restCores, processes } = one;
  const ratios = runs.map(({ perS }, nth) => perS / (first?.runs[nth]?.perS ?? Number.NaN));
  const replicas = replicasOf(scale);
  return { name, runs, ratios, restCores, replicas, processes, ratio: median(ratios) };
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

/** Forth, then back (S1). */
function inTurn(sizes: readonly (Size | undefined)[], nth: number): Size[] {
  const all = sizes.filter((size) => size !== undefined);
  return nth % 2 === 0 ? all : all.reverse();
}

function sumOf(usedUs: ReadonlyMap<string, number>): number {
  return [...usedUs.values()].reduce((sum, us) => sum + us, 0);
}
