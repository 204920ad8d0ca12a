// Where the spans of a process begin that have none above them here: a request, a message, the work
// that a service does of its own accord.

import type { Route, SpanAttributes } from '@rushlight/contracts';
import type { Environment } from '../environment.ts';
import { createSampler, type Sampler } from './sampler.ts';
import { type FinishedSpan, Span, type SpanHome, type SpanStart } from './span.ts';
import { parseTraceparent } from './trace-context.ts';

export type SpanSink = { add(span: FinishedSpan): void };

export type Tracer = {
  /** A span without one above it in this process. */
  begin(start: SpanStart): Span;
  /**
   * The span of a request.
   *
   * @param traceparent the header, or nothing. From a stranger it is a link: what we keep is ours to decide.
   */
  beginRequest(route: Route, traceparent: string, from: 'ours' | 'stranger'): Span;
};

export type TracerOptions = {
  sink: SpanSink;
  env: Pick<Environment, 'monotonicMs' | 'nowMs' | 'newId' | 'random'>;
  /** Traces of orders to keep a second, and as many of all other requests together. */
  keptPerS: number;
  /** What takes longer is kept; 1,000 ms unless given. */
  slowMs?: number;
};

/** Failed and slow spans to keep a second, beyond those of kept traces. */
const exceptionalPerS = 100;
/** What the wall clock may be off before it counts as set anew. */
const wallJumpMs = 5;

export function createTracer({ sink, env, keptPerS, slowMs = 1_000 }: TracerOptions): Tracer {
  const home: SpanHome = {
    env,
    wallMs: wallClock(env),
    slowMs,
    keep: (span) => sink.add(span),
    exceptional: createSampler(exceptionalPerS, env),
  };
  const orders = createSampler(keptPerS, env);
  const others = createSampler(keptPerS, env);
  const samplerOf = ({ priority }: Route): Sampler => (priority === 'checkout' ? orders : others);
  const knownOf = new Map<Route, { name: string; attributes: SpanAttributes }>();
  const known = (route: Route) => {
    const found = knownOf.get(route);
    if (found) return found;
    const { method, path } = route;
    const attributes = { 'http.request.method': method, 'http.route': path };
    const made = { name: `${method} ${path}`, attributes };
    knownOf.set(route, made);
    return made;
  };
  return {
    begin: (start) => new Span(home, start),
    beginRequest: (route, traceparent, from) => {
      const given = parseTraceparent(traceparent);
      const { name, attributes } = known(route);
      const kind = 'server';
      if (from === 'ours') return new Span(home, { name, kind, attributes, parent: given });
      const kept = samplerOf(route).decide();
      const links = given ? [given] : [];
      return new Span(home, { name, kind, attributes, kept, links });
    },
  };
}

/**
 * The wall clock with the resolution of the other, so that a span does not begin before the one above
 * it. It follows when the wall clock was set.
 */
function wallClock(
  env: Pick<Environment, 'monotonicMs' | 'nowMs'>,
): (monotonicMs: number) => number {
  const apart = (): number => env.nowMs() - env.monotonicMs();
  let apartMs = apart();
  return (monotonicMs) => {
    if (Math.abs(apart() - apartMs) > wallJumpMs) apartMs = apart();
    return apartMs + monotonicMs;
  };
}
