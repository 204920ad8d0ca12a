import { expect, test } from 'vitest';
import { RecordedSeries } from '../src/alerting/recorded-series.ts';
import { ruleGroups } from '../src/alerting/rule-groups.ts';
import { RuleRunner } from '../src/alerting/rule-runner.ts';
import { evaluateInstant } from '../src/promql/evaluate.ts';
import { sloStatus } from '../src/slo-status.ts';
import { everyMs, memorySeries } from '../src/testing/memory-series.ts';
import { readSeries } from './series-notation.ts';

const hourMs = 3_600_000;

test('budget and burn rates follow from the events', async () => {
  const orders = 'service="gateway",instance="gateway-1",method="POST",route="/api/v1/orders"';
  const minutes = 120;
  const lastHour = (bad: number, good: number) => [
    readSeries(`http_requests_total{${orders},status="503"}`, `0+${bad}x${minutes}`, '1m'),
    readSeries(`http_requests_total{${orders},status="201"}`, `0+${good}x${minutes}`, '1m'),
  ];
  // Recorded every minute for two hours: a bad event in 100, of which a thousandth is allowed.
  const recordedSeries = (name: string, value: number) => ({
    labels: { __name__: `slo:${name}:rate5m`, slo: 'order_availability' },
    samples: everyMs(
      60_000,
      Array.from({ length: minutes + 1 }, () => value),
    ),
  });
  const store = memorySeries([
    ...lastHour(1, 99),
    recordedSeries('errors', 0.0005),
    recordedSeries('events', 1),
  ]);
  const recorded = new RecordedSeries();
  const source = recorded.over(store);
  const evaluate = (expr: string, atMs: number) => evaluateInstant(expr, atMs, source);
  const env = { monotonicMs: () => 0, after: () => () => undefined };
  const runner = new RuleRunner({ groups: ruleGroups, evaluate, recorded, env });
  for (const group of ruleGroups) await runner.run(group, 2 * hourMs);

  const statuses = await sloStatus(evaluate, 2 * hourMs);
  expect(statuses.map(({ slo }) => slo)).toEqual([
    'order_availability',
    'order_latency',
    'order_completion',
  ]);
  const [availability, latency] = statuses;
  expect(availability).toMatchObject({ target: 0.999, windowDays: 30 });
  expect(availability?.ratio).toBeCloseTo(0.9995, 10);
  expect(availability?.budgetLeft).toBeCloseTo(0.5, 10);
  expect(availability?.windows.find(({ window }) => window === '1h')?.burnRate).toBeCloseTo(10, 5);
  expect(availability?.burning.map(({ factor, isBurning }) => [factor, isBurning])).toEqual([
    [14.4, false],
    [6, true],
    [3, true],
    [1, true],
  ]);
  // Nothing is known of its latency.
  expect(latency).toMatchObject({ ratio: null, budgetLeft: null });
  expect(latency?.windows.every(({ burnRate }) => burnRate === null)).toBe(true);
  expect(latency?.burning.some(({ isBurning }) => isBurning)).toBe(false);
});
