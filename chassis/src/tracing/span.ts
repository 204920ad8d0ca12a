// A span. It costs next to nothing until it ends; most are forgotten then.
//
// R1. A span is kept when its trace is, when it failed, or when it was slow. The last two are thinned
//     out where there are very many.
// R2. Work that runs inside a span finds it by asking, so that nobody passes it along by hand.
// R3. A span of a batch stands in the trace of the batch, and, for each kept trace that the batch works
//     for, once more there; both are linked to each other. What runs below it does the same.

import { AsyncLocalStorage } from 'node:async_hooks';
import { isTraceKept, newTraceId, type SpanAttributes, traceIdOfOrder } from '@rushlight/contracts';
import type { Environment } from '../environment.ts';
import type { Sampler } from './sampler.ts';
import { newSpanId, partSpanId, rootSpanId, type TraceContext } from './trace-context.ts';

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

/** What all spans of a process share. */
export type SpanHome = {
  env: Pick<Environment, 'monotonicMs' | 'newId'>;
  /** The wall clock at an instant of the other. */
  wallMs(monotonicMs: number): number;
  keep(span: FinishedSpan): void;
  /** Asked for each that is kept only because it failed or was slow. */
  exceptional: Sampler;
  /** What takes longer is slow. */
  slowMs: number;
};

export type SpanStart = {
  name: string;
  kind?: SpanKind;
  /** The span above it; without one a trace begins, kept or not as `kept` says. */
  parent?: Span | TraceContext | undefined;
  kept?: boolean;
  attributes?: SpanAttributes;
  links?: readonly TraceContext[];
};

/** A trace that a batch works for, and what stands above the batch there. */
type Part = { readonly traceId: string; readonly parentSpanId: string };

const linksMax = 128;
const partsMax = 64;

const running = new AsyncLocalStorage<Span>();

/** The span that the present work runs in. */
export function currentSpan(): Span | undefined {
  return running.getStore();
}

/** Runs work inside a span (R2), and does not end it. */
export function inSpan<T>(span: Span, work: () => T): T {
  return running.run(span, work);
}

/** Ends these spans with the work that they stand for; as failures when it throws. */
export async function endingWith<T>(spans: readonly Span[], work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    for (const span of spans) span.failWith(error);
    throw error;
  } finally {
    for (const span of spans) span.end();
  }
}

/** Runs work that goes on for itself, whoever gave the occasion. */
export function outsideSpans<T>(work: () => T): T {
  return running.exit(work);
}

export class Span implements TraceContext {
  readonly name: string;
  readonly #home: SpanHome;
  readonly #kind: SpanKind;
  readonly parent: Span | TraceContext | undefined;
  #attributes: SpanAttributes;
  readonly #begunMs: number;
  /** Those that this batch was made of; each knows its batches. */
  #members: readonly Span[] = [];
  #batches: Span[] | undefined;
  #links: readonly TraceContext[];
  #parts: Part[] | undefined;
  #sampled: boolean;
  #traceId: string | undefined;
  #spanId: string | undefined;
  #failure: { type: string; why: string } | undefined;
  #isOpen = true;

  constructor(home: SpanHome, start: SpanStart) {
    const { name, kind = 'internal', parent, kept = false, attributes = {}, links = [] } = start;
    this.name = name;
    this.#home = home;
    this.#kind = kind;
    this.parent = parent;
    this.#attributes = attributes;
    this.#links = links;
    this.#sampled = parent ? parent.sampled : kept;
    this.#begunMs = home.env.monotonicMs();
    if (parent instanceof Span && parent.#parts) {
      const above = parent.spanId;
      this.#parts = parent.#parts.map(({ traceId }) => ({
        traceId,
        parentSpanId: partSpanId(traceId, above),
      }));
    }
  }

  // Ids are made when they are asked for: of most spans nobody asks.
  get traceId(): string {
    this.#traceId ??= this.parent?.traceId ?? newTraceId(this.#home.env.newId(), this.#sampled);
    return this.#traceId;
  }

  get spanId(): string {
    // That of a kept trace's root is known to those who come later; nobody looks for the others.
    const isRoot = this.#sampled && this.parent === undefined;
    this.#spanId ??= isRoot ? rootSpanId(this.traceId) : newSpanId(this.#home.env);
    return this.#spanId;
  }

  get sampled(): boolean {
    return this.#sampled;
  }

  /** A span below this one, in the same process. */
  child(start: Omit<SpanStart, 'parent' | 'kept'>): Span {
    return new Span(this.#home, { ...start, parent: this });
  }

  /**
   * Says that it works for the orders of these too: it becomes a part of their traces (R3).
   *
   * @param things events, or parts of a request: those with an `orderId` are about an order, those with
   *   a `traceId` about one to come
   * @param above the span that handed them over, if it had parts of them as well
   */
  adopt(things: unknown, above?: TraceContext): void {
    if (!Array.isArray(things)) return;
    for (const thing of things as ({ orderId?: unknown; traceId?: unknown } | null)[]) {
      const id = thing?.orderId ?? thing?.traceId;
      if (typeof id !== 'string' || !isTraceKept(id)) continue;
      const traceId = traceIdOfOrder(id);
      const parentSpanId = above ? partSpanId(traceId, above.spanId) : rootSpanId(traceId);
      this.#addPart({ traceId, parentSpanId });
    }
  }

  #addPart(part: Part): void {
    // Its own trace needs no second span.
    if (this.parent && this.traceId === part.traceId) return;
    this.#parts ??= [];
    if (this.#parts.length >= partsMax) return;
    if (this.#parts.some(({ traceId }) => traceId === part.traceId)) return;
    this.#parts.push(part);
    this.#sampled = true;
  }

  /** A span of its own for what is done together for all of these, which are `members` of a batch. */
  static joining(members: readonly Span[], name: string, attributes: SpanAttributes): Span {
    const [first] = members;
    if (!first) throw new Error(`${name} joins no spans`);
    const batch = new Span(first.#home, { name, attributes });
    batch.#members = members;
    for (const member of members) {
      member.#batches ??= [];
      member.#batches.push(batch);
      if (!member.sampled) continue;
      const { traceId, spanId } = member;
      const parts = member.#parts ?? [];
      if (parts.length === 0) batch.#addPart({ traceId, parentSpanId: spanId });
      for (const part of parts) {
        const parentSpanId = partSpanId(part.traceId, spanId);
        batch.#addPart({ traceId: part.traceId, parentSpanId });
      }
    }
    return batch;
  }

  set(attributes: SpanAttributes): void {
    this.#attributes = { ...this.#attributes, ...attributes };
  }

  /** Says that it failed. The first time counts. @param type a stable code, or the class of an error */
  fail(type: string, why = type): void {
    this.#failure ??= { type, why };
  }

  /** The same for what was thrown. */
  failWith(error: unknown): void {
    if (error instanceof Error) this.fail(error.name, error.message);
    else this.fail('Error', String(error));
  }

  /** @param attributes what is known only now. The second and later times do nothing. */
  end(attributes?: SpanAttributes): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    const { env, slowMs, exceptional } = this.#home;
    const durationMs = env.monotonicMs() - this.#begunMs;
    if (!this.#sampled) {
      const isOrdinary = this.#failure === undefined && durationMs < slowMs;
      if (isOrdinary || !exceptional.decide()) return; // R1
    }
    this.#write(durationMs, attributes);
  }

  #write(durationMs: number, attributes: SpanAttributes | undefined): void {
    const { keep, wallMs } = this.#home;
    const finished = {
      name: this.name,
      kind: this.#kind,
      startMs: wallMs(this.#begunMs),
      durationMs,
      failure: this.#failure?.why,
      attributes: {
        ...this.#attributes,
        ...attributes,
        ...(this.#failure ? { 'error.type': this.#failure.type } : {}),
      },
    };
    const context = contextOf(this);
    const copies = (this.#parts ?? []).map(({ traceId, parentSpanId }) => ({
      parentSpanId,
      context: { traceId, spanId: partSpanId(traceId, context.spanId), sampled: true },
    }));
    const batches = this.#batches ?? [];
    const members = copies.length > 0 ? [] : this.#members.slice(0, linksMax);
    const others = [...this.#links, ...batches.map(contextOf), ...members.map(contextOf)];
    const links = [...copies.map((copy) => copy.context), ...others].slice(0, linksMax);
    keep({ ...finished, context, parentSpanId: this.parent?.spanId, links });
    for (const copy of copies) keep({ ...finished, ...copy, links: [context] });
  }
}

function contextOf({ traceId, spanId, sampled }: TraceContext): TraceContext {
  return { traceId, spanId, sampled };
}
