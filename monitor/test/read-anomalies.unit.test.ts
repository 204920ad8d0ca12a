import { seededRandom } from '@rushlight/chassis';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LogRecord } from '../src/model.ts';
import { logAnomalyOf, seriesAnomalyOf, type WatchedSeries } from '../src/read/anomalies.ts';
import { baselineAt } from '../src/read/baseline.ts';
import { changePointsOf } from '../src/read/change-points.ts';
import { normal, poisson } from './made-series.ts';

const minuteMs = 60_000;
const windowMs = 15 * minuteMs;

type Shape = 'rate' | 'latency' | 'gauge';
const shapes: Shape[] = ['rate', 'latency', 'gauge'];

/** A healthy series, a value a minute: Poisson arrivals, log-normal latencies, GC-like spikes. */
function healthy(seed: number, shape: Shape, minutes: number): WatchedSeries {
  const random = seededRandom(seed);
  const level = Math.exp(1 + 4 * random());
  const width = 0.1 + 0.4 * random();
  const values = Float64Array.from({ length: minutes }, () => {
    switch (shape) {
      case 'rate':
        return poisson(random, (level / 10) * 60) / 60;
      case 'latency': {
        const latency = level * Math.exp(width * normal(random));
        return random() < 0.03 ? latency * (5 + 20 * random()) : latency;
      }
      case 'gauge': {
        const saw = (random() * level) / 4;
        return level + saw + (random() < 0.02 ? 3 * level : 0);
      }
    }
  });
  return {
    ...{ name: shape, labels: { service: 'orders' }, unit: '', spreadMin: 0.001 },
    points: { startMs: 0, stepMs: minuteMs, values },
    isRate: shape === 'rate',
  };
}

function until(series: WatchedSeries, minute: number): WatchedSeries {
  const values = series.points.values.subarray(0, minute);
  return { ...series, points: { ...series.points, values } };
}

/** The healthy series, multiplied from this minute on. */
function broken(series: WatchedSeries, fromMinute: number, factor: number): WatchedSeries {
  const values = series.points.values.map((value, at) =>
    at < fromMinute ? value : value * factor,
  );
  return { ...series, points: { ...series.points, values } };
}

test('few false alarms on a healthy hour', { timeout: 60_000 }, () => {
  // Asked every five minutes of the second and third hour, as a page that is open would.
  const [perShape, minutes] = [30, 180];
  const alarms: string[] = [];
  const asked = [];
  for (const shape of shapes) {
    for (let seed = 1; seed <= perShape; seed++) {
      const series = healthy(seed, shape, minutes);
      for (let minute = 65; minute <= minutes; minute += 5) {
        asked.push(minute);
        const found = seriesAnomalyOf(until(series, minute), windowMs);
        if (found) alarms.push(`${shape} ${seed} ${minute} ${found.kind} ${found.score}`);
      }
    }
  }
  const hours = (asked.length * 5) / 60;
  const perHourOf100 = (alarms.length / hours) * 100;
  process.stdout.write(
    `false alarms: ${alarms.length} in ${asked.length} looks at ${shapes.length * perShape} ` +
      `healthy series, ${perHourOf100.toFixed(2)} an hour for 100 series\n`,
  );
  expect(perHourOf100, alarms.join('\n')).toBeLessThan(1);
});

test('what breaks is found: latencies ×4, rates to nothing, a gauge that doubles', {
  timeout: 60_000,
}, () => {
  const factors: Record<Shape, number> = { latency: 4, rate: 0, gauge: 2 };
  let [found, tried, soon] = [0, 0, 0];
  for (const shape of shapes) {
    for (let seed = 1; seed <= 40; seed++) {
      const series = broken(healthy(seed, shape, 135), 120, factors[shape]);
      tried += 1;
      if (seriesAnomalyOf(series, windowMs)) found += 1;
      if (seriesAnomalyOf(until(series, 126), windowMs)) soon += 1;
    }
  }
  process.stdout.write(`found ${found} of ${tried}; within six minutes ${soon}\n`);
  expect(found / tried).toBeGreaterThan(0.95);
});

test('a finding carries its points, its score and a sentence with the figures', () => {
  const values = Float64Array.from({ length: 100 }, (_, at) => (at < 90 ? 10 : 50) + (at % 3) / 10);
  const found = seriesAnomalyOf(
    {
      ...{ name: 'p95 latency', labels: { service: 'gateway' }, unit: 'ms', spreadMin: 0.1 },
      points: { startMs: Date.UTC(2026, 2, 1, 17), stepMs: minuteMs, values },
      isRate: false,
    },
    windowMs,
  );
  expect(found).toMatchObject({ kind: 'change', before: 10.1, now: 50.1 });
  expect(found?.sentence).toBe(
    'p95 latency of service gateway rose from 10.1 ms to 50.1 ms at 18:30:00 UTC.',
  );
  expect(found?.points).toHaveLength(60);
  expect(found?.points.at(-1)).toEqual({ atMs: Date.UTC(2026, 2, 1, 18, 39), value: 50 });
});

test('with too little history nothing is called unusual', () => {
  expect(seriesAnomalyOf(broken(healthy(1, 'latency', 30), 20, 100), windowMs)).toBeUndefined();
});

test('the evening’s rush is normal in the evening, once two days are known', () => {
  const stepMs = 5 * minuteMs;
  const perDay = 288;
  const rush = (at: number): number => {
    const ofDay = at % perDay;
    return ofDay >= 200 && ofDay < 230 ? 500 : 10;
  };
  const random = seededRandom(7);
  const make = (days: number): WatchedSeries => ({
    ...{ name: 'orders', labels: {}, unit: '/s', spreadMin: 0.1, isRate: false },
    points: {
      startMs: 0,
      stepMs,
      values: Float64Array.from(
        { length: days * perDay + 215 },
        (_, at) => rush(at) * (1 + 0.05 * normal(random)),
      ),
    },
  });
  expect(seriesAnomalyOf(make(0), windowMs * 4)).toBeDefined();
  expect(seriesAnomalyOf(make(3), windowMs)).toBeUndefined();
  const quiet = make(3);
  const missing = broken(quiet, quiet.points.values.length - 10, 0.02);
  const found = seriesAnomalyOf(missing, 5 * stepMs);
  expect(found).toMatchObject({ kind: 'level' });
  expect(found?.sentence).toContain('lower than usual at this time of day');
});

test('the spread of a baseline does not mind wild values, gaps or constant series', () => {
  const limits = { countMin: 5, spreadShareMin: 0.05, spreadMin: 0.01 };
  const anyValues = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 30 });
  fc.assert(
    fc.property(anyValues, (each) => {
      const values = Float64Array.from(each);
      const baseline = baselineAt({ startMs: 0, stepMs: 1, values }, values.length, limits);
      expect(baseline?.spread).toBeGreaterThanOrEqual(0.01);
      expect(baseline?.median).toBeGreaterThanOrEqual(Math.min(...each));
      expect(baseline?.median).toBeLessThanOrEqual(Math.max(...each));
    }),
  );
  const gaps = Float64Array.from([1, Number.NaN, 1, 1, Number.NaN, 1, 1, 500]);
  expect(baselineAt({ startMs: 0, stepMs: 1, values: gaps }, 8, limits)).toMatchObject({
    median: 1,
    count: 6,
  });
  expect(baselineAt({ startMs: 0, stepMs: 1, values: gaps }, 3, limits)).toBeUndefined();
});

test('a step is found where it is, whatever its size and sign', () => {
  const cut = fc.integer({ min: 20, max: 80 });
  const height = fc.oneof(fc.integer({ min: 5, max: 500 }), fc.integer({ min: -500, max: -5 }));
  fc.assert(
    fc.property(cut, height, fc.nat(), (at, by, seed) => {
      const random = seededRandom(seed);
      const values = Array.from(
        { length: 100 },
        (_, i) => (i < at ? 0 : by) + 0.3 * normal(random),
      );
      const [first, ...others] = changePointsOf(values);
      expect(others).toEqual([]);
      expect(first?.index).toBe(at);
      expect(first?.after).toBeCloseTo(by, 0);
    }),
  );
});

test('two steps are found in their order, gaps are no steps', () => {
  const values = Array.from({ length: 90 }, (_, i) =>
    i % 7 === 0 ? Number.NaN : (i < 30 ? 5 : i < 60 ? 50 : 9) + (i % 3) / 10,
  );
  expect(changePointsOf(values).map(({ index }) => index)).toEqual([30, 60]);
  expect(changePointsOf(values.map((value) => (value > 0 ? 3 : value)))).toEqual([]);
  expect(changePointsOf([])).toEqual([]);
});

const times = { beforeMs: 60 * minuteMs, partsCount: 6, windowMs: 5 * minuteMs };
const line = { message: 'lost 1 order', service: 'orders' } as LogRecord;
const group = {
  ...{ id: 'f00d', level: 'error' as const, template: 'lost <number> order' },
  ...{ firstAtUs: 2_000_000, lastAtUs: 9_000_000, services: ['orders'], example: line },
};

test('a template is new or gone only where chance would be strange', () => {
  const counts = { group, lines: [line] };
  const fresh = logAnomalyOf({ ...counts, before: 0, partsBefore: 0, now: 5 }, times);
  expect(fresh).toMatchObject({ kind: 'new_template', atMs: 2_000, count: 5, lines: [line] });
  expect(fresh?.sentence).toBe(
    'orders logs something new (error): "lost <number> order", 5 times, and never in the 60 minutes before.',
  );
  expect(logAnomalyOf({ ...counts, before: 0, partsBefore: 0, now: 1 }, times)).toBeUndefined();
  expect(logAnomalyOf({ ...counts, before: 3, partsBefore: 3, now: 9 }, times)).toBeUndefined();
  const gone = logAnomalyOf({ ...counts, before: 600, partsBefore: 6, now: 0 }, times);
  expect(gone).toMatchObject({ kind: 'vanished_template', atMs: 9_000, count: 600 });
  expect(gone?.sentence).toContain('no longer logs');
  // All of them in one burst: that it does not come now says nothing.
  expect(logAnomalyOf({ ...counts, before: 600, partsBefore: 1, now: 0 }, times)).toBeUndefined();
  expect(logAnomalyOf({ ...counts, before: 20, partsBefore: 6, now: 0 }, times)).toBeUndefined();
  const early = { ...times, beforeMs: minuteMs };
  expect(logAnomalyOf({ ...counts, before: 0, partsBefore: 0, now: 9 }, early)).toBeUndefined();
});

test('lines that come by chance at a steady rate are rarely called new or gone', () => {
  let [alarms, looks] = [0, 0];
  for (let seed = 1; seed <= 2_000; seed++) {
    const random = seededRandom(seed);
    const perMinute = 20 * random() ** 3;
    const parts = Array.from({ length: 6 }, () => poisson(random, perMinute * 10));
    const before = parts.reduce((sum, count) => sum + count, 0);
    const partsBefore = parts.filter((count) => count > 0).length;
    const now = poisson(random, perMinute * 5);
    looks += 1;
    if (logAnomalyOf({ group, lines: [], before, partsBefore, now }, times)) alarms += 1;
  }
  process.stdout.write(`false alarms: ${alarms} in ${looks} looks at templates of healthy logs\n`);
  expect(alarms).toBeLessThanOrEqual(2);
});
