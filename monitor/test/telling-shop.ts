// The telemetry of a small shop, around an instant.

import type { LogRecord, Sample, Span } from '../src/model.ts';

const traceId = 'a'.repeat(32);
export const orderTraceId = traceId;
export const batchTraceId = 'b'.repeat(32);
const spanId = (id: number): string => id.toString(16).padStart(16, '0');

type Idea = Partial<Span> & { id: number; parent?: number; service: string; fromMs: number };

/** One order through the shop, and the batch that carried it; it ends a second before `nowMs`. */
export function orderSpans(nowMs: number): Span[] {
  const startMs = nowMs - 2_000;
  const make = ({ id, parent, service, fromMs, durationUs = 10_000, ...rest }: Idea): Span => ({
    ...{ traceId, spanId: spanId(id), service, instance: `${service}-1`, name: `work ${id}` },
    ...{ kind: 'internal', status: 'unset', attributes: {}, events: [], links: [] },
    ...{ startUs: (startMs + fromMs) * 1000, durationUs },
    ...(parent === undefined ? {} : { parentSpanId: spanId(parent) }),
    ...rest,
  });
  const http = { 'http.request.method': 'POST', 'http.route': '/api/v1/orders' };
  const toBatch = { traceId: batchTraceId, spanId: spanId(9), attributes: {} };
  const toOrder = { traceId, spanId: spanId(1), attributes: {} };
  return [
    make({
      ...{ id: 1, service: 'gateway', fromMs: 0, durationUs: 20_000, kind: 'server' },
      ...{ name: 'POST /api/v1/orders', attributes: http, links: [toBatch] },
    }),
    make({ id: 2, parent: 1, service: 'gateway', fromMs: 1, durationUs: 18_000, kind: 'client' }),
    make({ id: 3, parent: 2, service: 'orders', fromMs: 2, durationUs: 15_000, kind: 'server' }),
    make({
      ...{ id: 4, parent: 3, service: 'orders', fromMs: 3, durationUs: 4_000, kind: 'client' },
      attributes: { 'db.system.name': 'postgresql' },
    }),
    make({
      ...{ id: 5, parent: 3, service: 'payments', fromMs: 30, durationUs: 40_000 },
      ...{ kind: 'consumer', status: 'error', statusMessage: 'declined' },
    }),
    make({
      ...{ id: 9, service: 'orders', fromMs: 2, traceId: batchTraceId, links: [toOrder] },
      name: 'batch of orders',
    }),
  ];
}

export function shopLogs(nowMs: number): LogRecord[] {
  return Array.from({ length: 12 }, (_, at): LogRecord => {
    const isBad = at % 4 === 0;
    const message = isBad ? `payment of order ${1000 + at} was declined` : 'order accepted';
    const level = isBad ? 'error' : 'info';
    const service = isBad ? 'payments' : 'orders';
    return {
      ...{ atUs: (nowMs - 3_000 + at * 10) * 1000, service, instance: `${service}-1` },
      ...{ level, message, line: JSON.stringify({ level, msg: message, orderNumber: 1000 + at }) },
      attributes: { orderNumber: 1000 + at },
      ...(at === 8 ? { traceId, spanId: spanId(5) } : {}),
    };
  });
}

/** A printer that says for an hour that it is well, is silent then, and burns at the end. */
export function printerLogs(nowMs: number): LogRecord[] {
  const say = (atMs: number, message: string): LogRecord => ({
    ...{ atUs: atMs * 1000, service: 'kitchen', instance: 'kitchen-1', level: 'info' },
    ...{ message, line: message, attributes: {} },
  });
  const startMs = nowMs - 69 * 60_000;
  return [
    ...Array.from({ length: 116 }, (_, at) =>
      say(startMs + at * 30_000, `printer is well, ${at} sheets`),
    ),
    ...Array.from({ length: 8 }, (_, at) =>
      say(nowMs - 60_000 + at * 1000, `printer ${at} is on fire`),
    ),
  ];
}

const everyMs = 15_000;

/** Two hours of a steady shop whose gateway becomes slow ten minutes before the end. */
export function shopSamples(nowMs: number): Sample[] {
  const samples: Sample[] = [];
  const startMs = nowMs - 2 * 3_600_000;
  const add = (atMs: number, name: string, value: number, service: string, labels = {}): void => {
    samples.push({
      name,
      labels: { service, instance: `${service}-1`, ...labels },
      atMs,
      value,
    });
  };
  const posted = { method: 'POST', route: '/api/v1/orders' };
  let fast = 0;
  for (let step = 0; startMs + step * everyMs <= nowMs; step++) {
    const atMs = startMs + step * everyMs;
    const count = step * 30;
    if (atMs < nowMs - 600_000) fast = count;
    const bucket = 'http_request_duration_seconds_bucket';
    for (const service of ['gateway', 'orders', 'payments', 'inventory'])
      add(atMs, 'up', 1, service);
    add(atMs, 'http_requests_total', count, 'gateway', { ...posted, status: '201' });
    add(atMs, 'http_requests_total', step, 'gateway', { ...posted, status: '503' });
    add(atMs, bucket, fast, 'gateway', { ...posted, le: '0.01' });
    add(atMs, bucket, count, 'gateway', { ...posted, le: '0.5' });
    add(atMs, bucket, count, 'gateway', { ...posted, le: '+Inf' });
    add(atMs, 'http_request_duration_seconds_count', count, 'gateway', posted);
    add(atMs, 'http_request_duration_seconds_sum', count * 0.005, 'gateway', posted);
    add(atMs, 'orders_accepted_total', count, 'orders', { outcome: 'stock_verified' });
    add(atMs, 'orders_processed_total', step * 27, 'orders', { status: 'paid' });
    add(atMs, 'orders_processed_total', step * 3, 'orders', { status: 'rejected' });
    add(atMs, 'portions_sold_total', step * 20, 'inventory', { item: 'soup' });
    add(atMs, 'portions_sold_total', step * 7, 'inventory', { item: 'rice' });
    add(atMs, 'payments_cents_total', step * 27_000, 'payments', { kind: 'captured' });
    add(atMs, 'payments_cents_total', step * 500, 'payments', { kind: 'refunded' });
  }
  const exemplar = { traceId: 'e'.repeat(32), value: 0.4, atMs: nowMs - 5_000 };
  const slow = samples.findLast(({ labels }) => labels['le'] === '0.5');
  if (slow !== undefined) slow.exemplar = exemplar;
  return samples;
}
