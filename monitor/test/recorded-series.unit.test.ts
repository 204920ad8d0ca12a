import { expect, test } from 'vitest';
import { RecordedSeries } from '../src/alerting/recorded-series.ts';
import type { Matcher } from '../src/model.ts';
import { memorySeries } from '../src/testing/memory-series.ts';

const minuteMs = 60_000;
const rule = { record: 'a:b', expr: 'c', labels: { slo: 'x' } };
const named = (name: string): Matcher[] => [{ label: '__name__', operator: '=', value: name }];
const store = memorySeries([{ labels: { __name__: 'a:b', from: 'store' }, samples: [[0, 7]] }]);

test('what was recorded last is there at once; before that the store is asked', async () => {
  const recorded = new RecordedSeries();
  const source = recorded.over(store);
  const range = { fromMs: 0, toMs: 5 * minuteMs };
  expect((await source.labelSets(named('a:b'), range))[0]).toMatchObject({ from: 'store' });
  recorded.put(rule, [{ labels: { __name__: 'z', service: 's' }, value: 3 }], minuteMs);
  expect(await source.select(named('a:b'), range)).toEqual([
    {
      labels: { __name__: 'a:b', service: 's', slo: 'x' },
      atMs: Float64Array.of(minuteMs),
      values: Float64Array.of(3),
    },
  ]);
  const other: Matcher = { label: 'slo', operator: '!=', value: 'x' };
  expect(await source.select([...named('a:b'), other], range)).toEqual([]);
  expect(await source.select(named('a:b'), { fromMs: 2 * minuteMs, toMs: 6 * minuteMs })).toEqual(
    [],
  );
});

test('a longer range, and any other name, is the answer of the store', async () => {
  const recorded = new RecordedSeries();
  recorded.put(rule, [{ labels: {}, value: 3 }], minuteMs);
  const source = recorded.over(store);
  const long = { fromMs: 0, toMs: 6 * minuteMs };
  expect(await source.select(named('a:b'), long)).toMatchObject([{ labels: { from: 'store' } }]);
  expect(await source.select(named('c'), { fromMs: 0, toMs: 1 })).toEqual([]);
});

test('a series that is gone from the answer is gone, and ends where it is written down', async () => {
  const recorded = new RecordedSeries();
  const labels = { slo: 'x', service: 's' };
  const put = (atMs: number, services: string[]) =>
    recorded.put(
      rule,
      services.map((service) => ({ labels: { service }, value: 1 })),
      atMs,
    );
  put(minuteMs, ['s', 't']);
  expect(put(2 * minuteMs, ['t']).filter(({ stale }) => stale)).toEqual([
    { name: 'a:b', labels, atMs: 2 * minuteMs, value: Number.NaN, stale: true },
  ]);
  const range = { fromMs: 0, toMs: 2 * minuteMs };
  expect(await recorded.over(store).select(named('a:b'), range)).toMatchObject([
    { labels: { service: 't' } },
  ]);
  expect(put(3 * minuteMs, ['t'])).toHaveLength(1);
});
