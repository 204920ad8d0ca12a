// The series in which anomalies are looked for, as PromQL over one minute: shorter than a rush is
// long, and not smoothed, so that neighbours are independent.

export type WatchedExpression = {
  /** As sentences name it. */
  name: string;
  expr: string;
  unit: string;
  /** A rate of events over the step: chance alone spreads it. */
  isRate: boolean;
  /** Movements smaller than this mean nothing. */
  spreadMin: number;
};

const noStream = 'route!~".*/events"';
const requests = 'sum by (service) (rate(http_requests_total[1m]))';

function p95(metric: string, selector = ''): string {
  return `histogram_quantile(0.95, sum by (service, le) (rate(${metric}_bucket${selector}[1m]))) * 1000`;
}

export const watchedExpressions: readonly WatchedExpression[] = [
  { name: 'rate of requests', expr: requests, unit: '/s', isRate: true, spreadMin: 0.05 },
  {
    name: 'rate of 5xx answers',
    expr: `sum by (service) (rate(http_requests_total{status=~"5.."}[1m])) or ${requests} * 0`,
    unit: '/s',
    isRate: true,
    spreadMin: 0.05,
  },
  {
    name: 'p95 of requests',
    expr: p95('http_request_duration_seconds', `{${noStream}}`),
    unit: 'ms',
    isRate: false,
    spreadMin: 2,
  },
  {
    name: 'p95 of store operations',
    expr: p95('db_operation_duration_seconds'),
    unit: 'ms',
    isRate: false,
    spreadMin: 2,
  },
  {
    name: 'rate of accepted orders',
    expr: 'sum by (outcome) (rate(orders_accepted_total[1m]))',
    unit: '/s',
    isRate: true,
    spreadMin: 0.05,
  },
  {
    name: 'rate of refused orders',
    expr: 'sum by (reason) (rate(orders_rejected_total[1m]))',
    unit: '/s',
    isRate: true,
    spreadMin: 0.05,
  },
  {
    name: 'rate of payments',
    expr: 'sum by (outcome) (rate(payments_total[1m]))',
    unit: '/s',
    isRate: true,
    spreadMin: 0.05,
  },
  {
    name: 'rate of errors',
    expr: 'sum by (service, code) (rate(errors_total[1m]))',
    unit: '/s',
    isRate: true,
    spreadMin: 0.05,
  },
  {
    name: 'depth of the queue',
    expr: 'sum by (queue) (bus_queue_depth)',
    unit: '',
    isRate: false,
    spreadMin: 20,
  },
  {
    name: 'outbox',
    expr: 'sum by (service) (outbox_depth)',
    unit: '',
    isRate: false,
    spreadMin: 20,
  },
  {
    name: 'dead letters',
    expr: 'sum by (queue) (dead_letters)',
    unit: '',
    isRate: false,
    spreadMin: 0.2,
  },
  {
    name: 'CPU',
    expr: 'sum by (service) (rate(process_cpu_seconds_total[1m]))',
    unit: 'cores',
    isRate: false,
    spreadMin: 0.05,
  },
  {
    name: 'memory',
    expr: 'sum by (service) (process_resident_memory_bytes) / 1000000',
    unit: 'MB',
    isRate: false,
    spreadMin: 20,
  },
  {
    name: 'delay of the event loop (p99)',
    expr: 'max by (service) (nodejs_eventloop_lag_p99_seconds) * 1000',
    unit: 'ms',
    isRate: false,
    spreadMin: 5,
  },
];
