// Services: rate, errors, duration and saturation of each, who calls whom, and watching one more.

import type { Handlers } from '@rushlight/chassis';
import type { monitorApi } from '@rushlight/contracts';
import { evaluateInstant } from '../promql/evaluate.ts';
import { type MapEdge, type MapNode, serviceMapOf } from '../read/service-map.ts';
import type { ServiceEdge } from '../store/face.ts';
import { type ApiParts, inUs, rangeOf } from './parts.ts';

type ServiceHandlers = Pick<
  Handlers<typeof monitorApi>,
  'listWatchedServices' | 'watchService' | 'unwatchService'
>;

/** Spans in which kinds of edges, links and databases are looked for: the newest. */
const mapSpansMax = 3_000;

export function serviceHandlers(parts: ApiParts): ServiceHandlers {
  const { env, store, targets } = parts;
  return {
    listWatchedServices: async ({ query }) => {
      const range = rangeOf(query, env.nowMs());
      const limit = mapSpansMax;
      const [spans, calls, red, named] = await Promise.all([
        store.reads.spansBetween({ ...inUs(range), limit }),
        store.reads.serviceEdges(inUs(range)),
        redOf(parts, range.toMs),
        store.reads.services(inUs(range)),
      ]);
      const { nodes, edges } = serviceMapOf(spans, (range.toMs - range.fromMs) / 1000);
      const nodeOf = new Map(nodes.map((node) => [node.service, node]));
      const known = targets.list();
      const names = new Set([...named, ...known.map(({ name }) => name), ...nodeOf.keys()]);
      const body = {
        services: [...names].sort().map((name) => {
          const target = known.find((one) => one.name === name);
          return { ...serviceOf(name, nodeOf.get(name), red), ...stateOf(target) };
        }),
        edges: joined(edges, calls),
        sampled: spans.length >= limit,
      };
      return { status: 200, body };
    },
    watchService: async ({ body }) => {
      const { name, metricsUrl } = body;
      await targets.watch(name, metricsUrl);
      return { status: 201, body: { name, metricsUrl } };
    },
    unwatchService: async ({ params }) => {
      await targets.unwatch(params.name);
      return { status: 204, body: undefined };
    },
  };
}

const stateOf = (target: { up: boolean; own: boolean } | undefined) => ({
  up: target?.up ?? null,
  own: target?.own ?? false,
});

/** Calls are counted over all spans; what only the newest ones show is added as they show it. */
function joined(seen: readonly MapEdge[], calls: readonly ServiceEdge[]) {
  const keyOf = (from: string, to: string): string => JSON.stringify([from, to]);
  const counted = new Set(calls.map(({ caller, callee }) => keyOf(caller, callee)));
  const messages = new Set(
    seen.filter(({ kind }) => kind === 'message').map(({ from, to }) => keyOf(from, to)),
  );
  const exact = calls.map(({ caller, callee, calls: count, errors, p50Us, p99Us }) => ({
    ...{ from: caller, to: callee, count, errors, p50Ms: p50Us / 1000, p99Ms: p99Us / 1000 },
    kind: messages.has(keyOf(caller, callee)) ? ('message' as const) : ('call' as const),
  }));
  const others = seen
    .filter(({ from, to, kind }) => kind === 'link' || !counted.has(keyOf(from, to)))
    .map(({ from, to, kind, count, errors, durationMs }) => ({
      ...{ from, to, kind, count, errors },
      p50Ms: durationMs?.p50 ?? null,
      p99Ms: durationMs?.p99 ?? null,
    }));
  return [...exact, ...others].sort(
    (a, b) => compare(a.from, b.from) || compare(a.to, b.to) || compare(a.kind, b.kind),
  );
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const requests = 'sum by (service) (rate(http_requests_total[5m]))';
const errors = 'sum by (service) (rate(http_requests_total{status=~"5.."}[5m]))';
/** By service; first what the recording rules have ready, then what it is made of. */
const expressions = {
  rate: ['service:http_requests:rate5m', requests],
  errors: ['service:http_errors:rate5m', errors],
  p50S: ['service:http_request_duration_seconds:p50_rate5m', quantile(0.5)],
  p99S: ['service:http_request_duration_seconds:p99_rate5m', quantile(0.99)],
  cpu: ['sum by (service) (rate(process_cpu_seconds_total[1m]))'],
  memoryBytes: ['sum by (service) (process_resident_memory_bytes)'],
  loopS: ['max by (service) (nodejs_eventloop_lag_p99_seconds)'],
} as const;

function quantile(share: number): string {
  const buckets = 'http_request_duration_seconds_bucket{route!~".*/events"}';
  return `histogram_quantile(${share}, sum by (service, le) (rate(${buckets}[5m])))`;
}

type Red = Record<keyof typeof expressions, ReadonlyMap<string, number>>;

/** Every figure by service, over the five minutes before this instant. */
export async function redOf({ series }: ApiParts, atMs: number): Promise<Red> {
  const answers: Partial<Record<keyof Red, ReadonlyMap<string, number>>> = {};
  const all = Object.entries<readonly [string, string?]>(expressions);
  await Promise.all(
    all.map(async ([name, [first, second]]) => {
      const recorded = await evaluateInstant(first, atMs, series);
      const found =
        recorded.length > 0 || second === undefined
          ? recorded
          : await evaluateInstant(second, atMs, series);
      const values = found
        .filter(({ value }) => Number.isFinite(value))
        .map(({ labels, value }) => [labels['service'] ?? 'unknown', value] as const);
      answers[name as keyof Red] = new Map(values);
    }),
  );
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
