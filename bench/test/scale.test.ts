// One tiny run of every step, on real platforms. Its figures say nothing; their shape does.

import { expect, test } from 'vitest';
import { describeScale } from '../src/scale/report.ts';
import { measureScale, type ScalePlan } from '../src/scale/scale.ts';

const tiny: ScalePlan = {
  sizes: [
    { name: 'one of each', scale: {} },
    { name: 'two gateways, two orders', scale: { replicas: { gateway: 2, orders: 2 } } },
  ],
  onEngines: undefined,
  students: 20,
  warmUpMs: 200,
  restMs: 100,
  fitConcurrencies: [4, 16],
  fitMs: 500,
  rounds: 1,
  runs: 1,
  runMs: 1_000,
  prediction: { warmUpS: 0.1, measureS: 0.2 },
  projection: { warmUpS: 0.05, measureS: 0.05 },
};

test('a tiny run measures two sizes in turn, all is paid, and the model says something', async () => {
  const said: string[] = [];
  const result = await measureScale(tiny, (line) => said.push(line));

  expect(result.fits).toHaveLength(2);
  expect([4, 16]).toContain(result.concurrency);
  expect(result.sizes.map(({ name }) => name)).toEqual(['one of each', 'two gateways, two orders']);
  const [one, two] = result.sizes;
  expect(one?.ratio).toBe(1);
  expect(two?.processes).toBe((one?.processes ?? 0) + 2);
  for (const { runs, predicted } of result.sizes) {
    expect(runs).toHaveLength(1);
    expect(runs[0]?.perS).toBeGreaterThan(0);
    expect(runs[0]?.paidPerS).toBeGreaterThan(0);
    expect(Object.keys(runs[0]?.batches ?? {})).toEqual(
      expect.arrayContaining(['gateway place_orders', 'orders place', 'inventory reserve']),
    );
    expect(runs[0]?.operations).toMatchObject({ orders: expect.any(Number) });
    expect(predicted).toMatchObject({ perS: expect.any(Number) });
  }
  expect(result.bar?.what).toBe('two gateways, two orders ÷ one of each is at least 1.0');
  expect(JSON.parse(JSON.stringify(result))).toMatchObject({ sizes: expect.any(Array) });

  const text = describeScale(result);
  expect(text).toContain('the model says');
  expect(said.length).toBeGreaterThan(3);
}, 240_000);
