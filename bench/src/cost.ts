// What one order costs: processor time by process, store operations, messages, batches.
//
// The hot path is everything until the last answer, what runs behind it included; the rest is what
// is left to do until every order has come to its end and every queue is empty.

import { setTimeout as sleep } from 'node:timers/promises';
import { serviceNames } from '@rushlight/contracts';
import { type CpuReading, cpuBetween, cpuIsKnown } from './cpu.ts';
import { startGenerator } from './load/generator.ts';
import type { Latency, Outcome, Pace } from './load/plan.ts';
import { growth, type Sample } from './metrics-text.ts';
import { nowUs, profileSettings, reportProfiles, type Span } from './profile.ts';
import { openShop, type Shop, statisticsDelayMs } from './shop.ts';
import { figure, table } from './table.ts';

export type CostOptions = {
  orders: number;
  warmUp: number;
  items: number;
  concurrency: number;
  /** Arrivals a second instead of so many at once. */
  ratePerS?: number | undefined;
  /** A service to profile. */
  profiled?: (typeof serviceNames)[number] | undefined;
};

export type CostResult = {
  orders: number;
  answeredPerS: number;
  settledPerS: number;
  /** By status. */
  latencyMs: Record<string, Latency>;
  /** Microseconds per order; empty where the system does not tell. */
  cpuUs: { process: string; hot: number; rest: number }[];
  operations: Operation[];
  messages: { topic: string; count: number; ordersEach: number }[];
  batches: { service: string; batcher: string; count: number; sizeMean: number }[];
  /** By database, the polling of those who rest included. */
  transactions: { database: string; count: number }[];
};

type Operation = { service: string; operation: string; count: number; msMean: number };
type Say = (text: string) => void;
type Scrape = ReadonlyMap<string, readonly Sample[]>;

const students = 1_000;
const stock = 1_000_000;
const settleMsMax = 120_000;
const answerMsMax = 30_000;
const runMsMax = 240_000;
const openConnections = 512;

export async function measureCost(options: CostOptions, say: Say): Promise<CostResult> {
  const { profiled } = options;
  const profile = profiled === undefined ? undefined : profileSettings(profiled);
  const { result, span } = await inShop(options, profile?.env ?? {}, say);
  if (profile !== undefined) say(reportProfiles(profile.folder, span));
  return result;
}

async function inShop(
  options: CostOptions,
  env: Parameters<typeof openShop>[0]['env'] & {},
  say: Say,
): Promise<{ result: CostResult; span: Span }> {
  await using shop = await openShop({ students, env });
  await using generator = await startGenerator();
  const itemIds = await shop.dishes(options.items, stock);
  const place = (orders: number, name: string): Promise<Outcome> =>
    generator.orders({
      url: shop.platform.url,
      path: '/api/v1/orders',
      tokens: shop.tokens,
      bodies: itemIds.map((itemId) => JSON.stringify({ lines: [{ itemId, quantity: 1 }] })),
      keyPrefix: `cost-${name}-`,
      pace: paceOf(options, orders),
      answerMsMax,
    });
  if (options.warmUp > 0) {
    await place(options.warmUp, 'warm-up');
    await shop.whenSettled(settleMsMax);
  }
  const ours = new Map([
    [process.pid, 'launcher and benchmark'],
    [generator.pid, 'load generator'],
  ]);
  const read = (): CpuReading => shop.cpu(ours);
  const transactionsBefore = await shop.transactions();
  const scrapeBefore = await scrape(shop);

  const before = read();
  const [startMs, fromUs] = [performance.now(), nowUs()];
  const outcome = await place(options.orders, 'run');
  const answered = read();
  const settledMs = await shop.whenSettled(settleMsMax);
  const settled = read();
  const span = { fromUs, toUs: nowUs() };

  const measured = {
    orders: options.orders,
    answeredPerS: (options.orders * 1_000) / outcome.tookMs,
    settledPerS: (options.orders * 1_000) / (settledMs - startMs),
    latencyMs: outcome.latencyMs,
    cpuUs: cpuIsKnown ? perOrder(options.orders, before, answered, settled) : [],
    ...counts(scrapeBefore, await scrape(shop), options.orders),
  };
  say(describe(measured));
  await shop.audit();
  await sleep(statisticsDelayMs);
  const transactions = differences(transactionsBefore, await shop.transactions());
  say(describeTransactions(transactions, options.orders));
  return { result: { ...measured, transactions }, span };
}

function paceOf({ ratePerS, concurrency }: CostOptions, orders: number): Pace {
  if (ratePerS === undefined) {
    return { kind: 'closed', concurrency, durationMs: runMsMax, ordersMax: orders };
  }
  const steps = [{ name: 'run', ratePerS, durationMs: (orders * 1_000) / ratePerS }];
  return { kind: 'open', connections: openConnections, steps };
}

async function scrape(shop: Shop): Promise<Scrape> {
  const pairs = serviceNames.map(async (name) => [name, await shop.metricsOf(name)] as const);
  return new Map(await Promise.all(pairs));
}

function perOrder(
  orders: number,
  before: CpuReading,
  answered: CpuReading,
  settled: CpuReading,
): CostResult['cpuUs'] {
  const hot = cpuBetween(before, answered);
  const rest = cpuBetween(answered, settled);
  return [...new Set([...hot.keys(), ...rest.keys()])]
    .map((process) => ({
      process,
      hot: (hot.get(process) ?? 0) / orders,
      rest: (rest.get(process) ?? 0) / orders,
    }))
    .filter((row) => row.hot + row.rest > 0)
    .sort((a, b) => b.hot + b.rest - a.hot - a.rest);
}

/** What the services' own metrics say of the time between two scrapes. */
export function counts(
  before: Scrape,
  after: Scrape,
  orders: number,
): Pick<CostResult, 'operations' | 'messages' | 'batches'> {
  const operations: Operation[] = [];
  const messages = new Map<string, number>();
  const batches: CostResult['batches'] = [];
  for (const [service, samples] of after) {
    const grown = growth(before.get(service) ?? [], samples);
    const sumOf = (name: string, label: string, value: string): number =>
      grown.find((sample) => sample.name === name && sample.labels[label] === value)?.value ?? 0;
    for (const { name, labels, value } of grown) {
      const { operation = '', batcher = '', topic = '' } = labels;
      if (name === 'db_operation_duration_seconds_count') {
        const seconds = sumOf('db_operation_duration_seconds_sum', 'operation', operation);
        operations.push({ service, operation, count: value, msMean: (seconds * 1_000) / value });
      } else if (name === 'batch_size_count') {
        const sizes = sumOf('batch_size_sum', 'batcher', batcher);
        batches.push({ service, batcher, count: value, sizeMean: sizes / value });
      } else if (name === 'bus_messages_published_total') {
        messages.set(topic, (messages.get(topic) ?? 0) + value);
      }
    }
  }
  return {
    operations: operations.sort((a, b) => b.count * b.msMean - a.count * a.msMean),
    messages: [...messages]
      .map(([topic, count]) => ({ topic, count, ordersEach: orders / count }))
      .sort((a, b) => b.count - a.count),
    batches: batches.sort((a, b) => b.count - a.count),
  };
}

function differences(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
): CostResult['transactions'] {
  return [...after]
    .map(([database, count]) => ({ database, count: count - (before.get(database) ?? 0) }))
    .filter(({ count }) => count > 0)
    .sort((a, b) => b.count - a.count);
}

function describe(cost: Omit<CostResult, 'transactions'>): string {
  const { orders, answeredPerS, settledPerS, latencyMs } = cost;
  const sum = (pick: 'hot' | 'rest'): number => cost.cpuUs.reduce((all, row) => all + row[pick], 0);
  const cpuRow = (name: string, hot: number, rest: number): string[] =>
    [name, hot, rest, hot + rest].map((cell) => (typeof cell === 'string' ? cell : figure(cell)));
  const withoutUs = cost.cpuUs.filter(
    ({ process }) => process !== 'load generator' && process !== 'launcher and benchmark',
  );
  const total = withoutUs.reduce((all, row) => all + row.hot + row.rest, 0);
  return [
    `answered: ${figure(answeredPerS)} orders/s · all settled: ${figure(settledPerS)} orders/s`,
    '',
    table(
      ['answers', 'count', 'p50 ms', 'p95 ms', 'p99 ms'],
      Object.entries(latencyMs).map(([status, { count, p50, p95, p99 }]) => [
        status,
        ...[count, p50, p95, p99].map(figure),
      ]),
    ),
    '',
    cost.cpuUs.length === 0
      ? 'Processor time by process is not available on this system (only on Linux).'
      : table(
          ['CPU µs per order', 'until answered', 'until settled', 'all'],
          [
            ...cost.cpuUs.map(({ process, hot, rest }) => cpuRow(process, hot, rest)),
            cpuRow('sum', sum('hot'), sum('rest')),
            ['the platform alone', '', '', figure(total)],
          ],
        ),
    '',
    table(
      ['batches', 'count', 'size on average'],
      cost.batches.map(({ service, batcher, count, sizeMean }) => [
        `${service} ${batcher}`,
        figure(count),
        figure(sizeMean),
      ]),
    ),
    '',
    table(
      ['bus messages', 'count', 'orders each'],
      cost.messages.map(({ topic, count, ordersEach }) => [
        topic,
        figure(count),
        figure(ordersEach),
      ]),
    ),
    '',
    table(
      ['store operations', 'count', 'orders each', 'ms each', 'ms in all'],
      cost.operations.map(({ service, operation, count, msMean }) => [
        `${service} ${operation}`,
        ...[count, orders / count, msMean, count * msMean].map(figure),
      ]),
    ),
  ].join('\n');
}

function describeTransactions(transactions: CostResult['transactions'], orders: number): string {
  return `\n${table(
    ['transactions by database', 'count', 'orders each'],
    transactions.map(({ database, count }) => [database, figure(count), figure(orders / count)]),
  )}\nThey include ${statisticsDelayMs / 1_000} s in which nothing came and only pollers ran: Postgres adds up late.`;
}
