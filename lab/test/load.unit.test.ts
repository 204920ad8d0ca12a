import { expect, test } from 'vitest';
import { arrivalSchedule, createLoadClient, LatencyHistogram, type Shape } from '../src/index.ts';
import { serialize } from '../src/load/load-client.ts';

test.each<Shape>(['uniform', 'poisson', 'rush'])('a %s schedule comes from its seed', (shape) => {
  const options = { arrivals: 5_000, durationMs: 60_000, shape, seed: 7 };
  const schedule = arrivalSchedule(options);
  expect(schedule).toEqual(arrivalSchedule(options));
  expect(schedule).toHaveLength(5_000);
  expect(schedule).toEqual(schedule.toSorted((a, b) => a - b));
  expect(schedule.every((at) => at >= 0 && at < 60_000)).toBe(true);
  const other = arrivalSchedule({ ...options, seed: 8 });
  if (shape !== 'uniform') expect(other).not.toEqual(schedule);
});

test('a rush rises to its peak in the first sixth, and falls after it', () => {
  const options = { arrivals: 60_000, durationMs: 60_000, shape: 'rush', seed: 1 } as const;
  const schedule = arrivalSchedule(options);
  const at = (second: number): number =>
    schedule.filter((ms) => ms >= second * 1_000 && ms < (second + 1) * 1_000).length;
  expect(at(0)).toBeLessThan(at(5));
  expect(at(5)).toBeLessThan(at(10));
  expect(at(10)).toBeGreaterThan(at(30));
  expect(at(30)).toBeGreaterThan(at(59));
});

test('a request is its head and its body, and nothing breaks out of a line', () => {
  const parts = { method: 'POST', path: '/a', headers: { 'x-key': 'k' }, body: '{"é":1}' };
  expect(serialize('h:1', parts).toString()).toBe(
    'POST /a HTTP/1.1\r\nhost: h:1\r\nx-key: k\r\ncontent-type: application/json\r\n' +
      'content-length: 8\r\n\r\n{"é":1}',
  );
  const evil = { ...parts, headers: { 'x-key': 'k\r\nx: y' } };
  expect(() => serialize('h', evil)).toThrow('Not a line');
});

test('percentiles are to three digits', () => {
  const histogram = new LatencyHistogram();
  for (let ms = 1; ms <= 1_000; ms++) histogram.record(ms);
  expect(histogram.percentileMs(99)).toBeGreaterThan(988);
  expect(histogram.percentileMs(99)).toBeLessThan(992);
  expect(new LatencyHistogram().percentiles()).toEqual({ p50: 0, p95: 0, p99: 0, max: 0 });
});

test('only plain HTTP is spoken', () => {
  expect(() => createLoadClient({ url: 'https://x/', connectionsMax: 1 })).toThrow('only http');
});
