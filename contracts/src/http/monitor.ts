// The monitor's API: what telemetry says of the shop. The same routes are served on the monitor's
// own port under /api, and by the gateway under /api/monitor.
//
// Without `from` and `to` a question is about the last 15 minutes. Figures come from telemetry
// alone; for the books there is GET /api/v1/admin/audit.

import { z } from 'zod';
import { limits } from '../limits.ts';
import { traceIdOfOrder } from '../trace-ids.ts';
import {
  AlertsView,
  Anomaly,
  LogLine,
  MonitorHealth,
  NewSilence,
  Performance,
  ShopAnalytics,
  Silence,
  Slo,
  TimeSeries,
  TraceSearchHit,
  TraceView,
  WatchedService,
} from './monitor-shapes.ts';
import type { Route } from './route.ts';
import { line, Time, wholeNumber } from './shapes.ts';

const range = { from: Time.optional(), to: Time.optional() };
const ServiceFilter = line(100).optional();
const TraceId = z
  .string()
  .regex(/^[0-9a-f]{32}$/i, 'a trace id is 32 hexadecimal digits')
  .toLowerCase();
/** The trace of an order is found by the order's id as well. */
const TraceOrOrderId = z.union([TraceId, z.uuid().toLowerCase().transform(traceIdOfOrder)], {
  error: 'a trace id is 32 hexadecimal digits, an order id is a UUID',
});
const levels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
/** A number in a query string. */
const decimal = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,12}(\.\d{1,6})?$/, 'a number')
    .transform(Number)
    .pipe(z.number().min(min).max(max))
    .optional();

const logFilter = {
  service: ServiceFilter,
  /** This one and the graver ones. */
  level: z.enum(levels).optional(),
  text: z.string().min(1).max(200).optional(),
  traceId: TraceOrOrderId.optional(),
};
const WatchedName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9._-]{0,62}$/, 'a name is 1 to 63 letters, digits, ., _ or -');
const common = { who: ['admin'], owner: 'monitor', priority: 'lab' } as const;

export const monitorApi = {
  monitorHealth: {
    ...common,
    method: 'GET',
    path: '/api/health',
    summary: 'Whether the monitor itself works: its store, what it took in and what it dropped.',
    replies: { 200: MonitorHealth },
    errors: [],
  },
  monitorSummary: {
    ...common,
    method: 'GET',
    path: '/api/summary',
    summary: 'The shop on one page: services, orders, alerts, objectives.',
    replies: {
      200: z.object({
        at: Time,
        services: z.object({ up: z.int(), down: z.int() }),
        requestsPerS: z.number(),
        errorShare: z.number().nullable(),
        ordersPerS: z.number(),
        alerts: z.object({ firing: z.int(), pending: z.int() }),
        objectives: z.array(z.object({ name: z.string(), ok: z.boolean().nullable() })),
      }),
    },
    errors: [],
  },
  queryMetrics: {
    ...common,
    method: 'GET',
    path: '/api/metrics',
    summary: 'Time series of a PromQL expression; without one, the names of all metrics.',
    query: z.strictObject({
      ...range,
      query: z.string().min(1).max(limits.queryLengthMax).optional(),
      stepS: decimal(1, 86_400),
    }),
    replies: { 200: z.object({ names: z.array(z.string()), series: z.array(TimeSeries) }) },
    errors: ['query_refused', 'too_much'],
  },
  routePerformance: {
    ...common,
    method: 'GET',
    path: '/api/performance',
    summary: 'How long requests took, by route: percentiles with counts, and the slowest traces.',
    query: z.strictObject({ ...range, service: ServiceFilter }),
    replies: { 200: z.object({ from: Time, to: Time, routes: z.array(Performance) }) },
    errors: ['too_much'],
  },
  shopAnalytics: {
    ...common,
    method: 'GET',
    path: '/api/analytics',
    summary: 'Orders a second, success, best sellers, revenue, and orders by the hour of the day.',
    query: z.strictObject({ ...range, stepS: decimal(1, 86_400) }),
    replies: { 200: ShopAnalytics },
    errors: ['too_much'],
  },
  analyzeErrors: {
    ...common,
    method: 'GET',
    path: '/api/errors/analysis',
    summary: 'Lines of logs grouped by what is constant in them, with an example of each.',
    query: z.strictObject({
      ...range,
      service: ServiceFilter,
      level: z.enum(levels).default('error'),
      limit: wholeNumber(1, 500, 50),
    }),
    replies: {
      200: z.object({
        lines: z.int(),
        /** There were more lines than were looked at: the newest were. */
        truncated: z.boolean(),
        groups: z.array(
          z.object({
            id: z.string(),
            level: z.enum(levels),
            template: z.string(),
            count: z.int(),
            firstSeen: Time,
            lastSeen: Time,
            services: z.array(z.string()),
            example: LogLine,
            traceId: z.string().optional(),
          }),
        ),
      }),
    },
    errors: ['too_much'],
  },
  searchLogs: {
    ...common,
    method: 'GET',
    path: '/api/logs',
    summary: 'Lines of logs, newest first.',
    query: z.strictObject({ ...range, ...logFilter, limit: wholeNumber(1, 5_000, 200) }),
    replies: { 200: z.object({ lines: z.array(LogLine) }) },
    errors: ['too_much'],
  },
  tailLogs: {
    ...common,
    method: 'GET',
    path: '/api/logs/tail',
    summary: 'Lines of logs as they come (server-sent events): `log`, and `missed` with a count.',
    stream: true,
    query: z.strictObject(logFilter),
    replies: { 200: null },
    errors: [],
  },
  searchTraces: {
    ...common,
    method: 'GET',
    path: '/api/traces',
    summary: 'Traces, newest first. `attribute` is `name=value`, of any span.',
    query: z.strictObject({
      ...range,
      service: ServiceFilter,
      name: line(200).optional(),
      minDurationMs: decimal(0, 86_400_000),
      status: z.literal('error').optional(),
      attribute: z
        .string()
        .max(300)
        .regex(/^[^=]{1,100}=.+$/, 'name=value')
        .optional(),
      limit: wholeNumber(1, 500, 50),
    }),
    replies: { 200: z.object({ traces: z.array(TraceSearchHit) }) },
    errors: ['too_much'],
  },
  getTrace: {
    ...common,
    method: 'GET',
    path: '/api/traces/:traceId',
    summary:
      'One trace as a waterfall, with its critical path, linked batches and its logs. By its id, or by ' +
      'that of an order.',
    params: z.strictObject({ traceId: TraceOrOrderId }),
    replies: { 200: TraceView },
    errors: ['trace_not_found', 'too_much'],
  },
  listWatchedServices: {
    ...common,
    method: 'GET',
    path: '/api/services',
    summary:
      'Every service with rate, errors and duration of 5 minutes, saturation, and who calls whom.',
    query: z.strictObject(range),
    replies: {
      200: z.object({
        services: z.array(WatchedService),
        edges: z.array(
          z.object({
            from: z.string(),
            to: z.string(),
            kind: z.enum(['call', 'message', 'link']),
            count: z.int(),
            errors: z.int(),
            p50Ms: z.number().nullable(),
            p99Ms: z.number().nullable(),
          }),
        ),
        /** Links and databases are those of the newest spans only; calls are counted over all. */
        sampled: z.boolean(),
      }),
    },
    errors: ['too_much'],
  },
  watchService: {
    ...common,
    method: 'POST',
    path: '/api/services',
    summary: 'Watch a service of your own: its /metrics is read from now on.',
    body: z.strictObject({
      name: WatchedName,
      metricsUrl: z.url({ protocol: /^https?$/ }).max(500),
    }),
    replies: { 201: z.object({ name: z.string(), metricsUrl: z.string() }) },
    errors: ['taken', 'address_refused', 'watching_enough'],
  },
  unwatchService: {
    ...common,
    method: 'DELETE',
    path: '/api/services/:name',
    summary: 'Watch a service of your own no longer. What is known of it stays until it is old.',
    params: z.strictObject({ name: WatchedName }),
    replies: { 204: null },
    errors: ['unknown_service', 'part_of_shop'],
  },
  listAlerts: {
    ...common,
    method: 'GET',
    path: '/api/alerts',
    summary: 'Alerts that are pending or firing, the rules, and what was resolved lately.',
    replies: { 200: AlertsView },
    errors: [],
  },
  addSilence: {
    ...common,
    method: 'POST',
    path: '/api/silences',
    summary: 'Send nothing about these alerts until then; they are judged and shown all the same.',
    body: NewSilence,
    replies: { 201: Silence },
    errors: ['bad_request'],
  },
  endSilence: {
    ...common,
    method: 'DELETE',
    path: '/api/silences/:id',
    summary: 'End a silence now.',
    params: z.strictObject({ id: z.uuid().toLowerCase() }),
    replies: { 204: null },
    errors: ['silence_not_found'],
  },
  listSlos: {
    ...common,
    method: 'GET',
    path: '/api/slos',
    summary: 'What is promised of the order path, what is kept, and how fast the budget burns.',
    replies: { 200: z.object({ slos: z.array(Slo) }) },
    errors: ['too_much'],
  },
  listAnomalies: {
    ...common,
    method: 'GET',
    path: '/api/anomalies',
    summary: 'What is unusual in the last 15 minutes, with the points and lines that show it.',
    query: z.strictObject({ to: Time.optional() }),
    replies: {
      200: z.object({
        from: Time,
        to: Time,
        /** Series and templates that were looked at; what was too much to read is skipped. */
        looked: z.object({ series: z.int(), templates: z.int(), skipped: z.array(z.string()) }),
        anomalies: z.array(Anomaly),
      }),
    },
    errors: ['too_much'],
  },
  runSql: {
    ...common,
    method: 'POST',
    path: '/api/sql',
    summary: 'One SELECT over telemetry: read only, within limits of time, memory and rows.',
    body: z.strictObject({ sql: z.string().min(1).max(limits.queryLengthMax) }),
    replies: {
      200: z.object({
        columns: z.array(z.object({ name: z.string(), type: z.string() })),
        rows: z.array(z.array(z.union([z.string(), z.number(), z.boolean(), z.null()])).readonly()),
        truncated: z.boolean(),
        durationMs: z.number(),
      }),
    },
    errors: ['query_refused', 'too_much'],
  },
} as const satisfies Record<string, Route>;

type MonitorApi = typeof monitorApi;

/** Where the gateway serves what is at this path of the monitor. */
export function monitorPathAtGateway(path: string): string {
  return path.replace(/^\/api\//, '/api/monitor/');
}

/** The same routes as the gateway serves them, by the same names. */
export const monitorApiAtGateway = Object.fromEntries(
  Object.entries(monitorApi).map(([name, route]) => [
    name,
    { ...route, path: monitorPathAtGateway(route.path) },
  ]),
) as unknown as { [N in keyof MonitorApi]: Omit<MonitorApi[N], 'path'> & { path: string } };
