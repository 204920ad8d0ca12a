import fc from 'fast-check';
import { expect, test } from 'vitest';
import { histogramQuantile } from '../src/promql/histogram-quantile.ts';
import { analyticsOf } from '../src/read/analytics.ts';
import { increaseBy, increaseOf, increasePerStep, watchedSince } from '../src/read/increases.ts';
import { medianOf, percentilesOf, plain, quantileOf, spreadOf } from '../src/read/numbers.ts';
import { performanceOf } from '../src/read/performance.ts';
import { series } from './made-series.ts';

const instance = { service: 'orders', instance: 'orders-1' };
const watched = [series({ __name__: 'process_start_time_seconds', ...instance }, [[0, 1]])];
const counting = (fromMs = 0) => ({ fromMs, watchedSinceMs: watchedSince(watched) });

test('a counter grows also when its process starts anew, and when its first value appears', () => {
  const one = series({ __name__: 'x', ...instance }, [
    [10, 2],
    [20, 5],
    [30, 1],
    [40, 1],
  ]);
  expect(increaseOf(one, counting())).toBe(2 + 3 + 1);
  const unwatched = { fromMs: 0, watchedSinceMs: new Map() };
  expect(increaseOf(one, unwatched)).toBe(3 + 1);
  expect(increaseOf(one, counting(25))).toBe(1);
});

test('where counters restart, the growth is what was counted, and steps add up to it', () => {
  const growth = fc.array(fc.record({ by: fc.nat(20), restarts: fc.boolean() }), { maxLength: 40 });
  fc.assert(
    fc.property(growth, fc.integer({ min: 1, max: 70 }), (pieces, stepMs) => {
      let [value, counted] = [0, 0];
      const points: [number, number][] = [[1, 0]];
      pieces.forEach(({ by, restarts }, at) => {
        // A restart that is caught up with between two scrapes cannot be seen.
        const fresh = restarts && by < value;
        value = fresh ? by : value + by;
        counted += by;
        points.push([(at + 1) * 10, value]);
      });
      const one = series({ __name__: 'x', item: 'soup', ...instance }, points);
      expect(increaseOf(one, counting())).toBe(counted);
      const count = Math.ceil(((pieces.length + 1) * 10) / stepMs);
      const steps = increasePerStep([one], counting(), { stepMs, count });
      expect(steps.reduce((sum, by) => sum + by, 0)).toBe(counted);
      expect(increaseBy([one, one], 'item', counting())).toEqual(new Map([['soup', 2 * counted]]));
    }),
  );
});

test('a percentile of buckets lies in the bucket that holds it, and grows with its share', () => {
  const counts = fc.array(fc.nat(50), { minLength: 5, maxLength: 5 });
  fc.assert(
    fc.property(counts, fc.double({ min: 0.01, max: 1, noNaN: true }), (each, share) => {
      let sum = 0;
      const bounds = [0.1, 0.5, 1, 2, Number.POSITIVE_INFINITY];
      const buckets = bounds.map((le, at) => {
        sum += each[at] ?? 0;
        return { upperBound: le, count: sum };
      });
      const found = histogramQuantile(share, buckets);
      if (sum === 0) return expect(found).toBeNaN();
      const holder = buckets.findIndex(({ count }) => count >= share * sum);
      const [low, high] = [bounds[holder - 1] ?? 0, bounds[holder] ?? 0];
      expect(found).toBeGreaterThanOrEqual(low);
      expect(found).toBeLessThanOrEqual(Number.isFinite(high) ? high : low);
      expect(histogramQuantile(share / 2, buckets)).toBeLessThanOrEqual(found);
    }),
  );
});

test('percentiles, medians and spreads', () => {
  fc.assert(
    fc.property(fc.array(fc.integer(), { minLength: 1 }), (values) => {
      const sorted = [...values].sort((a, b) => a - b);
      expect(quantileOf(sorted, 0)).toBe(sorted[0]);
      expect(quantileOf(sorted, 1)).toBe(sorted.at(-1));
      const { p50, p95, p99 } = percentilesOf(values) ?? { p50: 0, p95: 0, p99: 0 };
      expect(p50).toBe(medianOf(values));
      expect(p50 <= p95 && p95 <= p99).toBe(true);
      expect(spreadOf(values)).toBeGreaterThanOrEqual(0);
      expect(spreadOf(values.map(() => 7))).toBe(0);
    }),
  );
  expect(percentilesOf([])).toBeNull();
  expect(spreadOf([1, 2, 3, 4, 1_000_000])).toBeCloseTo(1.4826);
  expect([0.123456, 12.3, 1_234_567, 0].map(plain)).toEqual(['0.123', '12.3', '1,234,567', '0']);
});

test('a route is told with its count, percentiles, errors and slowest traces', () => {
  const labels = { ...instance, method: 'POST', route: '/api/v1/orders' };
  const named = (name: string, value: number, more = {}) =>
    series({ __name__: name, ...labels, ...more }, [
      [1, 0],
      [60_000, value],
    ]);
  const prefix = 'http_request_duration_seconds';
  const trace = { service: 'orders', method: 'POST', route: '/api/v1/orders', atMs: 5 };
  const [route, ...others] = performanceOf({
    series: [
      named(`${prefix}_bucket`, 90, { le: '0.1' }),
      named(`${prefix}_bucket`, 100, { le: '1' }),
      named(`${prefix}_bucket`, 100, { le: '+Inf' }),
      named(`${prefix}_count`, 100),
      named(`${prefix}_sum`, 5),
      named('http_requests_total', 97, { status: '201' }),
      named('http_requests_total', 3, { status: '503' }),
      series({ __name__: `${prefix}_count`, ...labels, route: '/never' }, [[1, 0]]),
    ],
    counting: counting(),
    windowS: 60,
    traces: [
      { ...trace, traceId: 'a', durationMs: 5 },
      { ...trace, traceId: 'b', durationMs: 900 },
      { ...trace, traceId: 'a', durationMs: 700 },
      { ...trace, traceId: 'c', durationMs: 999, route: '/other' },
    ],
  });
  expect(others).toEqual([]);
  expect(route).toMatchObject({ count: 100, errors: 3, averageMs: 50, rate: 100 / 60 });
  expect(route?.p50Ms).toBeCloseTo(55.56, 1);
  expect(route?.p99Ms).toBeCloseTo(910);
  expect(route?.slowest.map(({ traceId, durationMs }) => [traceId, durationMs])).toEqual([
    ['b', 900],
    ['a', 700],
  ]);
});

test('the shop’s figures come from its counters', () => {
  const hourMs = 3_600_000;
  const at = (name: string, points: [number, number][], labels = {}) =>
    series({ __name__: name, ...instance, ...labels }, [[1, 0], ...points]);
  const found = analyticsOf({
    series: [
      at('orders_accepted_total', [
        [60_000, 30],
        [120_000, 90],
        [5 * hourMs, 100],
      ]),
      at('orders_rejected_total', [[60_000, 6]], { reason: 'sold_out' }),
      at('orders_failed_total', [[60_000, 20]], { reason: 'unavailable' }),
      at('orders_failed_total', [[60_000, 5]], { reason: 'deadline' }),
      at('orders_processed_total', [[60_000, 80]], { status: 'paid' }),
      at('orders_processed_total', [[60_000, 15]], { status: 'rejected' }),
      at('orders_processed_total', [[60_000, 5]], { status: 'cancelled' }),
      at('orders_processed_total', [[60_000, 70]], { status: 'in_kitchen' }),
      at('portions_sold_total', [[60_000, 10]], { item: 'rice' }),
      at('portions_sold_total', [[60_000, 40]], { item: 'soup' }),
      at('portions_sold_total', [], { item: 'cake' }),
      at('payments_cents_total', [[60_000, 9_000]], { kind: 'captured' }),
      at('payments_cents_total', [[60_000, 500]], { kind: 'refunded' }),
    ],
    counting: counting(),
    toMs: 5 * hourMs,
    stepMs: 60_000,
    itemsMax: 10,
  });
  expect(found).toMatchObject({
    orders: { accepted: 100, refused: 6, failed: 25, paid: 80, rejected: 15, cancelled: 5 },
    successShare: 80 / 120,
    peakPerS: 1,
    bestSellers: [
      { item: 'soup', portions: 40 },
      { item: 'rice', portions: 10 },
    ],
    revenueCents: { captured: 9_000, refunded: 500, net: 8_500 },
  });
  expect(found.throughput.slice(0, 3)).toEqual([
    { atMs: 0, acceptedPerS: 0.5, refusedPerS: 0.1 },
    { atMs: 60_000, acceptedPerS: 1, refusedPerS: 0 },
    { atMs: 120_000, acceptedPerS: 0, refusedPerS: 0 },
  ]);
  expect(found.hourProfile).toHaveLength(24);
  expect([found.hourProfile[0], found.hourProfile[4]]).toEqual([90, 10]);
});
