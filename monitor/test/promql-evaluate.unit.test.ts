import { describe, expect, test } from 'vitest';
import { LimitError, type SeriesSource } from '../src/model.ts';
import { evaluateInstant, evaluateRange } from '../src/promql/evaluate.ts';
import { everyMs, type MemorySeries, memorySeries } from '../src/testing/memory-series.ts';

// The same rules are compared with the real Prometheus, on random expressions, by
// test/full/promql-reference.test.ts. Here each stands by itself, with numbers one can follow.

const minuteMs = 60_000;

function series(text: string, samples: MemorySeries['samples']): MemorySeries {
  const [, name = '', inside = ''] = /^(\w*)(?:\{(.*)\})?$/.exec(text) ?? [];
  const labels = Object.fromEntries(
    [...inside.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, value]) => [label, value]),
  );
  return { labels: { __name__: name, ...labels }, samples };
}

/** Each series holds one value, now. */
function now(values: Record<string, number>): SeriesSource {
  return memorySeries(Object.entries(values).map(([text, value]) => series(text, [[0, value]])));
}

async function asked(source: SeriesSource, query: string, atMs = 0): Promise<string[]> {
  const samples = await evaluateInstant(query, atMs, source);
  return samples.map(({ labels, value }) => {
    const { __name__: name = '', ...others } = labels;
    const pairs = Object.entries(others).map(([label, text]) => `${label}=${text}`);
    return `${name}{${pairs}} ${value}`;
  });
}

describe('a selector', () => {
  const source = memorySeries([series('a', everyMs(minuteMs, [1, 2]))]);

  test.each([
    [0, ['a{} 1']],
    [-1, []],
    [59_999, ['a{} 1']],
    [60_000, ['a{} 2']],
    [360_000, ['a{} 2']],
    [360_001, []],
  ])('at %i ms gives the last sample of five minutes', async (atMs, expected) => {
    expect(await asked(source, 'a', atMs)).toEqual(expected);
  });

  test('gives nothing where its series is known to have ended', async () => {
    const ended = memorySeries([series('a', everyMs(minuteMs, [1, 'ended', undefined, 4]))]);
    expect(await asked(ended, 'a', 59_999)).toEqual(['a{} 1']);
    expect(await asked(ended, 'a', 60_000)).toEqual([]);
    expect(await asked(ended, 'a', 170_000)).toEqual([]);
    expect(await asked(ended, 'a', 180_000)).toEqual(['a{} 4']);
    expect(await asked(ended, 'count_over_time(a[5m])', 180_000)).toEqual(['{} 2']);
  });

  test('with an offset gives what was then', async () => {
    expect(await asked(source, 'a offset 1m', 60_000)).toEqual(['a{} 1']);
    expect(await asked(source, 'a offset -1m', 0)).toEqual(['a{} 2']);
  });

  test('chooses by labels; one that is absent is empty', async () => {
    const some = now({ 'a{x="1"}': 1, 'a{x="2"}': 2, a: 3 });
    expect(await asked(some, 'a{x=~"1|2"}')).toEqual(['a{x=1} 1', 'a{x=2} 2']);
    expect(await asked(some, 'a{x=""}')).toEqual(['a{} 3']);
    expect(await asked(some, 'a{x!="1"}')).toEqual(['a{} 3', 'a{x=2} 2']);
    expect(await asked(some, '{__name__="a", x!~"1|"}')).toEqual(['a{x=2} 2']);
  });
});

test('a label may have any name, also one that every object answers to', async () => {
  const some = now({ 'a{constructor="x"}': 1, 'a{y="z"}': 2 });
  expect(await asked(some, 'a{constructor=~".+"}')).toEqual(['a{constructor=x} 1']);
  expect(await asked(some, 'a{toString="", constructor=""}')).toEqual(['a{y=z} 2']);
  expect(await asked(some, 'sum by (constructor, valueOf) (a)')).toEqual([
    '{constructor=x} 1',
    '{} 2',
  ]);
  const query = 'a * on () group_left (toString) a{y="z"}';
  expect(await asked(some, query)).toEqual(['{constructor=x} 2', '{y=z} 4']);
});

describe('rate', () => {
  const counter = memorySeries([series('c', everyMs(15_000, [0, 15, 30, 45, 60]))]);

  test('is the growth a second', async () => {
    expect(await asked(counter, 'rate(c[1m])', 60_000)).toEqual(['{} 1']);
    expect(await asked(counter, 'increase(c[1m])', 60_000)).toEqual(['{} 60']);
  });

  test('adds what was lost at a reset', async () => {
    const reset = memorySeries([series('c', everyMs(15_000, [100, 110, 5, 15, 20]))]);
    // 10, then 5 from zero, 10, 5.
    expect(await asked(reset, 'increase(c[1m])', 60_000)).toEqual(['{} 30']);
    expect(await asked(reset, 'irate(c[30s])', 30_000)).toEqual([`{} ${5 / 15}`]);
  });

  test('reaches an end that is near, and half a distance beyond otherwise', async () => {
    const late = memorySeries([series('c', everyMs(10_000, [100, 110, 120], 40_000))]);
    // From 40 to 60 of 0 to 60 s: 20 s were seen, 5 s before them are believed.
    expect(await asked(late, 'increase(c[1m])', 60_000)).toEqual(['{} 25']);
    expect(await asked(late, 'increase(c[1m])', 70_000)).toEqual(['{} 35']);
  });

  test('does not reach below zero', async () => {
    const young = memorySeries([series('c', everyMs(10_000, [2, 12, 22], 40_000))]);
    // It was zero 2 s before its first sample.
    expect(await asked(young, 'increase(c[28s])', 62_000)).toEqual([`{} ${20 * (24 / 20)}`]);
  });

  test('needs two samples; both ends of its range count', async () => {
    expect(await asked(counter, 'rate(c[14s])', 20_000)).toEqual([]);
    expect(await asked(counter, 'rate(c[15s])', 30_000)).toEqual(['{} 1']);
    expect(await asked(counter, 'irate(c[14s])', 20_000)).toEqual([]);
  });
});

describe('functions of a range', () => {
  const source = memorySeries([series('a{x="1"}', everyMs(minuteMs, [4, 1, Number.NaN, 3, 2]))]);
  const plain = memorySeries([series('a{x="1"}', everyMs(minuteMs, [4, 1, 3, 2]))]);

  test.each([
    ['sum_over_time(a[5m])', '{x=1} 10'],
    ['avg_over_time(a[5m])', '{x=1} 2.5'],
    ['min_over_time(a[5m])', '{x=1} 1'],
    ['max_over_time(a[5m])', '{x=1} 4'],
    ['count_over_time(a[5m])', '{x=1} 4'],
    ['last_over_time(a[5m])', 'a{x=1} 2'],
    ['present_over_time(a[5m])', '{x=1} 1'],
    ['stdvar_over_time(a[5m])', '{x=1} 1.25'],
    ['stddev_over_time(a[5m])', `{x=1} ${Math.sqrt(1.25)}`],
    ['quantile_over_time(0.5, a[5m])', '{x=1} 2.5'],
    ['quantile_over_time(2, a[5m])', '{x=1} Infinity'],
  ])('%s', async (query, expected) => {
    expect(await asked(plain, query, 180_000)).toEqual([expected]);
  });

  test('let NaN give way where they choose, and spread it where they calculate', async () => {
    expect(await asked(source, 'max_over_time(a[5m])', 240_000)).toEqual(['{x=1} 4']);
    expect(await asked(source, 'min_over_time(a[5m])', 240_000)).toEqual(['{x=1} 1']);
    expect(await asked(source, 'sum_over_time(a[5m])', 240_000)).toEqual(['{x=1} NaN']);
  });

  test('know what is absent, by the labels that are sure', async () => {
    const query = 'absent_over_time(b{x="1", y=~"2", z="3", z!="4"}[5m])';
    expect(await asked(source, query)).toEqual(['{x=1} 1']);
    expect(await asked(source, 'absent_over_time(a[5m])')).toEqual([]);
    expect(await asked(source, 'absent(b{x="1"})')).toEqual(['{x=1} 1']);
    expect(await asked(source, 'absent(sum(b{x="1"}))')).toEqual(['{} 1']);
    expect(await asked(source, 'absent(a)')).toEqual([]);
  });
});

describe('aggregations', () => {
  const source = now({ 'a{x="1",y="p"}': 1, 'a{x="1",y="q"}': 3, 'a{x="2",y="p"}': 8 });

  test.each([
    ['sum(a)', ['{} 12']],
    ['sum by (x) (a)', ['{x=1} 4', '{x=2} 8']],
    ['sum without (y) (a)', ['{x=1} 4', '{x=2} 8']],
    ['sum by (__name__) (a)', ['a{} 12']],
    ['avg(a)', ['{} 4']],
    ['min(a)', ['{} 1']],
    ['max by (y) (a)', ['{y=p} 8', '{y=q} 3']],
    ['count(a)', ['{} 3']],
    ['group by (x) (a)', ['{x=1} 1', '{x=2} 1']],
    ['quantile(0.5, a)', ['{} 3']],
    ['topk(2, a)', ['a{x=2,y=p} 8', 'a{x=1,y=q} 3']],
    ['topk by (x) (1, a)', ['a{x=1,y=q} 3', 'a{x=2,y=p} 8']],
    ['bottomk(1, a)', ['a{x=1,y=p} 1']],
    ['topk(0, a)', []],
    ['sum(b)', []],
  ])('%s', async (query, expected) => {
    expect(await asked(source, query)).toEqual(expected);
  });

  test('NaN is never the largest, nor the smallest', async () => {
    const some = now({ 'a{x="1"}': Number.NaN, 'a{x="2"}': 5 });
    expect(await asked(some, 'max(a)')).toEqual(['{} 5']);
    expect(await asked(some, 'min(a)')).toEqual(['{} 5']);
    expect(await asked(some, 'topk(1, a)')).toEqual(['a{x=2} 5']);
    expect(await asked(some, 'bottomk(1, a)')).toEqual(['a{x=2} 5']);
  });

  test('k has to be a number', async () => {
    await expect(asked(source, 'topk(NaN, a)')).rejects.toThrow(/overflows int64/);
  });
});

describe('operators', () => {
  const source = now({
    'a{x="1"}': 6,
    'a{x="2"}': 4,
    'b{x="1"}': 3,
    'c{x="1",y="p"}': 1,
    'c{x="1",y="q"}': 2,
    'info{x="1",version="v7"}': 1,
  });

  test.each([
    ['a + 1', ['{x=1} 7', '{x=2} 5']],
    ['10 - a', ['{x=1} 4', '{x=2} 6']],
    ['a % 4', ['{x=1} 2', '{x=2} 0']],
    ['2 ^ a', ['{x=1} 64', '{x=2} 16']],
    ['a / 0', ['{x=1} Infinity', '{x=2} Infinity']],
    ['-a', ['{x=1} -6', '{x=2} -4']],
    ['a > 5', ['a{x=1} 6']],
    ['5 < a', ['a{x=1} 6']],
    ['a > bool 5', ['{x=1} 1', '{x=2} 0']],
    ['a == NaN', []],
    ['a != NaN', ['a{x=1} 6', 'a{x=2} 4']],
    ['1 > bool 2', ['{} 0']],
    ['NaN ^ 0', ['{} 1']],
    ['1 ^ NaN', ['{} 1']],
    ['a - b', ['{x=1} 3']],
    ['a > b', ['a{x=1} 6']],
    ['a > on (x) b', ['{x=1} 6']],
    ['c * on (x) group_left b', ['{x=1,y=p} 3', '{x=1,y=q} 6']],
    ['b * on (x) group_right c', ['{x=1,y=p} 3', '{x=1,y=q} 6']],
    ['c * on (x) group_left (version) info', ['{version=v7,x=1,y=p} 1', '{version=v7,x=1,y=q} 2']],
    ['a and b', ['a{x=1} 6']],
    ['a unless b', ['a{x=2} 4']],
    ['b or a', ['b{x=1} 3', 'a{x=2} 4']],
    ['a and on () b', ['a{x=1} 6', 'a{x=2} 4']],
    ['a and ignoring (y) c', ['a{x=1} 6']],
    ['abs(-a)', ['{x=1} 6', '{x=2} 4']],
    ['clamp_max(a, 5)', ['{x=1} 5', '{x=2} 4']],
    ['clamp_min(a, 5)', ['{x=1} 6', '{x=2} 5']],
    ['scalar(b)', ['{} 3']],
    ['scalar(a)', ['{} NaN']],
    ['vector(1)', ['{} 1']],
    ['sum(b) or vector(0)', ['{} 3']],
    ['sum(nothing) or vector(0)', ['{} 0']],
  ])('%s', async (query, expected) => {
    expect(await asked(source, query)).toEqual(expected);
  });

  test('time is in seconds', async () => {
    expect(await asked(source, 'time()', 1_500)).toEqual(['{} 1.5']);
  });

  test.each([
    ['c + on (x) b', /many-to-one matching must be explicit/],
    ['b + on (x) c', /found duplicate series for the match group \{x="1"\} on the right/],
    ['c + on (x) group_left c', /many-to-many matching not allowed/],
    ['c * on (x) group_left (y) info', /grouping labels must ensure unique matches/],
    ['-{x="1", y=""}', /same labelset/],
    ['{x="1", y=""} + 1', /same labelset/],
    ['max_over_time({x="1", y=""}[5m])', /same labelset/],
  ])('%s fails on its data', async (query, why) => {
    await expect(asked(source, query)).rejects.toThrow(why);
  });
});

describe('histogram_quantile', () => {
  const buckets = { '0.1': 10, '0.5': 30, '1': 40, '+Inf': 40 };
  const histogram = (counts: Record<string, number>): SeriesSource =>
    now(Object.fromEntries(Object.entries(counts).map(([le, n]) => [`b{le="${le}",x="1"}`, n])));

  test.each([
    [0.25, '{x=1} 0.1'],
    [0.5, `{x=1} ${0.1 + 0.4 / 2}`],
    [0.125, '{x=1} 0.05'],
    [1, '{x=1} 1'],
    [-1, '{x=1} -Infinity'],
    [2, '{x=1} Infinity'],
  ])('%d', async (q, expected) => {
    expect(await asked(histogram(buckets), `histogram_quantile(${q}, b)`)).toEqual([expected]);
  });

  test('is the highest bound where more lies above it', async () => {
    const source = histogram({ ...buckets, '+Inf': 100 });
    expect(await asked(source, 'histogram_quantile(0.9, b)')).toEqual(['{x=1} 1']);
  });

  test.each([
    ['without +Inf', { '1': 5 }],
    ['with +Inf alone', { '+Inf': 5 }],
    ['without observations', { '1': 0, '+Inf': 0 }],
  ])('is NaN %s', async (_, counts) => {
    expect(await asked(histogram(counts), 'histogram_quantile(0.5, b)')).toEqual(['{x=1} NaN']);
  });

  test('takes a count that falls for one that stays', async () => {
    const source = histogram({ '1': 10, '2': 8, '+Inf': 20 });
    expect(await asked(source, 'histogram_quantile(0.5, b)')).toEqual(['{x=1} 1']);
  });

  test('leaves out what is no bucket', async () => {
    expect(await asked(now({ 'b{le="much"}': 1, b: 2 }), 'histogram_quantile(0.5, b)')).toEqual([]);
  });
});

describe('a range query', () => {
  const source = memorySeries([series('a', everyMs(minuteMs, [1, 2, undefined, 4]))]);

  test('has a point at each step that has a value', async () => {
    const steps = { fromMs: -60_000, toMs: 240_000, stepMs: minuteMs };
    const [found] = await evaluateRange('a * 2', steps, source);
    expect([...(found?.atMs ?? [])]).toEqual([0, 60_000, 120_000, 180_000, 240_000]);
    expect([...(found?.values ?? [])]).toEqual([2, 4, 4, 8, 8]);
  });

  test('refuses more than it can take, and says what helps', async () => {
    const long = { fromMs: 0, toMs: 11_001, stepMs: 1 };
    await expect(evaluateRange('a', long, source)).rejects.toThrow(LimitError);
    await expect(evaluateRange('a', long, source)).rejects.toThrow(/a step of at least 2 ms/);
    const steps = { fromMs: 0, toMs: 1_000, stepMs: 1 };
    const few = { limits: { pointsMax: 100 } };
    await expect(evaluateRange('a', steps, source, few)).rejects.toThrow(/more than 100 points/);
    const two = { limits: { samplesMax: 1 } };
    await expect(evaluateRange('a[1h]', steps, source)).rejects.toThrow(/takes a vector/);
    await expect(evaluateInstant('a', minuteMs, source, two)).rejects.toThrow(
      /more than 1 samples/,
    );
    const none = { limits: { seriesMax: 0 } };
    await expect(evaluateInstant('a', 0, source, none)).rejects.toThrow(/0 series/);
  });

  test('ends when its signal says so, before and between its steps', async () => {
    const aborted = AbortSignal.abort();
    await expect(evaluateInstant('a', 0, source, { signal: aborted })).rejects.toThrow(/abort/i);
    const given = new AbortController();
    const steps = { fromMs: 0, toMs: 11_000, stepMs: 1 };
    const ended = evaluateRange('a', steps, source, { signal: given.signal });
    setImmediate(() => given.abort());
    await expect(ended).rejects.toThrow(/abort/i);
  });
});
