// How long the monitor's own API takes to answer, about a shop that was watched for two hours.

import type { Environment, Log } from '@rushlight/chassis';
import { monitorApi, pathOf } from '@rushlight/contracts';
import { monitorHandlers } from '../api/handlers.ts';
import { LogFeed } from '../api/log-feed.ts';
import type { ApiParts } from '../api/parts.ts';
import { createLooking } from '../api/unusual.ts';
import type { TelemetryStore } from '../store/face.ts';
import { shopServices, shopTraceId } from './shop-telemetry.ts';

type Name = keyof typeof monitorApi;
type Call = { query?: Record<string, unknown>; params?: Record<string, string>; body?: unknown };

/** Each about the last fifteen minutes, as the console asks. */
const calls: readonly (readonly [Name, Call])[] = [
  ['monitorHealth', {}],
  ['monitorSummary', {}],
  ['queryMetrics', { query: {} }],
  ['queryMetrics', { query: { query: 'sum by (service) (rate(http_requests_total[1m]))' } }],
  ['routePerformance', { query: {} }],
  ['shopAnalytics', { query: {} }],
  ['searchLogs', { query: { limit: 200 } }],
  ['analyzeErrors', { query: { level: 'warn', limit: 50 } }],
  ['searchTraces', { query: { limit: 50 } }],
  ['searchTraces', { query: { status: 'error', limit: 50 } }],
  ['getTrace', { params: { traceId: shopTraceId(100) } }],
  ['listWatchedServices', { query: {} }],
  ['listSlos', {}],
  ['listAnomalies', { query: {} }],
  ['runSql', { body: { sql: 'SELECT service, count(*) FROM spans GROUP BY ALL' } }],
];

export type Asked = { name: string; ask: () => Promise<unknown> };

/** Without what has no part in the store: nothing alerts, and nobody is watched. */
export function endpointCalls(store: TelemetryStore, env: Environment, log: Log): Asked[] {
  const nothing = { alerts: [], rules: [], history: [], silences: [], notifiers: [] };
  const parts: ApiParts = {
    ...{ env, log, store, series: store.series, otlpPort: null, feed: new LogFeed(env) },
    alerting: {
      report: () => nothing,
      silence: () => {
        throw new Error('Not measured.');
      },
      endSilence: () => false,
    },
    targets: {
      list: () => shopServices.map((name) => ({ name, up: true, own: true })),
      watch: () => Promise.resolve(),
      unwatch: () => Promise.resolve(),
    },
  };
  const handlers = monitorHandlers(parts, createLooking(parts)) as Record<
    Name,
    (...given: unknown[]) => Promise<unknown>
  >;
  return calls.map(([name, call]) => ({
    name: titleOf(name, call),
    ask: async () => JSON.stringify(await handlers[name]({ query: {}, ...call }, {})),
  }));
}

function titleOf(name: Name, { params, query }: Call): string {
  const { method } = monitorApi[name];
  const asked = new URLSearchParams(
    Object.entries(query ?? {}).map(([key, value]) => [key, `${value}`]),
  );
  const path = pathOf(monitorApi[name], params);
  return asked.size === 0
    ? `${method} ${path}`
    : `${method} ${path}?${decodeURIComponent(`${asked}`)}`;
}
