// The burn-rate alerts by example, generated like the rules: the budget burns half as fast again as
// the alert allows; half as fast as it allows; and it burned, but that is over.

import type { AlertExample } from './alert-examples.ts';
import { type Duration, durationMs } from './rule-types.ts';
import { type Objective, type ObjectiveName, objectives } from './slo-objectives.ts';
import { burnRates } from './slo-rules.ts';

/** How often the rules are evaluated in these examples; none of them waits for the next time. */
export const sloExamplesEvery: Duration = '8h';

const eventsPerStep = 10_000;
const gateway =
  'service="gateway",instance="gateway-1",method="POST",route="/api/v1/orders"' as const;
const orders = 'service="orders",instance="orders-1"' as const;

/** The counters of an objective, from how its events grow. */
const counters: Record<
  ObjectiveName,
  (counts: { all: string; good: string; bad: string }) => Record<string, string>
> = {
  order_availability: ({ good, bad }) => ({
    [`http_requests_total{${gateway},status="201"}`]: good,
    [`http_requests_total{${gateway},status="503"}`]: bad,
  }),
  order_latency: ({ all, good }) => ({
    [`http_request_duration_seconds_bucket{${gateway},le="0.25"}`]: good,
    [`http_request_duration_seconds_bucket{${gateway},le="+Inf"}`]: all,
    [`http_request_duration_seconds_count{${gateway}}`]: all,
  }),
  order_completion: ({ all, bad }) => ({
    [`orders_accepted_total{${orders},outcome="stock_verified"}`]: all,
    [`orders_failed_total{${orders},reason="deadline"}`]: bad,
  }),
};

const fewOrders: AlertExample = {
  alert: 'OrderAvailabilityBurnRate14x',
  name: 'OrderAvailabilityBurnRate14x needs more than three bad orders',
  interval: '30s',
  series: {
    [`http_requests_total{${gateway},status="201"}`]: '0+1x960',
    [`http_requests_total{${gateway},status="503"}`]: '0+0x953 1+1x2 3+0x20',
  },
  at: '8h',
  firing: [],
};

/** Three of each burn-rate alert, and one for the floor under them. */
export const sloExamples: readonly AlertExample[] = [
  ...Object.entries<Objective>(objectives).flatMap(([slo, objective]) =>
    burnRates.flatMap((rate) => examplesOf(slo as ObjectiveName, objective, rate)),
  ),
  fewOrders,
];

function examplesOf(
  slo: ObjectiveName,
  objective: Objective,
  { factor, long, short, suffix }: (typeof burnRates)[number],
): AlertExample[] {
  const alert = `${objective.alert}${suffix}`;
  // Looked at once the long window is full; ten values in the short one.
  const everyMs = durationMs(sloExamplesEvery);
  const atMs = Math.ceil((durationMs(long) + 1) / everyMs) * everyMs;
  const intervalS = durationMs(short) / 10_000;
  const steps = Math.round(atMs / 1_000 / intervalS);
  const bad = (share: number): number =>
    Math.round(eventsPerStep * factor * (1 - objective.target) * share);
  const shared = {
    alert,
    interval: `${intervalS}s`,
    at: `${atMs / 3_600_000}h`,
  } as const;
  const steady = (badPerStep: number) => {
    const grows = (perStep: number): string => `0+${perStep}x${steps}`;
    const good = grows(eventsPerStep - badPerStep);
    return counters[slo]({ all: grows(eventsPerStep), good, bad: grows(badPerStep) });
  };
  return [
    {
      ...shared,
      name: `${alert} fires`,
      series: steady(bad(1.5)),
      firing: [{ labels: {}, value: bad(1.5) / eventsPerStep }],
    },
    { ...shared, name: `${alert} stays quiet`, series: steady(bad(0.5)), firing: [] },
    {
      ...shared,
      name: `${alert} ends with its cause`,
      series: ended(slo, bad(5), steps),
      firing: [],
    },
  ];
}

/** Bad events came until the short window began. */
function ended(slo: ObjectiveName, badPerStep: number, steps: number): Record<string, string> {
  const before = steps - 11;
  const counter = (perStep: number, afterwards: number): string =>
    `0+${perStep}x${before} ${perStep * before + afterwards}+${afterwards}x10`;
  return counters[slo]({
    all: counter(eventsPerStep, eventsPerStep),
    good: counter(eventsPerStep - badPerStep, eventsPerStep),
    bad: counter(badPerStep, 0),
  });
}
