// Spans as the bytes of an OTLP request.
//
// Source: opentelemetry-proto 1.x, trace/v1/trace.proto, common/v1/common.proto and
// collector/trace/v1/trace_service.proto; the numbers below are the field numbers there.

import protobuf from 'protobufjs/minimal.js';
import type { FinishedSpan, SpanKind } from './span.ts';
import type { TraceContext } from './trace-context.ts';

/** What all spans of a process have in common, as resource attributes. */
export type Resource = Readonly<Record<string, string>>;

const wire = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;
const tag = (field: number, type: number): number => (field << 3) | type;

const kinds: Record<SpanKind, number> = {
  internal: 1,
  server: 2,
  client: 3,
  producer: 4,
  consumer: 5,
};
const statusError = 2;
const sampledFlag = 0x01;
const scopeName = 'rushlight';

type Writer = protobuf.Writer;
type Value = string | number | boolean;

/** An `ExportTraceServiceRequest` with these spans. */
export function encodeSpans(resource: Resource, spans: readonly FinishedSpan[]): Uint8Array {
  const writer = protobuf.Writer.create();
  message(writer, 1, () => {
    message(writer, 1, () => {
      for (const [key, value] of Object.entries(resource)) attribute(writer, 1, key, value);
    });
    message(writer, 2, () => {
      message(writer, 1, () => text(writer, 1, scopeName));
      for (const span of spans) message(writer, 2, () => writeSpan(writer, span));
    });
  });
  return writer.finish();
}

function writeSpan(writer: Writer, span: FinishedSpan): void {
  const { context, parentSpanId, name, kind, startMs, durationMs, failure } = span;
  hex(writer, 1, context.traceId);
  hex(writer, 2, context.spanId);
  if (parentSpanId !== undefined) hex(writer, 4, parentSpanId);
  text(writer, 5, name);
  writer.uint32(tag(6, wire.varint)).int32(kinds[kind]);
  instant(writer, 7, startMs);
  instant(writer, 8, startMs + durationMs);
  for (const [key, value] of Object.entries(span.attributes)) attribute(writer, 9, key, value);
  for (const link of span.links) message(writer, 13, () => writeLink(writer, link));
  if (failure !== undefined) {
    message(writer, 15, () => {
      text(writer, 2, failure);
      writer.uint32(tag(3, wire.varint)).int32(statusError);
    });
  }
  writer.uint32(tag(16, wire.fixed32)).fixed32(context.sampled ? sampledFlag : 0);
}

function writeLink(writer: Writer, { traceId, spanId, sampled }: TraceContext): void {
  hex(writer, 1, traceId);
  hex(writer, 2, spanId);
  writer.uint32(tag(6, wire.fixed32)).fixed32(sampled ? sampledFlag : 0);
}

function attribute(writer: Writer, field: number, key: string, value: Value): void {
  message(writer, field, () => {
    text(writer, 1, key);
    message(writer, 2, () => {
      if (typeof value === 'string') text(writer, 1, value);
      else if (typeof value === 'boolean') writer.uint32(tag(2, wire.varint)).bool(value);
      else if (Number.isSafeInteger(value)) writer.uint32(tag(3, wire.varint)).int64(value);
      else writer.uint32(tag(4, wire.fixed64)).double(value);
    });
  });
}

function message(writer: Writer, field: number, write: () => void): void {
  writer.uint32(tag(field, wire.bytes)).fork();
  write();
  writer.ldelim();
}

function text(writer: Writer, field: number, value: string): void {
  writer.uint32(tag(field, wire.bytes)).string(value);
}

function hex(writer: Writer, field: number, value: string): void {
  writer.uint32(tag(field, wire.bytes)).bytes(Buffer.from(value, 'hex'));
}

/** Nanoseconds since 1970: too many for a double, so in two halves. */
function instant(writer: Writer, field: number, atMs: number): void {
  const nanoseconds = BigInt(Math.round(atMs * 1_000)) * 1_000n;
  const low = Number(nanoseconds & 0xffff_ffffn);
  const high = Number(nanoseconds >> 32n);
  writer.uint32(tag(field, wire.fixed64)).fixed32(low).fixed32(high);
}
