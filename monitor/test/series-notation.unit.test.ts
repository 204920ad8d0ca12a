import { expect, test } from 'vitest';
import { readSeries } from './series-notation.ts';

test('values are written as promtool has them', () => {
  const { labels, samples } = readSeries(
    'a_total{x="1",y="a\\"b"}',
    '1 0+10x2 _x2 -1-2x1 NaN',
    '10s',
  );
  expect(labels).toEqual({ __name__: 'a_total', x: '1', y: 'a"b' });
  expect(samples).toEqual([
    [0, 1],
    [10_000, 0],
    [20_000, 10],
    [30_000, 20],
    [60_000, -1],
    [70_000, -3],
    [80_000, Number.NaN],
  ]);
});

test.each(['1x', '0x12', '', 'a'])('"%s" is no value', (values) => {
  expect(() => readSeries('a', values, '1m')).toThrow('is no value of a series');
});

test.each(['{a="1"}', 'a{b}', 'a{b="1"c="2"}'])('%s is no series', (name) => {
  expect(() => readSeries(name, '1', '1m')).toThrow(/is no (series|label)/);
});
