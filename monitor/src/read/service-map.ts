// Who calls whom, as spans tell it.
//
// M1. A service's requests are its server and consumer spans, or its roots where it has none of
//     these; what it does inside of them is not counted again.
// M2. An edge needs both ends: a parent and a child that serves or consumes, or two linked spans, of
//     two services. Linked spans count once however often they name each other, from the one that
//     began first. Other work that stands below a span of another service was not asked for by it.
// M3. A client's span of a database is an edge to that database, which sends no spans itself.

import type { Span } from '../model.ts';
import { type Percentiles, percentilesOf } from './numbers.ts';

export type Load = {
  count: number;
  /** A second, over the window. */
  rate: number;
  errors: number;
  errorShare: number;
  /** Milliseconds; null where nothing was counted. */
  durationMs: Percentiles | null;
};
export type MapNode = Load & { service: string; kind: 'service' | 'database' };
export type MapEdge = Load & { from: string; to: string; kind: 'call' | 'message' | 'link' };
export type ServiceMap = { nodes: MapNode[]; edges: MapEdge[] };

type Heap = { durationsMs: number[]; errors: number };
type EdgeName = { from: string; to: string; kind: MapEdge['kind'] };

/** @param windowS the length of the time from which the spans are */
export function serviceMapOf(spans: readonly Span[], windowS: number): ServiceMap {
  const byId = new Map<string, Span>();
  for (const span of spans) if (!byId.has(idOf(span))) byId.set(idOf(span), span);
  const nodes = new Map<string, Heap & { kind: MapNode['kind'] }>();
  const edges = new Map<string, Heap & EdgeName>();
  const addEdge = (name: EdgeName, span: Span): void => {
    const key = `${name.from}\u0000${name.to}\u0000${name.kind}`;
    const edge = edges.get(key) ?? { ...name, durationsMs: [], errors: 0 };
    edges.set(key, edge);
    put(edge, span);
  };
  const nodeOf = (service: string, kind: MapNode['kind']) => {
    const node = nodes.get(service) ?? { kind, durationsMs: [], errors: 0 };
    nodes.set(service, node);
    return node;
  };
  const serving = servicesWithEntries(byId.values());
  for (const span of byId.values()) {
    const node = nodeOf(span.service, 'service');
    if (isRequest(span, byId, serving)) put(node, span);
    const parent = byId.get(`${span.traceId}${span.parentSpanId}`);
    if (parent !== undefined && parent.service !== span.service && isEntry(span)) {
      const kind = isMessage(parent, span) ? 'message' : 'call';
      addEdge({ from: parent.service, to: span.service, kind }, span);
    }
    const database = databaseOf(span);
    if (database === undefined) continue;
    put(nodeOf(database, 'database'), span);
    addEdge({ from: span.service, to: database, kind: 'call' }, span);
  }
  for (const { from, to } of linksOf(byId)) {
    addEdge({ from: from.service, to: to.service, kind: 'link' }, to);
  }
  return {
    nodes: [...nodes]
      .map(([service, heap]) => ({ service, kind: heap.kind, ...loadOf(heap, windowS) }))
      .sort((a, b) => compare(a.service, b.service)),
    edges: [...edges.values()]
      .map(({ from, to, kind, ...heap }) => ({ from, to, kind, ...loadOf(heap, windowS) }))
      .sort((a, b) => compare(a.from, b.from) || compare(a.to, b.to) || compare(a.kind, b.kind)),
  };
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const idOf = (span: { traceId: string; spanId: string }): string => span.traceId + span.spanId;

function put(heap: Heap, span: Span): void {
  heap.durationsMs.push(span.durationUs / 1000);
  if (span.status === 'error') heap.errors += 1;
}

function loadOf({ durationsMs, errors }: Heap, windowS: number): Load {
  const count = durationsMs.length;
  return {
    count,
    rate: windowS > 0 ? count / windowS : 0,
    errors,
    errorShare: count === 0 ? 0 : errors / count,
    durationMs: percentilesOf(durationsMs),
  };
}

const isEntry = ({ kind }: Span): boolean => kind === 'server' || kind === 'consumer';

function servicesWithEntries(spans: Iterable<Span>): Set<string> {
  const services = new Set<string>();
  for (const span of spans) if (isEntry(span)) services.add(span.service);
  return services;
}

function isRequest(span: Span, byId: Map<string, Span>, serving: Set<string>): boolean {
  if (isEntry(span)) return true;
  if (serving.has(span.service)) return false;
  return byId.get(`${span.traceId}${span.parentSpanId}`)?.service !== span.service;
}

function isMessage(parent: Span, child: Span): boolean {
  return parent.kind === 'producer' || child.kind === 'consumer';
}

function databaseOf({ kind, attributes }: Span): string | undefined {
  if (kind !== 'client') return undefined;
  // The present name in OpenTelemetry's conventions, and the one before it.
  const system = attributes['db.system.name'] ?? attributes['db.system'];
  return typeof system === 'string' && system !== '' ? system : undefined;
}

/** Pairs of linked spans of two services, each once, in the order in which they began (M2). */
function linksOf(byId: Map<string, Span>): { from: Span; to: Span }[] {
  const pairs = new Map<string, { from: Span; to: Span }>();
  for (const span of byId.values()) {
    for (const link of span.links) {
      const other = byId.get(idOf(link));
      if (other === undefined || other.service === span.service) continue;
      const isLater = other.startUs > span.startUs;
      const pair = isLater ? { from: span, to: other } : { from: other, to: span };
      const key = [idOf(span), idOf(other)].sort(compare).join();
      if (!pairs.has(key)) pairs.set(key, pair);
    }
  }
  return [...pairs.values()];
}
