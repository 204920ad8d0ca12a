// SQL of users. It is checked (sql-rules.ts), run in a transaction that cannot write on a database
// that can reach nothing outside (database.ts), and wrapped so that every value has a limit.

import type { DuckDBDataChunk } from '@duckdb/node-api';
import type { Environment } from '@rushlight/chassis';
import { limits } from '@rushlight/contracts';
import type { Database } from './database.ts';
import { type Cell, type ReadOptions, type SqlAnswer, SqlRefusedError } from './face.ts';
import { Permits } from './permits.ts';
import { cellOf } from './rows.ts';
import { checkStatement } from './sql-rules.ts';

export const sqlLimits = {
  textLengthMax: limits.queryLengthMax,
  rowsMax: 10_000,
  rowsDefault: 1_000,
  columnsMax: 200,
  durationMsMax: 10_000,
  /** A longer text is cut. */
  cellLengthMax: 16_384,
  /** Characters of all texts of an answer; then it is truncated. */
  answerLengthMax: 16 * 1024 * 1024,
  /** What the process may grow by while it answers. */
  growthBytesMax: 256 * 1024 * 1024,
} as const;

const plain = /^(BOOLEAN|U?(TINY|SMALL|BIG)INT|U?INTEGER|FLOAT|DOUBLE)$/;
const asDouble = /^(U?HUGEINT|DECIMAL.*)$/;

type Column = { name: string; type: string };

/** Answers one user at a time. */
export function userSql(database: () => Database, env: Environment) {
  const permits = new Permits({ atOnceMax: 1, waitingMax: 8 });
  return async (text: string, options: ReadOptions = {}): Promise<SqlAnswer> => {
    const durationMsMax = Math.min(
      options.durationMsMax ?? sqlLimits.durationMsMax,
      sqlLimits.durationMsMax,
    );
    const rowsMax = Math.min(options.rowsMax ?? sqlLimits.rowsDefault, sqlLimits.rowsMax);
    return await permits.run(env, durationMsMax, async () => {
      const startMs = env.monotonicMs();
      const limits = {
        durationMsMax,
        signal: options.signal,
        growthBytesMax: sqlLimits.growthBytesMax,
      };
      await check(database(), text, limits);
      const columns = await columnsOf(database(), text, limits);
      const answer = await ask(database(), text, { ...limits, rowsMax, columns });
      return { columns, ...answer, durationMs: env.monotonicMs() - startMs };
    });
  };
}

type Limits = { durationMsMax: number; signal: AbortSignal | undefined; growthBytesMax: number };

async function check(database: Database, text: string, limits: Limits): Promise<void> {
  if (text.length > sqlLimits.textLengthMax) {
    throw new SqlRefusedError(
      `It has ${text.length} characters; at most ${sqlLimits.textLengthMax} are read.`,
    );
  }
  let tree = '';
  const sql = 'SELECT json_serialize_sql(?::VARCHAR)';
  await database.read({ sql, parameters: [text], ...limits }, (chunk) => {
    tree = String(chunk.getColumnValues(0)[0]);
    return 'enough';
  });
  checkStatement(tree);
}

async function columnsOf(database: Database, text: string, limits: Limits): Promise<Column[]> {
  const columns: Column[] = [];
  const question = {
    sql: `SELECT * FROM (${unended(text)}\n) AS answer LIMIT 0`,
    ...limits,
    onColumns: (result: { columnNames(): string[]; columnTypes(): { toString(): string }[] }) => {
      const types = result.columnTypes();
      result.columnNames().forEach((name, index) => {
        columns.push({ name, type: String(types[index]) });
      });
    },
  };
  await database.read(question, () => 'enough');
  if (columns.length <= sqlLimits.columnsMax) return columns;
  throw new SqlRefusedError(
    `Its answer has ${columns.length} columns; at most ${sqlLimits.columnsMax} are given.`,
  );
}

async function ask(
  database: Database,
  text: string,
  { rowsMax, columns, ...limits }: Limits & { rowsMax: number; columns: readonly Column[] },
): Promise<{ rows: Cell[][]; truncated: boolean }> {
  const names = columns.map((_, index) => `c${index}`);
  const values = columns.map(({ type }, index) => bounded(`c${index}`, type));
  const sql = `SELECT ${values.join(', ')} FROM (${unended(text)}\n)
    AS answer(${names.join(', ')}) LIMIT ${rowsMax + 1}`;
  const rows: Cell[][] = [];
  let length = 0;
  let truncated = false;
  await database.read({ sql, ...limits }, (chunk) => {
    for (const row of cellsOf(chunk)) {
      length += row.reduce<number>((sum, cell) => sum + textLength(cell), 0);
      truncated = rows.length === rowsMax || length > sqlLimits.answerLengthMax;
      if (truncated) return 'enough';
      rows.push(row);
    }
    return 'more';
  });
  return { rows, truncated };
}

/** A semicolon at the end is fine where there is one statement, and not within parentheses. */
function unended(text: string): string {
  return text.trim().replace(/(;\s*)+$/, '');
}

function bounded(column: string, type: string): string {
  if (plain.test(type)) return column;
  if (asDouble.test(type)) return `${column}::DOUBLE`;
  return `left(${column}::VARCHAR, ${sqlLimits.cellLengthMax})`;
}

function cellsOf(chunk: DuckDBDataChunk): Cell[][] {
  return chunk.getRows().map((row) => row.map(cellOf));
}

function textLength(cell: Cell): number {
  return typeof cell === 'string' ? cell.length : 8;
}
