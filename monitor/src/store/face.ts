// What the rest of the monitor sees of the store. It knows of no DuckDB.

import type {
  AttributeValue,
  LogLevel,
  LogRecord,
  LogSource,
  Sample,
  SeriesSource,
  Span,
} from '../model.ts';

export const telemetryKinds = ['spans', 'logs', 'samples'] as const;
export type TelemetryKind = (typeof telemetryKinds)[number];

/**
 * Where telemetry goes in. Returns at once and never fails: what does not fit pushes out the oldest
 * that waits, and is counted in `StoreState.dropped`.
 */
export interface TelemetryIntake {
  spans(records: readonly Span[]): void;
  logs(records: readonly LogRecord[]): void;
  samples(records: readonly Sample[]): void;
}

export type StoreState = {
  /** `broken`: it tries again by itself; reads fail with StoreUnavailableError meanwhile. */
  status: 'open' | 'broken' | 'closed';
  /** Why it is broken. */
  why?: string;
  /** Records that were written since the start. */
  written: Record<TelemetryKind, number>;
  /** Records that were pushed out of the buffer, or could not be written, since the start. */
  dropped: Record<TelemetryKind, number>;
  /** Records that are taken in and not yet written or dropped. */
  waiting: number;
  waitingBytes: number;
  /** The files of the store. */
  fileBytes: number;
  /** Series known now, and samples refused because there would be one series too many. */
  series: number;
  seriesRefused: number;
  /** Services that were refused some in the last ten minutes, the first few; '' for none. */
  seriesRefusedOf: readonly string[];
};

export type ReadOptions = {
  signal?: AbortSignal;
  /** More rows than this are a LimitError. Default 100,000. */
  rowsMax?: number;
  /** Default 10,000. */
  durationMsMax?: number;
};

/** A column is a number (BIGINT too), a string, a boolean or null. JSON stays text. */
export type Cell = string | number | boolean | null;
export type Parameter = Cell;

export type SqlAnswer = {
  columns: { name: string; type: string }[];
  rows: Cell[][];
  /** There are more rows than these. */
  truncated: boolean;
  durationMs: number;
};

export interface TelemetryStore extends AsyncDisposable {
  readonly intake: TelemetryIntake;
  readonly series: SeriesSource;
  readonly logs: LogSource;
  readonly reads: TelemetryReads;

  /**
   * SQL of our own (schema.ts), in a transaction that cannot write. `?` stand for the parameters.
   *
   * @throws LimitError, StoreUnavailableError, SqlRefusedError, or the signal's reason
   */
  rows<Row extends Record<string, Cell>>(
    sql: string,
    parameters?: readonly Parameter[],
    options?: ReadOptions,
  ): Promise<Row[]>;

  /**
   * SQL of a user: one SELECT over our tables, without files, network or settings, within limits.
   * Texts longer than 16,384 characters are cut.
   *
   * @throws SqlRefusedError (with the reason, for the user), LimitError, StoreUnavailableError
   */
  readOnlySql(text: string, options?: ReadOptions): Promise<SqlAnswer>;

  /** What was taken in before this call can be read after it, unless it was dropped. */
  flush(): Promise<void>;
  state(): StoreState;
}

export type TimeRange = { fromUs: number; toUs: number };

export type TraceSearch = TimeRange & {
  /** Of any span of the trace. */
  service?: string;
  /** The name of a span, in full. */
  name?: string;
  /** Of the whole trace. */
  durationUsMin?: number;
  status?: 'error';
  /** Any span has all of these, compared as text. */
  attributes?: Readonly<Record<string, string>>;
  limit: number;
};

/** One trace, in short. Newest first when searched. */
export type TraceSummary = {
  traceId: string;
  startUs: number;
  durationUs: number;
  spans: number;
  errors: number;
  services: string[];
  /** The earliest span: the root, when it is there. */
  rootService: string;
  rootName: string;
  /** No span without a parent was kept. */
  incomplete: boolean;
};

export type LogSearch = TimeRange & {
  service?: string;
  /** This level and the graver ones. */
  levelMin?: LogLevel;
  /** Stands in the line, case ignored. */
  text?: string;
  traceId?: string;
  limit: number;
  newestFirst: boolean;
};

/** Calls from one service to another: spans that serve or consume, whose parent is of another. */
export type ServiceEdge = {
  caller: string;
  callee: string;
  calls: number;
  errors: number;
  /** Of the callee's spans. */
  p50Us: number;
  p99Us: number;
};

/** Questions that more than one reader asks. Instants of ranges belong to them at both ends. */
export interface TelemetryReads {
  /** By start. Empty when nothing of it is kept. */
  spansOfTrace(traceId: string, options?: ReadOptions): Promise<Span[]>;
  /** Of any of these traces, started in this time; by start. */
  spansOfTraces(
    traceIds: readonly string[],
    range: TimeRange,
    options?: ReadOptions,
  ): Promise<Span[]>;
  searchTraces(search: TraceSearch, options?: ReadOptions): Promise<TraceSummary[]>;
  /** By start, at most `limit` of them: the newest. */
  spansBetween(
    search: TimeRange & { service?: string; name?: string; limit: number },
    options?: ReadOptions,
  ): Promise<Span[]>;
  searchLogs(search: LogSearch, options?: ReadOptions): Promise<LogRecord[]>;
  serviceEdges(range: TimeRange, options?: ReadOptions): Promise<ServiceEdge[]>;
  /** Names of services that sent anything, sorted. */
  services(range: TimeRange, options?: ReadOptions): Promise<string[]>;
}

/** The store cannot be read now: its disk is full or its file cannot be opened. It tries again. */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError';
}

/** A statement that is not answered. Its sentence says which rule it breaks. */
export class SqlRefusedError extends Error {
  override readonly name = 'SqlRefusedError';
}

/** @returns the JSON object, or an empty one when it is none */
export function attributesOf(text: string | null): Record<string, AttributeValue> {
  if (text === null || text === '') return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return {};
    return value as Record<string, AttributeValue>;
  } catch {
    return {};
  }
}
