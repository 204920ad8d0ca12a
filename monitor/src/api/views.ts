// What is kept, in the words of the API: instants as ISO 8601, durations in milliseconds.

import type { Attributes, LogRecord, Span } from '../model.ts';
import { isoOfUs } from './times.ts';

export const inMs = (us: number): number => us / 1000;

export function logLineOf(record: LogRecord) {
  const { atUs, service, instance, level, message, line, traceId, spanId, attributes } = record;
  return {
    at: isoOfUs(atUs),
    ...{ service, instance, level, message, line },
    ...(traceId === undefined ? {} : { traceId }),
    ...(spanId === undefined ? {} : { spanId }),
    attributes: plainOf(attributes),
  };
}

export function spanViewOf(span: Span) {
  const { traceId, spanId, service, instance, name, kind, status, startUs, durationUs } = span;
  return {
    ...{ traceId, spanId, service, instance, name, kind, status },
    ...(span.parentSpanId === undefined ? {} : { parentSpanId: span.parentSpanId }),
    ...(span.statusMessage === undefined ? {} : { statusMessage: span.statusMessage }),
    at: isoOfUs(startUs),
    durationMs: inMs(durationUs),
    attributes: plainOf(span.attributes),
    events: span.events.map((event) => ({
      at: isoOfUs(event.atUs),
      name: event.name,
      attributes: plainOf(event.attributes),
    })),
    links: span.links.map((link) => ({
      traceId: link.traceId,
      spanId: link.spanId,
      attributes: plainOf(link.attributes),
    })),
  };
}

const plainOf = (attributes: Attributes): Record<string, unknown> => ({ ...attributes });
