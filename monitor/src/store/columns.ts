// Records become columns, 2,048 rows at a time, the way DuckDB takes them fastest.

import {
  BIGINT,
  BOOLEAN,
  DOUBLE,
  type DuckDBAppender,
  DuckDBDataChunk,
  type DuckDBType,
  type DuckDBValue,
  ENUM,
  INTEGER,
  VARCHAR,
} from '@duckdb/node-api';
import type { Attributes, LogRecord, Span } from '../model.ts';
import { type ColumnType, enumerations, type TableName, tables } from './schema.ts';

const rowsPerChunk = 2_048;

/** What a column is, and how its value is found in a record. */
type Column<Row> = (row: Row) => DuckDBValue;
type Columns<Name extends TableName, Row> = Record<keyof (typeof tables)[Name], Column<Row>>;

export type SeriesRow = { seriesId: number; name: string; labels: string };
export type SampleRow = { seriesId: number; atMs: number; value: number; stale: boolean };
export type ExemplarRow = { seriesId: number; atMs: number; value: number; traceId: string };

export type Rows = {
  spans: Span;
  logs: LogRecord;
  series: SeriesRow;
  samples: SampleRow;
  exemplars: ExemplarRow;
};

const columns: { [Name in TableName]: Columns<Name, Rows[Name]> } = {
  spans: {
    trace_id: (span) => span.traceId,
    span_id: (span) => span.spanId,
    parent_span_id: (span) => span.parentSpanId ?? null,
    service: (span) => span.service,
    instance: (span) => span.instance,
    name: (span) => span.name,
    kind: (span) => span.kind,
    start_us: (span) => whole(span.startUs),
    duration_us: (span) => whole(span.durationUs),
    status: (span) => span.status,
    status_message: (span) => span.statusMessage ?? null,
    attributes: (span) => JSON.stringify(span.attributes),
    events: (span) => (span.events.length === 0 ? null : JSON.stringify(span.events)),
    links: (span) => (span.links.length === 0 ? null : JSON.stringify(span.links)),
  },
  logs: {
    at_us: (record) => whole(record.atUs),
    service: (record) => record.service,
    instance: (record) => record.instance,
    level: (record) => record.level,
    message: (record) => record.message,
    line: (record) => record.line,
    trace_id: (record) => record.traceId ?? null,
    span_id: (record) => record.spanId ?? null,
    attributes: (record) => attributesText(record.attributes),
  },
  series: {
    series_id: (row) => row.seriesId,
    name: (row) => row.name,
    labels: (row) => row.labels,
  },
  samples: {
    series_id: (row) => row.seriesId,
    at_ms: (row) => whole(row.atMs),
    value: (row) => row.value,
    stale: (row) => row.stale,
  },
  exemplars: {
    series_id: (row) => row.seriesId,
    at_ms: (row) => whole(row.atMs),
    value: (row) => row.value,
    trace_id: (row) => row.traceId,
  },
};

const enumerationTypes = {
  span_kind: ENUM(enumerations.span_kind),
  span_status: ENUM(enumerations.span_status),
  log_level: ENUM(enumerations.log_level),
};

/** Appends in order. The appender is not flushed. */
export function appendRows<Name extends TableName>(
  appender: DuckDBAppender,
  table: Name,
  rows: readonly Rows[Name][],
): void {
  const types = Object.values(tables[table]).map(typeOf);
  const readers = Object.values(columns[table]) as Column<Rows[Name]>[];
  for (let from = 0; from < rows.length; from += rowsPerChunk) {
    const count = Math.min(rowsPerChunk, rows.length - from);
    const chunk = DuckDBDataChunk.create(types, count);
    readers.forEach((read, index) => {
      const vector = chunk.getColumnVector(index);
      for (let row = 0; row < count; row += 1) {
        vector.setItem(row, read(rows[from + row] as Rows[Name]));
      }
      vector.flush();
    });
    appender.appendDataChunk(chunk);
  }
}

function typeOf(type: ColumnType): DuckDBType {
  switch (type) {
    case 'VARCHAR':
      return VARCHAR;
    case 'BIGINT':
      return BIGINT;
    case 'INTEGER':
      return INTEGER;
    case 'DOUBLE':
      return DOUBLE;
    case 'BOOLEAN':
      return BOOLEAN;
    case 'span_kind':
    case 'span_status':
    case 'log_level':
      return enumerationTypes[type];
  }
}

function whole(value: number): bigint {
  return BigInt(Number.isFinite(value) ? Math.round(value) : 0);
}

/** T3 */
function attributesText(attributes: Attributes): string | null {
  for (const _ in attributes) return JSON.stringify(attributes);
  return null;
}
