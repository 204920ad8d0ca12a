// Figures: time series of any expression, how long routes take, what the shop sells.

import type { Handlers } from '@rushlight/chassis';
import type { monitorApi } from '@rushlight/contracts';
import type { Range, Series } from '../model.ts';
import { evaluateRange } from '../promql/evaluate.ts';
import { analyticsMetrics, analyticsOf } from '../read/analytics.ts';
import { type Counting, watchedSince } from '../read/increases.ts';
import { performanceOf, type SlowTrace } from '../read/performance.ts';
import { type ApiParts, finite, rangeOf, stepMsOf } from './parts.ts';
import { iso } from './times.ts';

type FigureHandlers = Pick<
  Handlers<typeof monitorApi>,
  'queryMetrics' | 'routePerformance' | 'shopAnalytics'
>;

const pointsMax = 600;
const itemsMax = 20;
/** So that the first growth in the range has something to grow from: a few scrapes. */
const lookBackMs = 120_000;
const performanceMetrics = [
  'http_request_duration_seconds_bucket',
  'http_request_duration_seconds_count',
  'http_request_duration_seconds_sum',
  'http_requests_total',
] as const;

export function figureHandlers(parts: ApiParts): FigureHandlers {
  const { env, series } = parts;
  return {
    queryMetrics: async ({ query }) => {
      const range = rangeOf(query, env.nowMs());
      if (query.query === undefined) {
        const names = new Set<string>();
        for (const labels of await series.labelSets([], range)) names.add(labels['__name__'] ?? '');
        return { status: 200, body: { names: [...names].sort(), series: [] } };
      }
      const stepMs = stepMsOf(range, query.stepS, pointsMax);
      const found = await evaluateRange(query.query, { ...range, stepMs }, series);
      return { status: 200, body: { names: [], series: found.map(timeSeriesOf) } };
    },
    routePerformance: async ({ query }) => {
      const range = rangeOf(query, env.nowMs());
      const routes = performanceOf({
        series: await selectAll(parts, performanceMetrics, range, query.service),
        counting: await countingFrom(parts, range),
        windowS: (range.toMs - range.fromMs) / 1000,
        traces: await slowTraces(parts, range),
      });
      const body = {
        ...{ from: iso(range.fromMs), to: iso(range.toMs) },
        routes: routes.map(({ slowest, ...route }) => ({
          ...route,
          slowest: slowest.map(({ atMs, ...trace }) => ({ ...trace, at: iso(atMs) })),
        })),
      };
      return { status: 200, body };
    },
    shopAnalytics: async ({ query }) => {
      const range = rangeOf(query, env.nowMs());
      const { throughput, ...figures } = analyticsOf({
        series: await selectAll(parts, analyticsMetrics, range),
        counting: await countingFrom(parts, range),
        toMs: range.toMs,
        stepMs: stepMsOf(range, query.stepS, pointsMax),
        itemsMax,
      });
      const body = {
        ...{ from: iso(range.fromMs), to: iso(range.toMs) },
        ...figures,
        throughput: throughput.map(({ atMs, ...rates }) => ({ at: iso(atMs), ...rates })),
      };
      return { status: 200, body };
    },
  };
}

function timeSeriesOf({ labels, atMs, values }: Series) {
  const points = Array.from(atMs, (at, i): [number, number | null] => [
    at,
    finite(values[i] ?? Number.NaN),
  ]);
  return { labels: { ...labels }, points };
}

const early = ({ fromMs, toMs }: Range): Range => ({ fromMs: fromMs - lookBackMs, toMs });

async function selectAll(
  { series }: ApiParts,
  names: readonly string[],
  range: Range,
  service?: string,
): Promise<Series[]> {
  const ofService =
    service === undefined ? [] : [{ label: 'service', operator: '=' as const, value: service }];
  const found: Series[] = [];
  for (const value of names) {
    const named = { label: '__name__', operator: '=' as const, value };
    found.push(...(await series.select([named, ...ofService], early(range))));
  }
  return found;
}

/** What is counted, and since when each instance is watched: since its first `up`. */
async function countingFrom({ series }: ApiParts, range: Range): Promise<Counting> {
  const up = { label: '__name__', operator: '=' as const, value: 'up' };
  const watchedSinceMs = watchedSince(await series.select([up], early(range)));
  return { fromMs: range.fromMs, watchedSinceMs };
}

type RouteTrace = SlowTrace & { service: string; method: string; route: string };
type TraceRow = {
  service: string | null;
  method: string | null;
  route: string | null;
  trace_id: string;
  duration_ms: number;
  at_ms: number;
};

/**
 * The slowest traces of each route, from exemplars and from servers' spans. The route is looked up
 * for the slowest of each name alone: to read the attributes of every span takes ten times as long.
 */
async function slowTraces({ store }: ApiParts, range: Range): Promise<RouteTrace[]> {
  const exemplars = await store.rows<TraceRow>(
    `SELECT labels->>'$.service' AS service, labels->>'$.method' AS method,
        labels->>'$.route' AS route, trace_id, value * 1000 AS duration_ms, at_ms::DOUBLE AS at_ms
      FROM exemplars JOIN series USING (series_id)
      WHERE name = 'http_request_duration_seconds_bucket' AND at_ms BETWEEN ? AND ?
      QUALIFY row_number() OVER (PARTITION BY service, method, route ORDER BY value DESC) <= 5`,
    [range.fromMs, range.toMs],
  );
  const spans = await store.rows<TraceRow>(
    `WITH slowest AS (
        SELECT unnest(max_by(rowid, duration_us, 20)) AS id
        FROM spans WHERE kind = 'server' AND start_us BETWEEN ? AND ? GROUP BY service, name
      )
      SELECT service, attributes->>'$."http.request.method"' AS method,
        attributes->>'$."http.route"' AS route, trace_id,
        duration_us / 1000 AS duration_ms, start_us / 1000 AS at_ms
      FROM spans WHERE rowid IN (SELECT id FROM slowest)
      QUALIFY row_number() OVER (PARTITION BY service, method, route ORDER BY duration_us DESC) <= 5`,
    [range.fromMs * 1000, range.toMs * 1000],
  );
  return [...exemplars, ...spans].map(
    ({ service, method, route, trace_id, duration_ms, at_ms }) => ({
      ...{ service: service ?? 'unknown', method: method ?? '', route: route ?? '' },
      ...{ traceId: trace_id, durationMs: duration_ms, atMs: at_ms },
    }),
  );
}
