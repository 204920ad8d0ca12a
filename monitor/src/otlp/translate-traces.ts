// Spans of OTLP in the monitor's own words.

import { type Span, type SpanEvent, type SpanKind, type SpanLink, spanKinds } from '../model.ts';
import type { Decoded } from './messages.ts';
import { isInstant, isSpanId, isTraceId, type Origin, originOf, Refusals } from './translation.ts';

const eventsMax = 128;
const linksMax = 128;
const statuses = ['unset', 'ok', 'error'] as const;

export type Translated<Record> = { records: Record[]; refusals: Refusals };

/** @param nowUs spans that begin much later than this are refused */
export function spansOf(request: Decoded<'TraceRequest'>, nowUs: number): Translated<Span> {
  const records: Span[] = [];
  const refusals = new Refusals();
  for (const { resource, scopeSpans = [] } of request.resourceSpans ?? []) {
    const origin = originOf(resource);
    for (const { spans = [] } of scopeSpans) {
      for (const span of spans) {
        const why = refusal(span, nowUs);
        if (why === undefined) records.push(spanOf(span, origin));
        else refusals.add(why);
      }
    }
  }
  return { records, refusals };
}

function refusal(span: Decoded<'Span'>, nowUs: number): string | undefined {
  if (!isTraceId(span.traceId)) return 'a trace id must be 16 bytes that are not all zero';
  if (!isSpanId(span.spanId)) return 'a span id must be 8 bytes that are not all zero';
  if (!isInstant(span.startTimeUnixNano, nowUs)) {
    return 'a span must have a start, which is not in the future';
  }
  return undefined;
}

function spanOf(span: Decoded<'Span'>, { service, instance }: Origin): Span {
  const startUs = span.startTimeUnixNano ?? 0;
  const endUs = span.endTimeUnixNano ?? startUs;
  const { parentSpanId, status } = span;
  return {
    traceId: span.traceId ?? '',
    spanId: span.spanId ?? '',
    ...(isSpanId(parentSpanId) ? { parentSpanId } : {}),
    service,
    instance,
    name: span.name ?? '',
    kind: kindOf(span.kind),
    startUs: Math.floor(startUs),
    durationUs: Math.max(0, Math.round(endUs - startUs)),
    status: statuses[status?.code ?? 0] ?? 'unset',
    ...(status?.message ? { statusMessage: status.message } : {}),
    attributes: span.attributes ?? {},
    events: eventsOf(span.events),
    links: linksOf(span.links),
  };
}

/** SpanKind of trace.proto: 0 is unspecified, 1 internal, and so on. */
function kindOf(number = 0): SpanKind {
  return spanKinds[number - 1] ?? 'internal';
}

function eventsOf(events: Decoded<'Span'>['events'] = []): SpanEvent[] {
  return events.slice(0, eventsMax).map(({ timeUnixNano = 0, name = '', attributes = {} }) => ({
    atUs: Math.floor(timeUnixNano),
    name,
    attributes,
  }));
}

function linksOf(links: Decoded<'Span'>['links'] = []): SpanLink[] {
  return links
    .slice(0, linksMax)
    .flatMap(({ traceId, spanId, attributes = {} }) =>
      isTraceId(traceId) && isSpanId(spanId) ? [{ traceId, spanId, attributes }] : [],
    );
}
