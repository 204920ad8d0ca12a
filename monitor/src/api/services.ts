// Services: rate, errors, duration and saturation of each, who calls whom, and watching one more.

import type { Handlers } from '@rushlight/chassis';
import type { monitorApi } from '@rushlight/contracts';
import type { Range } from '../model.ts';
import { evaluateInstant } from '../promql/evaluate.ts';
import { type MapNode, serviceMapOf } from '../read/service-map.ts';
import { type ApiParts, inUs, rangeOf } from './parts.ts';

type ServiceHandlers = Pick<Handlers<typeof monitorApi>, 'listWatchedServices' | 'watchService'>;

/** Spans that the map is made of: the newest. */
const mapSpansMax = 20_000;

export function serviceHandlers(parts: ApiParts): ServiceHandlers {
  const { env, store, targets } = parts;
  return {
    listWatchedServices: async ({ query }) => {
      const range = rangeOf(query, env.nowMs());
      const limit = mapSpansMax;
      const spans = await store.reads.spansBetween({ ...inUs(range), limit });
      const { nodes, edges } = serviceMapOf(spans, (range.toMs - range.fromMs) / 1000);
      const nodeOf = new Map(nodes.map((node) => [node.service, node]));
      const red = await redOf(parts, range);
      const known = targets.list();
      const names = new Set([
        ...(await store.reads.services(inUs(range))),
        ...known.map(({ name }) => name),
        ...nodeOf.keys(),
      ]);
      const body = {
        services: [...names].sort().map((name) => {
          const target = known.find((one) => one.name === name);
          return { ...serviceOf(name, nodeOf.get(name), red), ...stateOf(target) };
        }),
        edges: edges.map(({ from, to, kind, count, errors, durationMs }) => ({
          ...{ from, to, kind, count, errors },
          p50Ms: durationMs?.p50 ?? null,
          p99Ms: durationMs?.p99 ?? null,
        })),
        sampled: spans.length >= limit,
      };
      return { status: 200, body };
    },
    watchService: async ({ body }) => {
      const { name, metricsUrl } = body;
      await targets.watch(name, metricsUrl);
      return { status: 201, body: { name, metricsUrl } };
    },
  };
}

const stateOf = (target: { up: boolean; own: boolean } | undefined) => ({
  up: target?.up ?? null,
  own: target?.own ?? false,
});

const noStream = 'route!~".*/events"';
const expressions = {
  rate: (w: string) => `sum by (service) (rate(http_requests_total[${w}]))`,
  errors: (w: string) => `sum by (service) (rate(http_requests_total{status=~"5.."}[${w}]))`,
  p50S: (w: string) => quantile(0.5, w),
  p99S: (w: string) => quantile(0.99, w),
  cpu: () => 'sum by (service) (rate(process_cpu_seconds_total[1m]))',
  memoryBytes: () => 'sum by (service) (process_resident_memory_bytes)',
  loopS: () => 'max by (service) (nodejs_eventloop_lag_p99_seconds)',
} as const;

function quantile(share: number, window: string): string {
  const buckets = `http_request_duration_seconds_bucket{${noStream}}`;
  return `histogram_quantile(${share}, sum by (service, le) (rate(${buckets}[${window}])))`;
}

type Red = Record<keyof typeof expressions, ReadonlyMap<string, number>>;

/** Every figure by service. */
export async function redOf({ series }: ApiParts, { fromMs, toMs }: Range): Promise<Red> {
  const window = `${Math.max(60, Math.round((toMs - fromMs) / 1000))}s`;
  const answers: Partial<Record<keyof Red, ReadonlyMap<string, number>>> = {};
  for (const [name, expression] of Object.entries(expressions)) {
    const found = await evaluateInstant(expression(window), toMs, series);
    const values = found
      .filter(({ value }) => Number.isFinite(value))
      .map(({ labels, value }) => [labels['service'] ?? 'unknown', value] as const);
    answers[name as keyof Red] = new Map(values);
  }
  return answers as Red;
}

function serviceOf(name: string, node: MapNode | undefined, red: Red) {
  const rate = red.rate.get(name);
  const scaled = (values: ReadonlyMap<string, number>, by: number): number | null => {
    const value = values.get(name);
    return value === undefined ? null : value * by;
  };
  const saturation = {
    cpuShare: scaled(red.cpu, 1),
    memoryMb: scaled(red.memoryBytes, 1e-6),
    eventLoopDelayMs: scaled(red.loopS, 1000),
  };
  const common = { name, kind: node?.kind ?? 'service', saturation };
  if (rate !== undefined) {
    const errorShare = rate > 0 ? (red.errors.get(name) ?? 0) / rate : null;
    const durations = { p50Ms: scaled(red.p50S, 1000), p99Ms: scaled(red.p99S, 1000) };
    return { ...common, rate, errorShare, ...durations, from: 'metrics' as const };
  }
  const hasSpans = node !== undefined && node.count > 0;
  return {
    ...common,
    rate: node?.rate ?? 0,
    errorShare: hasSpans ? node.errorShare : null,
    p50Ms: node?.durationMs?.p50 ?? null,
    p99Ms: node?.durationMs?.p99 ?? null,
    from: hasSpans ? ('traces' as const) : ('nothing' as const),
  };
}
