// The messages of OTLP 1.x that are read here, as a table: by number for protobuf, by name for JSON.
// From opentelemetry-proto (trace.proto, metrics.proto, logs.proto, common.proto). What is not named
// here is skipped, as both encodings demand.

import type { Attributes } from '../model.ts';

/**
 * `type` is the name of a message, or how a value is read: text, bool, varint, fixed64, sfixed64,
 * double as in protobuf; `nanos`: an instant in nanoseconds, given as microseconds with a fraction;
 * `id`: bytes, given as lowercase hex; `attributes`: repeated KeyValue, `anyValue`: an AnyValue, both
 * given as plain values.
 */
export type Field = { name: string; number: number; type: string; repeated?: true };

const resourceFields = [{ name: 'attributes', number: 1, type: 'attributes' }] as const;
const exemplarFields = [
  { name: 'timeUnixNano', number: 2, type: 'nanos' },
  { name: 'asDouble', number: 3, type: 'double' },
  { name: 'spanId', number: 4, type: 'id' },
  { name: 'traceId', number: 5, type: 'id' },
  { name: 'asInt', number: 6, type: 'sfixed64' },
] as const;

export const messages = {
  TraceRequest: [{ name: 'resourceSpans', number: 1, type: 'ResourceSpans', repeated: true }],
  ResourceSpans: [
    { name: 'resource', number: 1, type: 'Resource' },
    { name: 'scopeSpans', number: 2, type: 'ScopeSpans', repeated: true },
  ],
  ScopeSpans: [{ name: 'spans', number: 2, type: 'Span', repeated: true }],
  Span: [
    { name: 'traceId', number: 1, type: 'id' },
    { name: 'spanId', number: 2, type: 'id' },
    { name: 'parentSpanId', number: 4, type: 'id' },
    { name: 'name', number: 5, type: 'text' },
    { name: 'kind', number: 6, type: 'varint' },
    { name: 'startTimeUnixNano', number: 7, type: 'nanos' },
    { name: 'endTimeUnixNano', number: 8, type: 'nanos' },
    { name: 'attributes', number: 9, type: 'attributes' },
    { name: 'events', number: 11, type: 'SpanEvent', repeated: true },
    { name: 'links', number: 13, type: 'SpanLink', repeated: true },
    { name: 'status', number: 15, type: 'Status' },
  ],
  SpanEvent: [
    { name: 'timeUnixNano', number: 1, type: 'nanos' },
    { name: 'name', number: 2, type: 'text' },
    { name: 'attributes', number: 3, type: 'attributes' },
  ],
  SpanLink: [
    { name: 'traceId', number: 1, type: 'id' },
    { name: 'spanId', number: 2, type: 'id' },
    { name: 'attributes', number: 4, type: 'attributes' },
  ],
  Status: [
    { name: 'message', number: 2, type: 'text' },
    { name: 'code', number: 3, type: 'varint' },
  ],
  Resource: resourceFields,

  LogsRequest: [{ name: 'resourceLogs', number: 1, type: 'ResourceLogs', repeated: true }],
  ResourceLogs: [
    { name: 'resource', number: 1, type: 'Resource' },
    { name: 'scopeLogs', number: 2, type: 'ScopeLogs', repeated: true },
  ],
  ScopeLogs: [{ name: 'logRecords', number: 2, type: 'LogRecord', repeated: true }],
  LogRecord: [
    { name: 'timeUnixNano', number: 1, type: 'nanos' },
    { name: 'severityNumber', number: 2, type: 'varint' },
    { name: 'severityText', number: 3, type: 'text' },
    { name: 'body', number: 5, type: 'anyValue' },
    { name: 'attributes', number: 6, type: 'attributes' },
    { name: 'traceId', number: 9, type: 'id' },
    { name: 'spanId', number: 10, type: 'id' },
    { name: 'observedTimeUnixNano', number: 11, type: 'nanos' },
    { name: 'eventName', number: 12, type: 'text' },
  ],

  MetricsRequest: [{ name: 'resourceMetrics', number: 1, type: 'ResourceMetrics', repeated: true }],
  ResourceMetrics: [
    { name: 'resource', number: 1, type: 'Resource' },
    { name: 'scopeMetrics', number: 2, type: 'ScopeMetrics', repeated: true },
  ],
  ScopeMetrics: [{ name: 'metrics', number: 2, type: 'Metric', repeated: true }],
  Metric: [
    { name: 'name', number: 1, type: 'text' },
    { name: 'unit', number: 3, type: 'text' },
    { name: 'gauge', number: 5, type: 'NumberData' },
    { name: 'sum', number: 7, type: 'NumberData' },
    { name: 'histogram', number: 9, type: 'HistogramData' },
    { name: 'exponentialHistogram', number: 10, type: 'UnreadData' },
    { name: 'summary', number: 11, type: 'SummaryData' },
  ],
  /** Gauge and Sum: a Gauge has the points alone. */
  NumberData: [
    { name: 'dataPoints', number: 1, type: 'NumberPoint', repeated: true },
    { name: 'aggregationTemporality', number: 2, type: 'varint' },
    { name: 'isMonotonic', number: 3, type: 'bool' },
  ],
  NumberPoint: [
    { name: 'timeUnixNano', number: 3, type: 'nanos' },
    { name: 'asDouble', number: 4, type: 'double' },
    { name: 'exemplars', number: 5, type: 'Exemplar', repeated: true },
    { name: 'asInt', number: 6, type: 'sfixed64' },
    { name: 'attributes', number: 7, type: 'attributes' },
    { name: 'flags', number: 8, type: 'varint' },
  ],
  HistogramData: [
    { name: 'dataPoints', number: 1, type: 'HistogramPoint', repeated: true },
    { name: 'aggregationTemporality', number: 2, type: 'varint' },
  ],
  HistogramPoint: [
    { name: 'timeUnixNano', number: 3, type: 'nanos' },
    { name: 'count', number: 4, type: 'fixed64' },
    { name: 'sum', number: 5, type: 'double' },
    { name: 'bucketCounts', number: 6, type: 'fixed64', repeated: true },
    { name: 'explicitBounds', number: 7, type: 'double', repeated: true },
    { name: 'exemplars', number: 8, type: 'Exemplar', repeated: true },
    { name: 'attributes', number: 9, type: 'attributes' },
    { name: 'flags', number: 10, type: 'varint' },
  ],
  /** Only counted, to be refused. */
  UnreadData: [{ name: 'dataPoints', number: 1, type: 'UnreadPoint', repeated: true }],
  UnreadPoint: [],
  SummaryData: [{ name: 'dataPoints', number: 1, type: 'SummaryPoint', repeated: true }],
  SummaryPoint: [
    { name: 'timeUnixNano', number: 3, type: 'nanos' },
    { name: 'count', number: 4, type: 'fixed64' },
    { name: 'sum', number: 5, type: 'double' },
    { name: 'quantileValues', number: 6, type: 'SummaryQuantile', repeated: true },
    { name: 'attributes', number: 7, type: 'attributes' },
    { name: 'flags', number: 8, type: 'varint' },
  ],
  SummaryQuantile: [
    { name: 'quantile', number: 1, type: 'double' },
    { name: 'value', number: 2, type: 'double' },
  ],
  Exemplar: exemplarFields,
} as const satisfies Record<string, readonly Field[]>;

export type MessageName = keyof typeof messages;

type ValueOf<Type> = Type extends 'text' | 'id'
  ? string
  : Type extends 'bool'
    ? boolean
    : Type extends 'varint' | 'nanos' | 'fixed64' | 'sfixed64' | 'double'
      ? number
      : Type extends 'attributes'
        ? Attributes
        : Type extends 'anyValue'
          ? AnyValue
          : Type extends MessageName
            ? Decoded<Type>
            : never;

/** A message as it was read. What was not sent is absent. */
export type Decoded<Name extends MessageName> = {
  readonly [F in (typeof messages)[Name][number] as F['name']]?: F extends { repeated: true }
    ? readonly ValueOf<F['type']>[]
    : ValueOf<F['type']>;
};

/** Bytes are base64; a list of key and value is an object. */
export type AnyValue =
  | string
  | number
  | boolean
  | null
  | readonly AnyValue[]
  | { readonly [key: string]: AnyValue };

/** The body is not what it says it is. The sentence names the field. */
export class MalformedError extends Error {
  override readonly name = 'MalformedError';
}

export const decodeLimits = {
  /** Of a value within a value. */
  depthMax: 16,
  /** Messages and values of one body. */
  partsMax: 1_000_000,
  /** As in the specification of OpenTelemetry; what comes on top is left out. */
  attributesMax: 128,
  /** A longer text value of an attribute is cut. */
  valueLengthMax: 8_192,
} as const;
