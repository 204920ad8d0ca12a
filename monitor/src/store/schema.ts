// The tables that telemetry is kept in. Users see them too, by `POST /api/sql`.
//
// T1. Attributes, events and links are JSON text: a third of the cost of a MAP to write, and as
//     easy to ask (`attributes->>'$."http.route"'`). Absent events and links are NULL.
// T2. Rows are appended about in the order of their instants, so a question about a short time
//     reads only the row groups that hold it. Nothing else orders or indexes them.
// T3. `attributes` of a log is NULL where the line itself is a JSON object that holds them.
// T4. A sample with `stale` ends its series (M4 of ../model.ts); its value is NaN.
// T5. `level`, `kind` and `status` are enumerations: `level >= 'warn'::log_level` compares by rank,
//     while a plain text compares as text.

import { logLevels, spanKinds } from '../model.ts';

/** Another number in a file means: written by another release, and put aside. */
export const schemaVersion = 1;

export const spanStatuses = ['unset', 'ok', 'error'] as const;

const words = (values: readonly string[]): string => values.map((value) => `'${value}'`).join(', ');

export const enumerations = {
  span_kind: spanKinds,
  span_status: spanStatuses,
  log_level: logLevels,
} as const satisfies Record<string, readonly string[]>;

export type ColumnType = 'VARCHAR' | 'BIGINT' | 'INTEGER' | 'DOUBLE' | 'BOOLEAN' | EnumerationName;
export type EnumerationName = keyof typeof enumerations;

/** Every table with its columns, in the order in which they are appended. */
export const tables = {
  spans: {
    trace_id: 'VARCHAR',
    span_id: 'VARCHAR',
    parent_span_id: 'VARCHAR',
    service: 'VARCHAR',
    instance: 'VARCHAR',
    name: 'VARCHAR',
    kind: 'span_kind',
    start_us: 'BIGINT',
    duration_us: 'BIGINT',
    status: 'span_status',
    status_message: 'VARCHAR',
    attributes: 'VARCHAR',
    events: 'VARCHAR',
    links: 'VARCHAR',
  },
  logs: {
    at_us: 'BIGINT',
    service: 'VARCHAR',
    instance: 'VARCHAR',
    level: 'log_level',
    message: 'VARCHAR',
    line: 'VARCHAR',
    trace_id: 'VARCHAR',
    span_id: 'VARCHAR',
    attributes: 'VARCHAR',
  },
  /** `labels` is a JSON object with sorted keys, without the name. */
  series: { series_id: 'INTEGER', name: 'VARCHAR', labels: 'VARCHAR' },
  samples: { series_id: 'INTEGER', at_ms: 'BIGINT', value: 'DOUBLE', stale: 'BOOLEAN' },
  exemplars: { series_id: 'INTEGER', at_ms: 'BIGINT', value: 'DOUBLE', trace_id: 'VARCHAR' },
} as const satisfies Record<string, Record<string, ColumnType>>;

export type TableName = keyof typeof tables;
export const tableNames = Object.keys(tables) as TableName[];

/** What users may read besides the tables. */
export const views = {
  metrics:
    'SELECT name, labels, at_ms, value FROM samples JOIN series USING (series_id) WHERE NOT stale',
} as const;

/** The statements that make an empty file ours. */
export function schemaStatements(): string[] {
  return [
    ...Object.entries(enumerations).map(
      ([name, values]) => `CREATE TYPE ${name} AS ENUM (${words(values)})`,
    ),
    ...tableNames.map((name) => `CREATE TABLE ${name} (${columnsOf(name)})`),
    ...Object.entries(views).map(([name, select]) => `CREATE VIEW ${name} AS ${select}`),
    'CREATE TABLE about (schema_version INTEGER)',
    `INSERT INTO about VALUES (${schemaVersion})`,
  ];
}

export function columnsOf(name: TableName): string {
  return Object.entries(tables[name])
    .map(([column, type]) => `${column} ${type}`)
    .join(', ');
}
