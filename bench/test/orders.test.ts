// One tiny run of everything, on a real platform. Its figures say nothing; their shape does.

import { expect, test } from 'vitest';
import { measureOrders, type OrdersPlan } from '../src/orders.ts';
import { describeOrders } from '../src/orders-report.ts';

const tiny: OrdersPlan = {
  startUp: false,
  students: 20,
  warmUpMs: 200,
  concurrencies: [4, 8],
  times: { searchMs: 200, runMs: 1_000, runs: 1 },
  halfLoadMs: 500,
  overload: { normalMs: 500, overloadMs: 500, recoveryMs: 2_000 },
  soldOutMs: 300,
  connections: 20,
  overloadConnections: 40,
};

test('a tiny run measures everything, and every order is settled', async () => {
  const said: string[] = [];
  const result = await measureOrders(tiny, (line) => said.push(line));

  for (const peak of [result.emptyRoute, result.rowCommits, result.manyItems, result.hotItem]) {
    expect(peak.perS).toBeGreaterThan(0);
  }
  expect(result.emptyRoute.runs, 'before and after the platform').toHaveLength(2);
  for (const { runs } of [result.manyItems, result.hotItem]) {
    expect(runs).toHaveLength(1);
    expect(runs[0]?.answers['201']?.count).toBeGreaterThan(0);
    expect(runs[0]?.paidPerS).toBeGreaterThan(0);
  }
  for (const { answers } of [result.halfLoad, result.overload, result.soldOut]) {
    expect(Object.keys(answers)).not.toEqual([]);
  }
  expect(result.overload.recovery.windows).toHaveLength(2);
  expect(result.startUp).toBeNull();
  expect(result.promises.filter(({ met }) => met === null).map(({ what }) => what)).toEqual([
    'npm start → first settled order',
    'memory of everything, idle',
  ]);
  expect(JSON.parse(JSON.stringify(result))).toMatchObject({ promises: expect.any(Array) });

  expect(describeOrders(result)).toContain('÷ (a)');
  expect(said.length).toBeGreaterThan(4);
}, 240_000);
