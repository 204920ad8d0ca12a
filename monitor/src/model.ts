// What the monitor keeps, in its own words. Receivers translate into these, the store keeps them,
// everything that reads and judges sees nothing else.
//
// M1. Instants are whole microseconds since 1970 (`atUs`, `startUs`) where order within a
//     millisecond matters, and whole milliseconds (`atMs`) for samples, as Prometheus has them.
// M2. Ids of traces and spans are lowercase hex, 32 and 16 digits, never all zeros.
// M3. A name of a service is what its resource says (`service.name`), "unknown" where it says none.
// M4. A series that vanished from its target, or whose target is down, is ended by a stale sample,
//     which readers see as `endedAtMs` of the series. A NaN that is not stale is a value.

export type AttributeValue = string | number | boolean | readonly AttributeValue[];
export type Attributes = Readonly<Record<string, AttributeValue>>;
export type Labels = Readonly<Record<string, string>>;

export const spanKinds = ['internal', 'server', 'client', 'producer', 'consumer'] as const;
export type SpanKind = (typeof spanKinds)[number];

export type SpanEvent = { atUs: number; name: string; attributes: Attributes };
export type SpanLink = { traceId: string; spanId: string; attributes: Attributes };

/** One finished span, as OpenTelemetry defines it. */
export type Span = {
  traceId: string;
  spanId: string;
  /** Absent for the root of a trace. */
  parentSpanId?: string;
  service: string;
  instance: string;
  name: string;
  kind: SpanKind;
  startUs: number;
  durationUs: number;
  status: 'unset' | 'ok' | 'error';
  statusMessage?: string;
  attributes: Attributes;
  events: readonly SpanEvent[];
  links: readonly SpanLink[];
};

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
export type LogLevel = (typeof logLevels)[number];

/** One line of a log. */
export type LogRecord = {
  atUs: number;
  service: string;
  instance: string;
  level: LogLevel;
  /** What a person reads first. */
  message: string;
  /** The whole line as it came; JSON for our own services. What LogQL sees. */
  line: string;
  traceId?: string;
  spanId?: string;
  attributes: Attributes;
};

/** One scraped or received value. `labels` hold everything but the name. */
export type Sample = {
  name: string;
  labels: Labels;
  atMs: number;
  value: number;
  /** Ends the series here (M4); `value` is NaN. */
  stale?: true;
  exemplar?: { traceId: string; value: number; atMs: number };
};

// --- What readers ask of the store -----------------------------------------------------------------

export type MatchOperator = '=' | '!=' | '=~' | '!~';
/** One condition on a label; `__name__` is the name of the metric. Patterns are anchored (RE2). */
export type Matcher = { label: string; operator: MatchOperator; value: string };

/**
 * A time series: `labels` include `__name__`; instants ascend. Where it is known that a series ended
 * (its target vanished, or no longer shows it), that instant stands in `endedAtMs`, ascending: what
 * Prometheus writes as a sample with a special NaN. From there to its next sample there is no value.
 */
export type Series = {
  labels: Labels;
  atMs: Float64Array;
  values: Float64Array;
  endedAtMs?: Float64Array;
};

export type Range = { fromMs: number; toMs: number };

/** Where PromQL gets its samples from. Both ends of a range belong to it. */
export interface SeriesSource {
  /** @throws LimitError when more than the limit would have to be read */
  select(matchers: readonly Matcher[], range: Range, signal?: AbortSignal): Promise<Series[]>;
  /** The label sets alone, `__name__` included. */
  labelSets(matchers: readonly Matcher[], range: Range, signal?: AbortSignal): Promise<Labels[]>;
}

export type LogQuery = {
  /** On `service`, `instance` and `level`. */
  matchers: readonly Matcher[];
  range: Range;
  /** All of these stand in the line (`contains`), or none of them (`lacks`). */
  contains?: readonly string[];
  lacks?: readonly string[];
  limit: number;
  newestFirst: boolean;
};

/** Where LogQL gets its lines from. */
export interface LogSource {
  select(query: LogQuery, signal?: AbortSignal): Promise<LogRecord[]>;
  /** The sets of `service`, `instance` and `level` that there are lines of. */
  labelSets(matchers: readonly Matcher[], range: Range, signal?: AbortSignal): Promise<Labels[]>;
}

/** More would have to be read than one question may. Its sentence names the limit and what helps. */
export class LimitError extends Error {
  override readonly name = 'LimitError';
}
