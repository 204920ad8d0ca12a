// How long requests took, by route, from the services' histograms.

import type { Series } from '../model.ts';
import { histogramQuantile } from '../promql/histogram-quantile.ts';
import { type Counting, increaseOf } from './increases.ts';

export type SlowTrace = { traceId: string; durationMs: number; atMs: number };

export type RoutePerformance = {
  service: string;
  method: string;
  route: string;
  count: number;
  /** A second, over the window. */
  rate: number;
  /** Answered 5xx. */
  errors: number;
  averageMs: number | null;
  p50Ms: number | null;
  p95Ms: number | null;
  p99Ms: number | null;
  /** Slowest first. */
  slowest: SlowTrace[];
};

export type PerformanceInput = {
  /** `http_request_duration_seconds_bucket`, `_count`, `_sum` and `http_requests_total`. */
  series: readonly Series[];
  counting: Counting;
  windowS: number;
  /** Traces known by route, from exemplars or spans. */
  traces: readonly (SlowTrace & { service: string; method: string; route: string })[];
};

type Tally = {
  service: string;
  method: string;
  route: string;
  buckets: Map<number, number>;
  count: number;
  sumS: number;
  errors: number;
};

const slowestMax = 3;

/** Every route that was asked in the window, slowest (by its 99th percentile) first. */
export function performanceOf(input: PerformanceInput): RoutePerformance[] {
  const { series, counting, windowS, traces } = input;
  const tallies = new Map<string, Tally>();
  for (const one of series) {
    const by = increaseOf(one, counting);
    if (by > 0) addTo(tallyOf(tallies, one.labels), one.labels, by);
  }
  const tracesOf = Map.groupBy(traces, keyOf);
  const routes = [...tallies.values()].filter(({ count }) => count > 0);
  return routes
    .map((tally) => {
      const buckets = [...tally.buckets].map(([upperBound, count]) => ({ upperBound, count }));
      const percentileMs = (share: number): number | null => {
        const seconds = histogramQuantile(share, buckets);
        return Number.isNaN(seconds) ? null : seconds * 1000;
      };
      const { service, method, route, count, errors, sumS } = tally;
      return {
        ...{ service, method, route, count, errors },
        rate: windowS > 0 ? count / windowS : 0,
        averageMs: count > 0 ? (sumS * 1000) / count : null,
        p50Ms: percentileMs(0.5),
        p95Ms: percentileMs(0.95),
        p99Ms: percentileMs(0.99),
        slowest: slowestOf(tracesOf.get(keyOf(tally)) ?? []),
      };
    })
    .sort((a, b) => (b.p99Ms ?? 0) - (a.p99Ms ?? 0) || b.count - a.count);
}

type RouteName = { service: string; method: string; route: string };
const keyOf = ({ service, method, route }: RouteName): string =>
  `${service}\u0000${method}\u0000${route}`;

function tallyOf(tallies: Map<string, Tally>, labels: Readonly<Record<string, string>>): Tally {
  const { service = 'unknown', method = '', route = '' } = labels;
  const name = { service, method, route };
  const known = tallies.get(keyOf(name));
  const tally = known ?? { ...name, buckets: new Map(), count: 0, sumS: 0, errors: 0 };
  tallies.set(keyOf(name), tally);
  return tally;
}

function addTo(tally: Tally, labels: Readonly<Record<string, string>>, by: number): void {
  switch (labels['__name__']) {
    case 'http_request_duration_seconds_bucket': {
      const le = labels['le'] === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels['le']);
      tally.buckets.set(le, (tally.buckets.get(le) ?? 0) + by);
      break;
    }
    case 'http_request_duration_seconds_count':
      tally.count += by;
      break;
    case 'http_request_duration_seconds_sum':
      tally.sumS += by;
      break;
    case 'http_requests_total':
      if (/^5/.test(labels['status'] ?? '')) tally.errors += by;
      break;
  }
}

function slowestOf(traces: readonly SlowTrace[]): SlowTrace[] {
  const longest = new Map<string, SlowTrace>();
  for (const { traceId, durationMs, atMs } of traces) {
    const known = longest.get(traceId);
    if (known && known.durationMs >= durationMs) continue;
    longest.set(traceId, { traceId, durationMs, atMs });
  }
  return [...longest.values()].sort((a, b) => b.durationMs - a.durationMs).slice(0, slowestMax);
}
