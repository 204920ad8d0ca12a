import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planCrowd } from '../src/rush/crowd-plan.ts';

const options = { meals: 1_000, arrivals: 5_000, seconds: 60, items: 3, seed: 1, faultsAtS: [] };

test('the same seed gives the same crowd, another seed another one', () => {
  expect(planCrowd(options)).toEqual(planCrowd({ ...options }));
  expect(planCrowd({ ...options, seed: 2 }).arrivals).not.toEqual(planCrowd(options).arrivals);
});

test('a crowd has all manners, and nobody cancels late', () => {
  const { arrivals } = planCrowd(options);
  const manners = new Set(arrivals.map(({ manner }) => manner));
  expect(manners.size).toBe(6);
  const late = arrivals.filter(({ manner, atMs }) => manner === 'cancels' && atMs > 30_000);
  expect(late).toEqual([]);
  expect(new Set(arrivals.map(({ key }) => key)).size).toBe(5_000);
});

test('all meals are planned, at the start or in trays before the faults', () => {
  const anyOptions = fc.record({
    meals: fc.integer({ min: 1, max: 2_000 }),
    arrivals: fc.integer({ min: 1, max: 50 }),
    seconds: fc.integer({ min: 1, max: 100 }),
    items: fc.integer({ min: 1, max: 10 }),
    seed: fc.nat(),
    faultsAtS: fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 6 }),
  });
  fc.assert(
    fc.property(anyOptions, (given) => {
      const { initial, trays } = planCrowd(given);
      const sum = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0);
      expect(sum(initial) + sum(trays.map(({ quantity }) => quantity))).toBe(given.meals);
      expect(initial).toHaveLength(given.items);
      if (given.faultsAtS.length === 0) expect(trays).toEqual([]);
    }),
  );
});
