import { expect, test } from 'vitest';
import { counts } from '../src/cost.ts';
import { scheduleOf } from '../src/load/runner.ts';
import { growth, parseMetrics } from '../src/metrics-text.ts';
import { findPeak } from '../src/peak.ts';
import { median, percentile } from '../src/percentile.ts';
import { summarise } from '../src/profile.ts';
import { type Figures, judge } from '../src/promises.ts';
import { overloadSteps, readOverload } from '../src/rush-hours.ts';
import { figure, table } from '../src/table.ts';

test('percentiles are values that occurred', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => index + 1);
  expect([0, 0.5, 0.99, 1].map((share) => percentile(hundred, share))).toEqual([1, 50, 99, 100]);
  expect(percentile([7], 0.99)).toBe(7);
  expect(percentile([], 0.5)).toBeNaN();
  expect(median([3, 1, 2])).toBe(2);
});

test('a table has its names to the left and its figures to the right', () => {
  expect(table(['name', 'count'], [['a', '1'], ['long name']])).toBe(
    ['name       count', '---------  -----', 'a              1', 'long name'].join('\n'),
  );
});

test.each([
  [1_234.5, '1,235'],
  [12.34, '12.3'],
  [0.051, '0.05'],
  [Number.NaN, '–'],
])('%d is written as %s', (value, text) => {
  expect(figure(value)).toBe(text);
});

const exposition = (operations: number): string =>
  [
    '# HELP db_operation_duration_seconds A store operation.',
    `db_operation_duration_seconds_sum{operation="accept",service="orders"} ${operations / 100}`,
    `db_operation_duration_seconds_count{operation="accept",service="orders"} ${operations}`,
    `bus_messages_published_total{topic="order.paid"} ${operations}`,
    `batch_size_sum{batcher="place \\"x\\""} ${operations * 30}`,
    `batch_size_count{batcher="place \\"x\\""} ${operations}`,
  ].join('\n');

test('metrics are read, and what grew between two scrapes is counted', () => {
  const [before, after] = [parseMetrics(exposition(10)), parseMetrics(exposition(30))];
  expect(growth(after, after)).toEqual([]);
  expect(counts(new Map([['orders', before]]), new Map([['orders', after]]), 600)).toEqual({
    operations: [{ service: 'orders', operation: 'accept', count: 20, msMean: expect.closeTo(10) }],
    messages: [{ topic: 'order.paid', count: 20, ordersEach: 30 }],
    batches: [{ service: 'orders', batcher: 'place \\"x\\"', count: 20, sizeMean: 30 }],
  });
});

test('the peak is searched until rates fall, and is the median of its runs', async () => {
  const asked: number[] = [];
  const rates = new Map([
    [1, [10]],
    [2, [30, 20, 40, 25]],
    [4, [12]],
  ]);
  const peak = await findPeak([1, 2, 4, 8], { searchMs: 1, runMs: 5, runs: 3 }, async (at) => {
    asked.push(at);
    return { perS: rates.get(at)?.shift() ?? 0 };
  });
  expect(asked).toEqual([1, 2, 4, 2, 2, 2]);
  expect(peak).toEqual({ concurrency: 2, perS: 25, runs: [20, 40, 25].map((perS) => ({ perS })) });
});

test('steps follow each other, and windows are told apart', () => {
  const due = scheduleOf([
    { name: 'slow', ratePerS: 2, durationMs: 1_000 },
    { name: 'fast', ratePerS: 4, durationMs: 1_000, windowMs: 500 },
  ]);
  expect(due.map(({ atMs }) => atMs)).toEqual([0, 500, 1_000, 1_250, 1_500, 1_750]);
  expect(due.map(({ group }) => group)).toEqual([
    ...['slow', 'slow'],
    ...['fast 0', 'fast 0', 'fast 1', 'fast 1'],
  ]);
});

const latency = (count: number, p99: number) => ({ count, p50: 1, p95: 1, p99, max: p99 });

test('goodput counts what came in time; recovery ends with the first quick second', () => {
  const times = { normalMs: 1_000, overloadMs: 2_000, recoveryMs: 3_000 };
  expect(overloadSteps(100, times).map(({ ratePerS }) => ratePerS)).toEqual([50, 300, 50]);
  const outcome = {
    tookMs: 6_000,
    inTime: { 'overload 201': 180 },
    latencyMs: {
      'normal 201': latency(50, 40),
      'overload 201': latency(200, 900),
      'overload 503': latency(400, 20),
      'recovery 0 201': latency(50, 700),
      'recovery 1 201': latency(49, 30),
      'recovery 1 503': latency(1, 5),
      'recovery 2 201': latency(50, 79),
    },
  };
  const overload = readOverload(outcome, 100, times);
  expect(overload).toMatchObject({ goodputPerS: 90, goodputToPeak: 0.9, ratePerS: 300 });
  expect(Object.keys(overload.answers)).toEqual(['201', '503']);
  expect(overload.recovery.seconds).toBe(2);
  expect(overload.recovery.windows).toHaveLength(3);
});

test('a promise is met, not met, or was not measured', () => {
  const figures: Figures = {
    manyToEmpty: 0.5,
    hotToEmpty: 0.49,
    manyToCommits: 2,
    hotToCommits: 1,
    halfLoadP99Ms: 50,
    soldOutP99Ms: 51,
    goodputToPeak: 0.8,
    recoveryS: null,
    firstOrderS: null,
    idleMemoryMb: 700,
  };
  expect(judge(figures).map(({ met }) => met)).toEqual([
    ...[true, false, true, false, true, false, true],
    ...[false, null, true],
  ]);
});

test('a profile is summed by place and function, without idle time and what lies outside', () => {
  const frame = (functionName: string, url: string) => ({ functionName, url, lineNumber: 9 });
  const profile = {
    startTime: 1_000,
    nodes: [
      { id: 1, callFrame: frame('(idle)', '') },
      { id: 2, callFrame: frame('accept', 'file:///x/node_modules/pg/lib/client.js') },
      { id: 3, callFrame: frame('early', 'node:internal/modules/esm') },
    ],
    samples: [3, 1, 2, 2],
    timeDeltas: [100, 5_000, 2_000, 1_000],
  };
  const text = summarise(profile, { fromUs: 2_000, toUs: 50_000 });
  expect(text).toMatch(/^pg +3\.00 +100 %$/m);
  expect(text).toMatch(/^accept pg\/lib\/client\.js:10 +3\.00 +100 %$/m);
  expect(text).not.toMatch(/idle|early/);
});
