// The alerts of Rushlight, one table: the monitor evaluates it, deploy/prometheus is written from
// it, each name has a page in docs/runbooks, and each has a case that fires and one that does not
// in alert-examples.ts. The burn-rate alerts of the SLOs are generated beside it, in slo-rules.ts.
//
// A1. An alert names something that a person can do something about; the runbook says what.
// A2. A window is at least three scrapes long (they come every 10 s), a ratio has a floor beside it
//     where one bad request in a quiet hour would be a hundred percent.

import type { AlertRule } from './rule-types.ts';

export const alertRules = {
  GatewayHighLatency: {
    expr: 'gateway:http_request_duration_seconds:mean30s > 1',
    for: '30s',
    severity: 'page',
    owner: 'ordering',
    summary: 'The gateway answers in {{ $value | humanizeDuration }} on average',
    description:
      'Over the last 30 s a request to the gateway took more than a second on average. Students ' +
      'wait, give up and try again, which makes it worse.',
    runbook: 'GatewayHighLatency',
  },
  ServiceDown: {
    expr: 'up == 0',
    for: '1m',
    severity: 'page',
    owner: 'platform',
    summary: '{{ $labels.service }} does not answer ({{ $labels.instance }})',
    description:
      'The metrics of {{ $labels.service }} ({{ $labels.instance }}) could not be read for a ' +
      'minute: its process is dead, frozen, or cut off.',
    runbook: 'ServiceDown',
  },
  HighOrderFailureRate: {
    expr: 'orders:failure_ratio:rate5m > 0.1',
    for: '30s',
    severity: 'page',
    owner: 'ordering',
    summary: '{{ $value | humanizePercentage }} of the orders fail',
    description:
      'More than 10 % of the orders of the last 5 minutes were answered 5xx or ended by their ' +
      'deadline. Sold out and too little money do not count.',
    runbook: 'HighOrderFailureRate',
  },
  HighErrorRate: {
    expr: 'service:http_error_ratio:rate5m > 0.05 and service:http_errors:rate5m > 0.02',
    for: '2m',
    severity: 'page',
    owner: 'platform',
    summary: '{{ $labels.service }} answers {{ $value | humanizePercentage }} with 5xx',
    description:
      'More than 5 % of the requests to {{ $labels.service }} failed with a status of 500 or above ' +
      'over 5 minutes, and at least 6 of them.',
    runbook: 'HighErrorRate',
  },
  HighLatency: {
    expr:
      'service:http_request_duration_seconds:p95_rate5m > 1 ' +
      'and service:http_requests:rate5m > 0.1',
    for: '5m',
    severity: 'ticket',
    owner: 'platform',
    summary: 'p95 of {{ $labels.service }} is {{ $value | humanizeDuration }}',
    description:
      'One request in twenty to {{ $labels.service }} takes longer than a second, for 5 minutes. ' +
      'Event streams are left out.',
    runbook: 'HighLatency',
  },
  HighPaymentFailureRate: {
    expr: 'payments:failure_ratio:rate5m > 0.1 and payments:failures:rate5m > 0.01',
    for: '1m',
    severity: 'page',
    owner: 'payments',
    summary: '{{ $value | humanizePercentage }} of the charges fail',
    description:
      'More than 10 % of the charges of the last 5 minutes were declined or got no answer from the ' +
      'card provider. Orders that are not paid by their deadline are rejected.',
    runbook: 'HighPaymentFailureRate',
  },
  LowInventoryStock: {
    expr: 'min by (item) (inventory_stock) <= 10',
    for: '30s',
    severity: 'ticket',
    owner: 'shop',
    summary: '{{ $value }} portions of {{ $labels.item }} are left',
    description: 'At most 10 portions of {{ $labels.item }} can still be sold.',
    runbook: 'LowInventoryStock',
  },
  QueueBacklog: {
    expr:
      'max by (queue) (bus_queue_depth) > 1000 ' +
      'or max by (queue) (bus_queue_oldest_seconds) > 20',
    for: '1m',
    severity: 'page',
    owner: 'platform',
    summary: 'The queue of {{ $labels.queue }} does not keep up',
    description:
      'More than 1,000 messages wait for {{ $labels.queue }}, or one has waited for more than 20 s. ' +
      'An order that is not paid within 60 s is rejected.',
    runbook: 'QueueBacklog',
  },
  DeadLetters: {
    expr: 'max by (queue) (dead_letters) > 0',
    for: '0s',
    severity: 'ticket',
    owner: 'platform',
    summary: '{{ $value }} messages of {{ $labels.queue }} are dead letters',
    description:
      'Messages that {{ $labels.queue }} could not take after all its tries lie apart. What they ' +
      'tell has not happened yet: somebody has to replay or drop them.',
    runbook: 'DeadLetters',
  },
  BreakerOpen: {
    expr: 'max by (service, target) (max_over_time(breaker_state[1m])) == 2',
    for: '90s',
    severity: 'page',
    owner: 'platform',
    summary: '{{ $labels.service }} has stopped calling {{ $labels.target }}',
    description:
      'The circuit breaker of {{ $labels.service }} for {{ $labels.target }} keeps opening: calls ' +
      'fail or come too late, so they are refused at once and tried now and then.',
    runbook: 'BreakerOpen',
  },
  EventLoopBlocked: {
    expr: 'min_over_time(nodejs_eventloop_lag_p99_seconds[1m]) > 0.25',
    for: '30s',
    severity: 'ticket',
    owner: 'platform',
    summary: 'The event loop of {{ $labels.instance }} is {{ $value | humanizeDuration }} late',
    description:
      'At every scrape of the last minute the slowest turns of {{ $labels.instance }} took more ' +
      'than a quarter of a second. All its requests wait that long.',
    runbook: 'EventLoopBlocked',
  },
  HighCPU: {
    expr: 'rate(process_cpu_seconds_total[5m]) > 0.9',
    for: '5m',
    severity: 'ticket',
    owner: 'platform',
    summary: '{{ $labels.instance }} uses {{ $value | humanizePercentage }} of a core',
    description:
      'The process runs JavaScript on one core, and that one is full. What comes in faster than ' +
      'this waits or is shed.',
    runbook: 'HighCPU',
  },
  HighMemory: {
    expr: 'min_over_time(process_resident_memory_bytes[1m]) > 1073741824',
    for: '5m',
    severity: 'ticket',
    owner: 'platform',
    summary: '{{ $labels.instance }} holds {{ $value | humanize1024 }}B of memory',
    description:
      'A process of ours stays above 1 GiB. All together are meant to need less than that when idle.',
    runbook: 'HighMemory',
  },
  DiskSpaceLow: {
    expr: 'min by (volume) (disk_available_bytes / disk_size_bytes) < 0.1',
    for: '1m',
    severity: 'page',
    owner: 'platform',
    summary: '{{ $value | humanizePercentage }} of the disk under {{ $labels.volume }} are free',
    description:
      'When the disk is full Postgres stops, and no order can be taken. Less than 10 % are free.',
    runbook: 'DiskSpaceLow',
  },
  PostgresTooManyConnections: {
    expr: 'max(postgres_connections / postgres_connections_max) > 0.8',
    for: '2m',
    severity: 'ticket',
    owner: 'platform',
    summary: '{{ $value | humanizePercentage }} of the connections of Postgres are taken',
    description:
      'Above 100 % Postgres refuses new ones: services that start or scale out cannot work.',
    runbook: 'PostgresTooManyConnections',
  },
  NoTelemetry: {
    expr:
      '(count by (service) (count_over_time(up[1h])) ' +
      'unless count by (service) (count_over_time(up[5m]))) ' +
      'or count by (service) (scrape_samples_scraped == 0 and up == 1)',
    for: '1m',
    severity: 'ticket',
    owner: 'platform',
    summary: 'Nothing is known of {{ $labels.service }}',
    description:
      'Nobody has tried to read the metrics of {{ $labels.service }} for 5 minutes, or they came ' +
      'back empty. No other alert can fire for it.',
    runbook: 'NoTelemetry',
  },
} as const satisfies Record<string, AlertRule>;
