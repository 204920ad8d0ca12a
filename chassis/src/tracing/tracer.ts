// Spans of a service. They cost next to nothing until they end; most are forgotten then.
//
// R1. A span is kept when its trace is, when it failed, or when it was slow.
// R2. Work that runs inside a span finds it by asking, so that nobody passes it along by hand.

import { AsyncLocalStorage } from 'node:async_hooks';
import type { SpanAttributes } from '@rushlight/contracts';
import type { Environment } from '../environment.ts';
import { newSpanId, newTrace, type TraceContext } from './trace-context.ts';

export type SpanKind = 'internal' | 'server' | 'client' | 'producer' | 'consumer';

/** A span that ended. Instants are milliseconds since 1970, with fractions. */
export type FinishedSpan = {
  readonly context: TraceContext;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly kind: SpanKind;
  readonly startMs: number;
  readonly durationMs: number;
  /** What went wrong, in a sentence. */
  readonly failure: string | undefined;
  readonly attributes: SpanAttributes;
  readonly links: readonly TraceContext[];
};

export type SpanSink = { add(span: FinishedSpan): void };

export type SpanOptions = {
  kind?: SpanKind;
  /** The span above it; otherwise the one that the present work runs in, otherwise none. */
  parent?: TraceContext | undefined;
  /** Its own ids where they are known beforehand, as those of an order's steps are. */
  context?: TraceContext;
  /** Whether a trace that begins here is kept for its own sake. */
  sampled?: boolean;
  attributes?: SpanAttributes;
  links?: readonly TraceContext[];
};

export type OpenSpan = {
  readonly context: TraceContext;
  set(attributes: SpanAttributes): void;
  link(to: TraceContext): void;
  /** Says that it failed, and why. */
  fail(why: string): void;
  /** The second and later times do nothing. */
  end(): void;
};

export type Tracer = {
  begin(name: string, options?: SpanOptions): OpenSpan;
  /** Runs work inside a span (R2), and does not end it. */
  within<T>(span: OpenSpan, work: () => T): T;
  /** The span that the present work runs in. */
  current(): TraceContext | undefined;
};

export type TracerOptions = {
  sink: SpanSink;
  env: Pick<Environment, 'monotonicMs' | 'nowMs' | 'newId'>;
  /** What takes longer is slow (R1); 1,000 ms unless given. */
  slowMs?: number;
};

const linksMax = 128;

export function createTracer({ sink, env, slowMs = 1_000 }: TracerOptions): Tracer {
  const running = new AsyncLocalStorage<TraceContext>();
  const contextFor = ({ context, parent, sampled = false }: SpanOptions): TraceContext => {
    if (context) return context;
    if (!parent) return newTrace(env, sampled);
    return { traceId: parent.traceId, spanId: newSpanId(env), sampled: parent.sampled };
  };
  return {
    begin: (name, given = {}) => {
      const parent = given.parent ?? (given.context ? undefined : running.getStore());
      const context = contextFor({ ...given, parent });
      return openSpan({ name, given, parent, context, sink, env, slowMs });
    },
    within: (span, work) => running.run(span.context, work),
    current: () => running.getStore(),
  };
}

type Opening = Required<Pick<TracerOptions, 'sink' | 'env' | 'slowMs'>> & {
  name: string;
  given: SpanOptions;
  parent: TraceContext | undefined;
  context: TraceContext;
};

function openSpan({ name, given, parent, context, sink, env, slowMs }: Opening): OpenSpan {
  const startMs = env.nowMs();
  const begunMs = env.monotonicMs();
  let { attributes = {}, links = [] } = given;
  let failure: string | undefined;
  let isOpen = true;
  return {
    context,
    set: (more) => {
      attributes = { ...attributes, ...more };
    },
    link: (to) => {
      if (links.length < linksMax) links = [...links, to];
    },
    fail: (why) => {
      failure ??= why;
    },
    end: () => {
      if (!isOpen) return;
      isOpen = false;
      const durationMs = env.monotonicMs() - begunMs;
      if (!context.sampled && failure === undefined && durationMs < slowMs) return; // R1
      const { kind = 'internal' } = given;
      const parentSpanId = parent?.spanId;
      const ended = { name, kind, startMs, durationMs, failure, attributes, links };
      sink.add({ context, parentSpanId, ...ended });
    },
  };
}
