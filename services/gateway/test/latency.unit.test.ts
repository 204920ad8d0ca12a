import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLatencyWindow, latencyOf } from '../src/latency.ts';
import { createThroughput, outcomeOf, throughputOf } from '../src/throughput.ts';

test('percentiles are within a bucket of the true ones', () => {
  const anyMs = fc.double({ min: 0.001, max: 60_000, noNaN: true });
  fc.assert(
    fc.property(fc.array(anyMs, { minLength: 1, maxLength: 500 }), (durations) => {
      const window = createLatencyWindow();
      for (const durationMs of durations) window.record(durationMs, 5_000);
      const sorted = durations.toSorted((a, b) => a - b);
      const report = latencyOf([window.sight(5_000)]);
      expect(report.count).toBe(durations.length);
      for (const [share, ms] of [
        [0.5, report.p50Ms],
        [0.95, report.p95Ms],
        [0.99, report.p99Ms],
      ] as const) {
        const exact = sorted[Math.ceil(sorted.length * share) - 1] ?? 0;
        expect(Math.abs(ms - exact)).toBeLessThanOrEqual(exact * 0.07 + 0.01);
      }
      const mean = durations.reduce((sum, ms) => sum + ms, 0) / durations.length;
      expect(Math.abs(report.averageMs - mean)).toBeLessThanOrEqual(0.01);
    }),
  );
});

test('what is older than 30 s is forgotten', () => {
  const window = createLatencyWindow();
  window.record(2_000, 10_000);
  expect(latencyOf([window.sight(39_000)])).toMatchObject({
    count: 1,
    breached: true,
    windowS: 30,
  });
  expect(latencyOf([window.sight(40_000)])).toMatchObject({ count: 0, breached: false, p99Ms: 0 });
  window.record(1, 41_000);
  expect(latencyOf([window.sight(41_500)])).toMatchObject({ count: 1, breached: false });
});

test('it is breached when the average is over a second, not when a few are slow', () => {
  const window = createLatencyWindow();
  for (let i = 0; i < 99; i++) window.record(1, 1_000);
  window.record(30_000, 1_000);
  expect(latencyOf([window.sight(1_000)])).toMatchObject({ breached: false });
  for (let i = 0; i < 10; i++) window.record(30_000, 1_000);
  expect(latencyOf([window.sight(1_000)])).toMatchObject({ breached: true });
});

test('throughput has every second of five minutes, the present one last', () => {
  const throughput = createThroughput();
  throughput.record('accepted', 1_000_000);
  throughput.record('accepted', 1_000_900);
  throughput.record('soldOut', 1_001_000);
  const { windowS, seconds } = throughputOf([throughput.sight()], 1_001_500);
  expect(windowS).toBe(300);
  expect(seconds).toHaveLength(300);
  const none = { accepted: 0, queued: 0, soldOut: 0, refused: 0, failed: 0 };
  expect(seconds.slice(-3)).toEqual([
    { ...none, at: '1970-01-01T00:16:39.000Z' },
    { ...none, at: '1970-01-01T00:16:40.000Z', accepted: 2 },
    { ...none, at: '1970-01-01T00:16:41.000Z', soldOut: 1 },
  ]);
  const later = throughputOf([throughput.sight()], 1_301_500);
  expect(later.seconds.every((one) => one.accepted + one.soldOut === 0)).toBe(true);
});

test.each([
  [201, false, 'accepted'],
  [202, false, 'queued'],
  [422, false, 'soldOut'],
  [422, true, 'refused'],
  [400, false, 'refused'],
  [429, false, 'refused'],
  [503, false, 'failed'],
] as const)('%i is counted as %s %s', (status, keyReused, outcome) => {
  expect(outcomeOf(status, keyReused)).toBe(outcome);
});
