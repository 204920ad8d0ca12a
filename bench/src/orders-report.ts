// What a person reads of the orders benchmark.

import type { SettledRun } from './counter.ts';
import type { OrdersResult, Rate } from './orders.ts';
import type { Peak } from './peak.ts';
import { median } from './percentile.ts';
import { describeVerdicts } from './promises.ts';
import type { Answers } from './rush-hours.ts';
import { figure, table } from './table.ts';

export function describeOrders(result: OrdersResult): string {
  const { overload, loadedMemoryMb, startUp } = result;
  const memory = [
    `${megabytes(startUp?.idleMemoryMb ?? null)} idle (npm start and all below it)`,
    `${megabytes(loadedMemoryMb)} after the load (with benchmark and load generator)`,
  ];
  return [
    '',
    rates(result),
    '',
    latencies(result),
    '',
    table(
      ['after the overload, at half the peak', 'accepted', 'others', 'p99 ms'],
      overload.recovery.windows.map(({ fromS, accepted, others, p99Ms }) => [
        `second ${fromS + 1}`,
        ...[accepted, others, p99Ms].map(figure),
      ]),
    ),
    '',
    `memory, shared pages counted once: ${memory.join(' · ')}`,
    '',
    describeVerdicts(result.promises),
  ].join('\n');
}

function rates({ emptyRoute, rowCommits, manyItems, hotItem }: OrdersResult): string {
  const ratios = (perS: number): string[] => [
    figure(perS / emptyRoute.perS),
    figure(perS / rowCommits.perS),
  ];
  const plain = (name: string, { perS, concurrency, runs }: Peak<Rate>): string[] => {
    return [name, figure(perS), `${concurrency}`, '', '', cpuOf(runs)];
  };
  const platform = (name: string, { perS, concurrency, runs }: Peak<SettledRun>): string[][] => {
    const paidPerS = median(runs.map((run) => run.paidPerS));
    const lag = `${figure(median(runs.map((run) => run.paidLagS)))} s`;
    return [
      [`(c) ${name}: settled`, figure(perS), `${concurrency}`, ...ratios(perS), cpuOf(runs)],
      [`    ${name}: paid`, figure(paidPerS), '', ...ratios(paidPerS), '', lag],
    ];
  };
  return table(
    [
      'median of the runs',
      'per second',
      'at once',
      '÷ (a)',
      '÷ (b)',
      'CPU µs each',
      'last paid after',
    ],
    [
      plain('(a) empty Fastify route', emptyRoute),
      plain('(b) one row a commit', rowCommits),
      ...platform('19 items', manyItems),
      ...platform('one hot item', hotItem),
    ],
  );
}

function cpuOf(runs: readonly { cpuUs: number | null }[]): string {
  const known = runs.map(({ cpuUs }) => cpuUs).filter((us) => us !== null);
  return known.length === 0 ? 'not available' : figure(median(known));
}

function latencies({ halfLoad, overload, soldOut }: OrdersResult): string {
  const rows = (name: string, ratePerS: number, answers: Answers): string[][] =>
    Object.entries(answers).map(([status, { count, p50, p95, p99, max }]) => [
      `${name}: ${status}`,
      ...[ratePerS, count, p50, p95, p99, max].map(figure),
    ]);
  return table(
    ['open loop, ms from when it was due', 'arrivals/s', 'count', 'p50', 'p95', 'p99', 'max'],
    [
      ...rows('half the peak', halfLoad.ratePerS, halfLoad.answers),
      ...rows('three times the peak', overload.ratePerS, overload.answers),
      ...rows('the same, sold out', soldOut.ratePerS, soldOut.answers),
    ],
  );
}

function megabytes(mb: number | null): string {
  return mb === null ? 'not available' : `${mb} MB`;
}
