import protobuf from 'protobufjs';
import { describe, expect, test, vi } from 'vitest';
import { silentLog } from '../src/log.ts';
import { type ExporterOptions, startExporter } from '../src/tracing/exporter.ts';
import { encodeSpans } from '../src/tracing/otlp.ts';
import type { FinishedSpan } from '../src/tracing/span.ts';

/** As opentelemetry-proto has it, as far as spans of ours go. */
const proto = `
  syntax = "proto3";
  message Request { repeated ResourceSpans resource_spans = 1; }
  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
  message Resource { repeated KeyValue attributes = 1; }
  message ScopeSpans { Scope scope = 1; repeated Span spans = 2; }
  message Scope { string name = 1; }
  message KeyValue { string key = 1; AnyValue value = 2; }
  message AnyValue { oneof value {
    string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; } }
  message Span {
    bytes trace_id = 1; bytes span_id = 2; bytes parent_span_id = 4; string name = 5;
    int32 kind = 6; fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8;
    repeated KeyValue attributes = 9; repeated Link links = 13; Status status = 15;
    fixed32 flags = 16; }
  message Link { bytes trace_id = 1; bytes span_id = 2; fixed32 flags = 6; }
  message Status { string message = 2; int32 code = 3; }`;

test('spans are written as OTLP has them', () => {
  const context = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
  const span: FinishedSpan = {
    context: { ...context, sampled: true },
    parentSpanId: '00f067aa0ba902b7',
    name: 'orders place',
    kind: 'server',
    startMs: 1_795_000_000_123.456,
    durationMs: 1.5,
    failure: 'no answer',
    attributes: {
      'http.route': '/a',
      'http.response.status_code': 503,
      'rushlight.batch.size': -1.25,
      'rushlight.order.id': true,
    },
    links: [{ ...context, sampled: false }],
  };
  const bytes = encodeSpans({ 'service.name': 'orders' }, [span, span]);
  const type = protobuf.parse(proto).root.lookupType('Request');
  const read = type.toObject(type.decode(bytes), { longs: String, bytes: String });
  const base64 = (hex: string) => Buffer.from(hex, 'hex').toString('base64');
  const { resource, scopeSpans } = read['resourceSpans'][0];
  expect(resource.attributes).toEqual([{ key: 'service.name', value: { stringValue: 'orders' } }]);
  expect(scopeSpans[0].scope).toEqual({ name: 'rushlight' });
  expect(scopeSpans[0].spans).toHaveLength(2);
  expect(scopeSpans[0].spans[1]).toEqual({
    traceId: base64(context.traceId),
    spanId: base64(context.spanId),
    parentSpanId: base64('00f067aa0ba902b7'),
    name: 'orders place',
    kind: 2,
    startTimeUnixNano: '1795000000123456000',
    endTimeUnixNano: '1795000000124956000',
    attributes: [
      { key: 'http.route', value: { stringValue: '/a' } },
      { key: 'http.response.status_code', value: { intValue: '503' } },
      { key: 'rushlight.batch.size', value: { doubleValue: -1.25 } },
      { key: 'rushlight.order.id', value: { boolValue: true } },
    ],
    links: [{ traceId: base64(context.traceId), spanId: base64(context.spanId) }],
    status: { message: 'no answer', code: 2 },
    flags: 1,
  });
});

describe('an exporter', () => {
  const span: FinishedSpan = {
    context: { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), sampled: true },
    ...{ parentSpanId: undefined, name: 'one', kind: 'internal', failure: undefined },
    ...{ startMs: 1_795_000_000_000, durationMs: 1, attributes: {}, links: [] },
  };

  /** Pauses are counted instead of waited for; after `rounds` of them it stands still. */
  function exporting(post: ExporterOptions['post'], rounds = 3) {
    const pausesMs: number[] = [];
    const counts = { exported: 0, dropped: 0 };
    const sleep = (durationMs: number, signal?: AbortSignal): Promise<void> => {
      pausesMs.push(durationMs);
      if (pausesMs.length <= rounds) return Promise.resolve();
      return new Promise((_resolve, reject) =>
        signal?.addEventListener('abort', () => reject(signal.reason)),
      );
    };
    const exporter = startExporter({
      ...{ resource: {}, post, log: silentLog, heldMax: 1_000 },
      env: { sleep, random: () => 0.5 },
      onSpans: (outcome, count) => {
        counts[outcome] += count;
      },
    });
    return { exporter, pausesMs, counts };
  }

  test('sends what it holds when it closes', async () => {
    const { exporter, counts } = exporting(async () => 200);
    for (let nth = 0; nth < 700; nth++) exporter.add(span);
    await exporter.close();
    expect(counts).toEqual({ exported: 700, dropped: 0 });
  });

  test('drops the oldest, and counts them', async () => {
    const { exporter, counts } = exporting(async () => 200);
    for (let nth = 0; nth < 10_000; nth++) exporter.add(span);
    await exporter.close();
    expect(counts).toEqual({ exported: 1_000, dropped: 9_000 });
  });

  test('asks less and less often while nobody takes them, and loses none of what it holds', async () => {
    const post = vi.fn(async () => 503);
    const { exporter, pausesMs, counts } = exporting(post, 4);
    exporter.add(span);
    await expect.poll(() => pausesMs.length).toBe(5);
    expect(pausesMs).toEqual([500, 1_000, 2_000, 4_000, 8_000]);
    post.mockImplementation(async () => 200);
    await exporter.close();
    expect(counts).toEqual({ exported: 1, dropped: 0 });
  });

  test('does not send again what was refused for good', async () => {
    const post = vi.fn(async () => 400);
    const { exporter, counts } = exporting(post);
    exporter.add(span);
    await exporter.close();
    expect(post).toHaveBeenCalledTimes(1);
    expect(counts).toEqual({ exported: 0, dropped: 1 });
  });
});
