import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SeriesSource } from '../src/model.ts';
import { evaluateInstant, evaluateRange } from '../src/promql/evaluate.ts';
import { histogramQuantile } from '../src/promql/histogram-quantile.ts';
import { memorySeries } from '../src/testing/memory-series.ts';

const stepMs = 15_000;
const forMs = 40 * stepMs;

/** A counter's growth from sample to sample; a fall to zero now and then; some samples missing. */
const anyCounter = fc
  .array(fc.record({ grows: fc.nat({ max: 50 }), resets: fc.boolean(), isThere: fc.boolean() }), {
    maxLength: 40,
  })
  .map((steps) => {
    let value = 0;
    return steps.flatMap(({ grows, resets, isThere }, index): [number, number][] => {
      value = resets && grows % 7 === 0 ? 0 : value + grows;
      return isThere ? [[index * stepMs, value]] : [];
    });
  });

const anySource = fc.array(anyCounter, { minLength: 1, maxLength: 6 }).map(
  (all): SeriesSource =>
    memorySeries(
      all.map((samples, index) => ({
        labels: { __name__: 'c', x: `${index % 2}`, y: `${index}` },
        samples,
      })),
    ),
);

const anyInstant = fc
  .integer({ min: -1, max: forMs / 1_000 + 400 })
  .map((seconds) => seconds * 1_000);
const anyRange = fc.constantFrom('15s', '1m', '90s', '5m');

async function value(source: SeriesSource, query: string, atMs: number): Promise<unknown> {
  const samples = await evaluateInstant(query, atMs, source);
  return samples.map(({ labels, value: found }) => [labels, found]);
}

describe('whatever the samples', { timeout: 60_000 }, () => {
  test.each(['c', 'c offset 1m', 'max_over_time(c[1m])', 'absent_over_time(c{x="0"}[1m])'])(
    'a range query from long before to long after them is the instant query at each step: %s',
    async (query) => {
      const steps = { fromMs: -forMs, toMs: 3 * forMs, stepMs: 20_000 };
      await fc.assert(
        fc.asyncProperty(anySource, async (source) => {
          const found = new Map<string, number>();
          for (const { labels, atMs, values } of await evaluateRange(query, steps, source)) {
            atMs.forEach((at, k) => {
              found.set(JSON.stringify([at, labels]), values[k] ?? Number.NaN);
            });
          }
          const expected = new Map<string, number>();
          for (let atMs = steps.fromMs; atMs <= steps.toMs; atMs += steps.stepMs) {
            for (const { labels, value: at } of await evaluateInstant(query, atMs, source)) {
              expected.set(JSON.stringify([atMs, labels]), at);
            }
          }
          expect(new Map([...found].sort())).toEqual(new Map([...expected].sort()));
        }),
        { numRuns: 15 },
      );
    },
  );

  test('the rate of a counter is never negative, and neither is its increase', async () => {
    await fc.assert(
      fc.asyncProperty(anySource, anyRange, anyInstant, async (source, range, atMs) => {
        for (const name of ['rate', 'increase', 'irate']) {
          for (const { value: found } of await evaluateInstant(
            `${name}(c[${range}])`,
            atMs,
            source,
          )) {
            expect(found).toBeGreaterThanOrEqual(0);
          }
        }
      }),
    );
  });

  test('the increase is what was counted, give or take what lies at the ends', async () => {
    await fc.assert(
      fc.asyncProperty(anyCounter, async (samples) => {
        const source = memorySeries([{ labels: { __name__: 'c' }, samples }]);
        const [found] = await evaluateInstant(`increase(c[${forMs}ms])`, forMs, source);
        if (samples.length < 2) {
          expect(found).toBeUndefined();
          return;
        }
        let counted = 0;
        for (const [index, [, now]] of samples.entries()) {
          const before = samples[index - 1]?.[1];
          if (before !== undefined) counted += now < before ? now : now - before;
        }
        expect(found?.value).toBeGreaterThanOrEqual(counted);
        // Beyond each end it goes on for 1.1 mean distances between samples at most.
        const most = counted * (1 + 2.2 / (samples.length - 1));
        expect(found?.value).toBeLessThanOrEqual(most + 1e-9);
      }),
    );
  });

  test('sum by () is sum, and sums of parts are the sum of all', async () => {
    await fc.assert(
      fc.asyncProperty(anySource, anyInstant, async (source, atMs) => {
        const all = await value(source, 'sum(c)', atMs);
        expect(await value(source, 'sum by () (c)', atMs)).toEqual(all);
        expect(await value(source, 'sum(sum by (x) (c))', atMs)).toEqual(all);
        expect(await value(source, 'sum without (x, y) (c)', atMs)).toEqual(all);
        expect(await value(source, 'avg(c) * count(c)', atMs)).toEqual(
          (all as [object, number][]).map(([labels, sum]) => [labels, expect.closeTo(sum, 6)]),
        );
      }),
    );
  });

  test('and, unless split a vector; or puts it together', async () => {
    await fc.assert(
      fc.asyncProperty(anySource, anyInstant, async (source, atMs) => {
        const whole = await value(source, 'sum(c)', atMs);
        const parts = '(c and (c > 20)) or (c unless (c > 20))';
        expect(await value(source, `sum(${parts})`, atMs)).toEqual(whole);
        expect(await value(source, 'c and (c unless c)', atMs)).toEqual([]);
      }),
    );
  });

  test('a range query is the instant query at each step', async () => {
    const queries = [
      'c',
      'rate(c[1m])',
      'sum by (x) (increase(c[90s]))',
      'topk(1, c)',
      'c > 10 or absent(c)',
      'c / on (x, y) (c offset 1m)',
      'max_over_time(c[2m]) - min_over_time(c[2m])',
    ];
    const anyStep = fc.constantFrom(1_000, 7_000, 15_000, 60_000);
    await fc.assert(
      fc.asyncProperty(
        anySource,
        fc.constantFrom(...queries),
        anyInstant,
        anyStep,
        async (source, query, fromMs, everyMs) => {
          const steps = { fromMs, toMs: fromMs + 9 * everyMs + 1, stepMs: everyMs };
          const found = await evaluateRange(query, steps, source);
          const points = found.flatMap(({ labels, atMs, values }) =>
            Array.from(atMs, (at, index) => [at, labels, values[index]]),
          );
          const expected: unknown[] = [];
          for (let atMs = fromMs; atMs <= steps.toMs; atMs += everyMs) {
            const samples = await evaluateInstant(query, atMs, source);
            expected.push(...samples.map((sample) => [atMs, sample.labels, sample.value]));
          }
          const order = (all: unknown[]): string[] => all.map((one) => JSON.stringify(one)).sort();
          expect(order(points)).toEqual(order(expected));
        },
      ),
      { numRuns: 60 },
    );
  });

  test('a quantile of a histogram lies within its bounds, and grows with q', () => {
    const anyBuckets = fc
      .array(fc.nat({ max: 100 }), { minLength: 2, maxLength: 8 })
      .map((counts) => {
        let sum = 0;
        return counts.map((count, index) => {
          sum += count;
          const upperBound = index === counts.length - 1 ? Infinity : (index + 1) / 4;
          return { upperBound, count: sum };
        });
      });
    // Of q = 0 in an empty first bucket nothing is said: 0 / 0, as there.
    const anyQ = fc.double({ min: 0, minExcluded: true, max: 1, noNaN: true });
    fc.assert(
      fc.property(anyBuckets, anyQ, anyQ, (buckets, one, other) => {
        const [low, high] = [Math.min(one, other), Math.max(one, other)].map((q) =>
          histogramQuantile(q, buckets),
        );
        if (buckets.at(-1)?.count === 0) {
          expect(low).toBeNaN();
          return;
        }
        expect(low).toBeGreaterThanOrEqual(0);
        expect(high).toBeLessThanOrEqual((buckets.length - 1) / 4);
        expect(high).toBeGreaterThanOrEqual((low ?? 0) - 1e-9);
      }),
    );
  });

  test('q = 0 of a histogram whose first bucket is empty is not a number', () => {
    const buckets = [
      { upperBound: 1, count: 0 },
      { upperBound: Infinity, count: 3 },
    ];
    expect(histogramQuantile(0, buckets)).toBeNaN();
  });
});
