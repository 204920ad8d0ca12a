// Answers of the database as plain values.

import type { DuckDBDataChunk, DuckDBValue } from '@duckdb/node-api';
import { LimitError } from '../model.ts';
import type { Database } from './database.ts';
import type { Cell, Parameter, ReadOptions } from './face.ts';

const rowsMaxDefault = 100_000;
export const durationMsMaxDefault = 10_000;

/** As TelemetryStore.rows. */
export async function readRows<Row extends Record<string, Cell>>(
  database: () => Database,
  sql: string,
  parameters: readonly Parameter[] = [],
  options: ReadOptions = {},
): Promise<Row[]> {
  const { rowsMax = rowsMaxDefault, durationMsMax = durationMsMaxDefault, signal } = options;
  const rows: Row[] = [];
  await database().read({ sql, parameters, durationMsMax, signal }, (chunk, result) => {
    if (rows.length + chunk.rowCount > rowsMax) {
      throw new LimitError(`The answer has more than ${rowsMax} rows; ask for a shorter time.`);
    }
    addRows(rows, chunk, result.columnNames());
    return 'more';
  });
  return rows;
}

function addRows<Row extends Record<string, Cell>>(
  rows: Row[],
  chunk: DuckDBDataChunk,
  names: readonly string[],
): void {
  const columns = names.map((_, index) => chunk.getColumnValues(index));
  for (let row = 0; row < chunk.rowCount; row += 1) {
    const made: Record<string, Cell> = {};
    names.forEach((name, index) => {
      made[name] = cellOf(columns[index]?.[row]);
    });
    rows.push(made as Row);
  }
}

/** Numbers of any width as a number, what is no plain value as text. */
export function cellOf(value: DuckDBValue | undefined): Cell {
  if (value === undefined || value === null) return null;
  if (typeof value === 'bigint') return Number(value);
  return typeof value === 'object' ? String(value) : value;
}

/** A column of numbers; null is NaN. Of DOUBLE it is several times as fast as of other types. */
export function numbersOf(chunk: DuckDBDataChunk, column: number): Float64Array {
  const vector = chunk.getColumnVector(column);
  const values = new Float64Array(vector.itemCount);
  for (let row = 0; row < values.length; row += 1) {
    const value = vector.getItem(row);
    values[row] = value === null ? Number.NaN : Number(value);
  }
  return values;
}
