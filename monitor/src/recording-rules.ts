// What dashboards, alerts and SLOs share, computed once. The order matters: a rule may use what
// those before it record.
//
// R1. A stream stays open for minutes; it is not a slow request. Latency leaves the routes of event
//     streams out.
// R2. A failed order is one that we owed: the gateway answered 5xx, or the deadline ended an order
//     that was accepted. Both are `orders_failed_total`. What a student cannot have (sold out, no
//     money, too fast) is no failure.

import { publicApi } from '@rushlight/contracts';
import type { RecordingRule } from './rule-types.ts';

const { method, path } = publicApi.placeOrder;

/** Requests that place an order, as the gateway counts them. */
export const placeOrder = `service="gateway",method="${method}",route="${path}"`;
/** Every request that ends with its answer (R1); a test compares it with the routes. */
export const noStream = 'route!~".*/(events|tail)"';
const fromGateway = `service="gateway",${noStream}`;

/** 0 where there is anything to speak of, so that a part that never happened does not hide the rest. */
const nothing = `sum(rate(http_requests_total{${placeOrder}}[5m])) * 0`;
const noPayment =
  '(sum(rate(payments_total[5m])) or sum(rate(payment_tasks_postponed_total[5m]))) * 0';
const quantiles = [
  ['p50', 0.5],
  ['p95', 0.95],
  ['p99', 0.99],
] as const;

export const recordingRules: readonly RecordingRule[] = [
  {
    record: 'service:http_requests:rate5m',
    expr: 'sum by (service) (rate(http_requests_total[5m]))',
  },
  {
    record: 'service:http_errors:rate5m',
    expr:
      'sum by (service) (rate(http_requests_total{status=~"5.."}[5m])) ' +
      'or service:http_requests:rate5m * 0',
  },
  {
    record: 'service:http_error_ratio:rate5m',
    expr: 'service:http_errors:rate5m / service:http_requests:rate5m',
  },
  {
    record: 'gateway:http_request_duration_seconds:mean30s',
    expr:
      `sum by (service) (rate(http_request_duration_seconds_sum{${fromGateway}}[30s])) / ` +
      `sum by (service) (rate(http_request_duration_seconds_count{${fromGateway}}[30s]))`,
  },
  {
    record: 'orders:failures:rate5m',
    expr: `sum(rate(orders_failed_total[5m])) or ${nothing}`,
  },
  {
    record: 'orders:accepted:rate5m',
    expr: `sum(rate(orders_accepted_total[5m])) or ${nothing}`,
  },
  {
    record: 'orders:failure_ratio:rate5m',
    expr: 'orders:failures:rate5m / (orders:accepted:rate5m + orders:failures:rate5m)',
  },
  {
    record: 'payments:failures:rate5m',
    expr:
      `(sum(rate(payments_total{outcome="payment_declined"}[5m])) or ${noPayment}) + ` +
      `(sum(rate(payment_tasks_postponed_total{task="charge"}[5m])) or ${noPayment})`,
  },
  {
    record: 'payments:failure_ratio:rate5m',
    expr:
      'payments:failures:rate5m / (payments:failures:rate5m + ' +
      '(sum(rate(payments_total{outcome="captured"}[5m])) or payments:failures:rate5m * 0))',
  },
];

/** Percentiles, from buckets that are read once. */
export const latencyRules: readonly RecordingRule[] = [
  {
    record: 'service:http_request_duration_seconds_bucket:rate5m',
    expr: `sum by (service, le) (rate(http_request_duration_seconds_bucket{${noStream}}[5m]))`,
  },
  ...quantiles.map(([name, quantile]) => ({
    record: `service:http_request_duration_seconds:${name}_rate5m`,
    expr: `histogram_quantile(${quantile}, service:http_request_duration_seconds_bucket:rate5m)`,
  })),
];
