// What a person reads of the scale benchmark.

import { median } from '../percentile.ts';
import { type Cost, costAt, storeNames } from '../scale-model/costs.ts';
import { figure, table } from '../table.ts';
import { describeProjections } from './projection.ts';
import type { ScaleRun } from './run.ts';
import type { ScaleResult, SizeResult } from './scale.ts';
import { lockWaits } from './waits.ts';

/** A machine that is used so far has nothing left to give, nor has one process. */
const fullMachineShare = 0.9;
const fullProcessShare = 0.9;
/** So many sessions, on average, that wait for a lock are a queue. */
const lockQueue = 1;

export function describeScale(result: ScaleResult): string {
  const { cores, concurrency, commits, notRun, bar } = result;
  return [
    '',
    `${cores} cores, ${concurrency} orders at once, medians of ${result.sizes[0]?.runs.length} rounds`,
    '',
    rates(result),
    '',
    processorTime(result),
    '',
    batches(result),
    '',
    predictions(result),
    '',
    describeProjections(result.projections),
    '',
    costs(result),
    '',
    `a commit of one row: ${figure(commits.oneMs)} ms; over 16 connections ${figure(commits.perS)}/s`,
    ...notRun.map(({ name, why }) => `not run: ${name}: ${why}`),
    ...(bar === null
      ? []
      : ['', `promised: ${bar.what}: ${figure(bar.ratio)}, ${bar.met ? 'met' : 'NOT MET'}`]),
  ].join('\n');
}

function rates({ sizes }: ScaleResult): string {
  return table(
    [
      ...['a shop of', 'processes', 'settled/s', 'ratio', 'rounds', 'paid/s'],
      ...['cores used', 'busiest process', 'cores at rest', 'full first', 'other answers'],
    ],
    sizes.map((size) => [
      size.name,
      String(size.processes),
      figure(middle(size, ({ perS }) => perS)),
      figure(size.ratio),
      `${figure(Math.min(...size.ratios))} to ${figure(Math.max(...size.ratios))}`,
      figure(middle(size, ({ paidPerS }) => paidPerS)),
      percent(middle(size, ({ machineShare }) => machineShare ?? Number.NaN)),
      busiestOf(size),
      figure(size.restCores ?? Number.NaN),
      fullFirst(size),
      String(size.runs.reduce((sum, { others }) => sum + others, 0)),
    ]),
  );
}

function busiestOf({ runs }: SizeResult): string {
  const all = runs.flatMap(({ busiest }) => busiest ?? []);
  const middleOne = [...all].sort((a, b) => a.coreShare - b.coreShare)[all.length >> 1];
  return middleOne === undefined
    ? 'not available'
    : `${middleOne.process} ${percent(middleOne.coreShare)}`;
}

/** What has nothing left while there is still something to do. */
export function fullFirst(size: Pick<SizeResult, 'runs'>): string {
  const { runs } = size;
  const shareOf = (of: (run: ScaleRun) => number | null | undefined): number =>
    median(runs.map((run) => of(run) ?? Number.NaN));
  const machine = shareOf(({ machineShare }) => machineShare);
  if (Number.isNaN(machine)) return 'not available';
  if (machine >= fullMachineShare) return 'the machine';
  const busiest = shareOf((run) => run.busiest?.coreShare);
  if (busiest >= fullProcessShare) return runs[0]?.busiest?.process ?? 'one process';
  if (shareOf(({ waits }) => lockWaits(waits)) >= lockQueue) return 'locks in Postgres';
  return 'nothing';
}

function processorTime({ sizes }: ScaleResult): string {
  const names = new Map<string, number>();
  for (const { cpuUs } of sizes.flatMap(({ runs }) => runs)) {
    for (const [name, us] of Object.entries(cpuUs)) names.set(name, (names.get(name) ?? 0) + us);
  }
  const inOrder = [...names].sort(([, a], [, b]) => b - a).map(([name]) => name);
  const usOf = (size: SizeResult, name: string): number =>
    middle(size, ({ cpuUs }) => cpuUs[name] ?? 0);
  const sumOf = (size: SizeResult): number =>
    middle(size, ({ cpuUs }) => Object.values(cpuUs).reduce((sum, us) => sum + us, 0));
  const rows = inOrder
    .filter((name) => sizes.some((size) => usOf(size, name) >= 0.5))
    .map((name) => [name, ...sizes.map((size) => figure(usOf(size, name)))]);
  return table(
    ['CPU µs per order', ...sizes.map(({ name }) => name)],
    [...rows, ['sum', ...sizes.map((size) => figure(sumOf(size)))]],
  );
}

function batches({ sizes }: ScaleResult): string {
  const batch = (name: string, label: string): string[] => [
    label,
    ...sizes.map((size) =>
      figure(middle(size, (run) => run.batches[name]?.sizeMean ?? Number.NaN)),
    ),
  ];
  const perOrder = (of: (run: ScaleRun) => number): string[] =>
    sizes.map((size) => figure(middle(size, (run) => of(run) / run.orders)));
  const operations = ({ operations }: ScaleRun): number =>
    Object.values(operations).reduce((sum, count) => sum + count, 0);
  const waits = (kind: string): string[] => [
    `sessions of Postgres: ${kind}`,
    ...sizes.map((size) =>
      figure(
        middle(size, (run) =>
          Object.entries(run.waits)
            .filter(([name]) => name.endsWith(` ${kind}`))
            .reduce((sum, [, sessions]) => sum + sessions, 0),
        ),
      ),
    ),
  ];
  return table(
    ['on average', ...sizes.map(({ name }) => name)],
    [
      batch('gateway place_orders', 'orders in a batch of the gateway'),
      batch('orders place', 'orders in a batch of orders'),
      batch('inventory reserve', 'orders in a batch of inventory'),
      ['store transactions per order', ...perOrder(operations)],
      ['bus messages per order', ...perOrder(({ messages }) => messages)],
      ...['running', 'Client', 'Lock', 'LWLock', 'IO'].map(waits),
    ],
  );
}

function predictions({ sizes }: ScaleResult): string {
  return table(
    [
      ...['the model says', 'settled/s', 'measured', 'off by', 'ratio', 'measured', 'off by'],
      ...['cores used', 'busiest process', 'orders in a batch'],
    ],
    sizes.flatMap((size) => {
      const { name, predicted, ratio } = size;
      const first = sizes[0]?.predicted;
      if (predicted === null || !first) return [];
      const perS = middle(size, (run) => run.perS);
      const predictedRatio = predicted.perS / first.perS;
      return [
        [
          name,
          ...[predicted.perS, perS].map(figure),
          signed(predicted.perS / perS - 1),
          ...[predictedRatio, ratio].map(figure),
          signed(predictedRatio / ratio - 1),
          percent(predicted.coreShare),
          `${predicted.busiest.process} ${percent(predicted.busiest.coreShare)}`,
          figure(predicted.batchSizeMean),
        ],
      ];
    }),
  );
}

function costs({ costs, fits }: ScaleResult): string {
  const row = (name: string, cost: Cost): string[] => [
    name,
    figure(cost.orderUs),
    figure(cost.batchUs),
    ...[10, 100, 500].map((size) => figure(costAt(cost, size))),
  ];
  return [
    table(
      ['costs, fitted, µs', 'an order', 'a batch', 'an order in 10', 'in 100', 'in 500'],
      [
        row('gateway', costs.gateway),
        ...storeNames.map((name) => row(name, costs.services[name])),
        ...storeNames.map((name) => row(`postgres ${name}`, costs.databases[name])),
        row('postgres bus', costs.bus),
        row('load generator', costs.client),
        row('everything else', costs.others),
      ],
    ),
    `fitted to one of each with ${fits.map(({ concurrency }) => concurrency).join(', ')} orders at once: ` +
      `${fits.map(({ perS }) => figure(perS)).join(', ')} settled/s`,
  ].join('\n');
}

function middle({ runs }: Pick<SizeResult, 'runs'>, of: (run: ScaleRun) => number): number {
  return median(runs.map(of));
}

function percent(share: number): string {
  return Number.isFinite(share) ? `${Math.round(share * 100)} %` : '–';
}

function signed(share: number): string {
  return `${share >= 0 ? '+' : ''}${Math.round(share * 100)} %`;
}
