// What a shop of eight services tells about itself, made up for measurements: figures every ten
// seconds, lines of logs, and traces of orders through all of it.

import type { Labels, LogRecord, Sample, Span, SpanKind } from '../model.ts';

export const shopServices = [
  'gateway',
  'identity',
  'inventory',
  'orders',
  'payments',
  'kitchen',
  'notifications',
  'monitor',
] as const;

export const scrapeMs = 10_000;
const routes = ['menu', 'orders', 'orders/{orderId}', 'login', 'wallet', 'me/events'];
const statuses = ['200', '201', '422', '503'];
const bounds = ['0.005', '0.01', '0.025', '0.05', '0.1', '0.25', '0.5', '1', '2.5', '5', '+Inf'];
const operations = ['insert', 'select', 'update', 'lock', 'outbox', 'commit'];
const reasons = ['sold_out', 'insufficient_funds', 'payment_declined', 'deadline'];
/** With what the recording rules keep of them. */
const gauges = [
  'service:http_requests:rate5m',
  'service:http_errors:rate5m',
  'service:http_request_duration_seconds:p50_rate5m',
  'service:http_request_duration_seconds:p99_rate5m',
  'up',
  'process_resident_memory_bytes',
  'nodejs_heap_size_used_bytes',
  'nodejs_eventloop_lag_p99_seconds',
  'bus_queue_depth',
  'outbox_depth',
  'dead_letters',
];
const counters = ['process_cpu_seconds_total', 'orders_processed_total', 'stock_updates_total'];

type Made = { name: string; labels: Labels; perScrape: number; gauge: boolean };

/** Every series of the shop: some four hundred and fifty a service. */
function seriesOf(service: string): Made[] {
  const labels = { service, instance: `${service}-1` };
  const counter = (name: string, more: Labels, perScrape: number): Made => {
    return { name, labels: { ...labels, ...more }, perScrape, gauge: false };
  };
  const histogram = (name: string, more: Labels): Made[] => [
    ...bounds.map((le, at) => counter(`${name}_bucket`, { ...more, le }, at + 1)),
    counter(`${name}_count`, more, bounds.length),
    counter(`${name}_sum`, more, 1),
  ];
  return [
    ...routes.flatMap((name) => {
      const route = { method: 'POST', route: `/api/v1/${name}` };
      return [
        ...statuses.map((status, at) =>
          counter('http_requests_total', { ...route, status }, 4 - at),
        ),
        ...histogram('http_request_duration_seconds', route),
      ];
    }),
    ...statuses.flatMap((outcome) =>
      operations.flatMap((operation) =>
        histogram('db_operation_duration_seconds', { operation, outcome }),
      ),
    ),
    ...reasons.map((reason) => counter('orders_rejected_total', { reason }, 2)),
    ...reasons.map((outcome) => counter('orders_accepted_total', { outcome }, 9)),
    ...reasons.map((outcome) => counter('payments_total', { outcome }, 9)),
    ...reasons.map((code) => counter('errors_total', { code }, 1)),
    ...counters.map((name) => counter(name, {}, 3)),
    ...gauges.map((name) => ({ ...counter(name, {}, 1), gauge: true })),
  ];
}

/** Every sample of one scrape of everything, the first of which is number 0. */
export function shopScrapes(): (number: number, atMs: number) => Sample[] {
  const made = shopServices.flatMap(seriesOf);
  return (number, atMs) =>
    made.map(({ name, labels, perScrape, gauge }) => {
      return { name, labels, atMs, value: gauge ? perScrape : perScrape * number };
    });
}

/** A line of each service. */
export function shopLogs(number: number, atUs: number): LogRecord[] {
  return shopServices.map((service) => {
    const message = `order ${number} went on after ${number % 90} ms`;
    const level = number % 50 === 0 ? 'error' : 'info';
    const line = JSON.stringify({
      level,
      time: atUs / 1000,
      service,
      msg: message,
      durationMs: number % 90,
    });
    return { atUs, service, instance: `${service}-1`, level, message, line, attributes: {} };
  });
}

export const shopTraceId = (number: number): string => idOf(number, 32);

const steps = [
  ['gateway', 'server'],
  ['gateway', 'client'],
  ['orders', 'server'],
  ['orders', 'client'],
  ['orders', 'client'],
  ['inventory', 'server'],
  ['inventory', 'client'],
  ['orders', 'producer'],
  ['payments', 'consumer'],
  ['payments', 'client'],
  ['kitchen', 'consumer'],
  ['notifications', 'consumer'],
] as const satisfies readonly (readonly [(typeof shopServices)[number], SpanKind])[];
export const spansPerTrace = steps.length;

/** The spans of an order: each is called by the one before it. */
export function shopTrace(number: number, startUs: number): Span[] {
  const traceId = shopTraceId(number);
  return steps.map(([service, kind], at) => {
    const durationUs = 1_000 * (steps.length - at) + ((number * 7_919) % 40_000);
    const route = routes[number % routes.length];
    return {
      traceId,
      spanId: idOf(number * steps.length + at, 16),
      ...(at === 0 ? {} : { parentSpanId: idOf(number * steps.length + at - 1, 16) }),
      ...{ service, instance: `${service}-1`, name: `POST ${route}`, kind },
      startUs: startUs + at * 400,
      durationUs,
      status: number % 50 === 0 ? 'error' : 'unset',
      attributes: {
        'http.request.method': 'POST',
        'http.route': `/api/v1/${route}`,
        'http.response.status_code': 201,
        'order.id': `0198-${number}`,
        'db.system.name': 'postgresql',
        'batch.size': number % 300,
      },
      events: [],
      links: [],
    };
  });
}

/** Looks random, as ids do, and is the same for the same number. */
function idOf(number: number, digits: number): string {
  let text = '';
  let state = Math.imul(number + 1, 0x9e3779b1) >>> 0;
  while (text.length < digits) {
    state = (Math.imul(state ^ (state >>> 13), 0xc2b2ae35) + number) >>> 0;
    text += state.toString(16).padStart(8, '0');
  }
  return text;
}
