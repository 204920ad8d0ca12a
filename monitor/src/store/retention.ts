// What is too old, or too much, is deleted: the oldest first, a piece at a time.
//
// R1. By age: each table has its own. It may be exceeded by a twentieth, so that deleting is seldom.
// R2. By size: while the file holds more than the limit, the table that takes the most room loses
//     its oldest tenth. So a flood of spans costs spans, and not a week of metrics.
// R3. Where series are too many, those of the services in the way that had no sample for an hour are
//     deleted whole, so that what changes its labels all the time keeps nobody out for days.
// R4. A piece is at most `pieceRowsMax` rows. The room that it took is free within the file at once
//     (a checkpoint follows), and is used before the file grows. The engine frees whole groups of
//     rows only, so of a table that is no more than one group the rest is written anew.

import type { DuckDBConnection } from '@duckdb/node-api';
import type { SeriesRow } from './columns.ts';
import { type Crowded, ownServices } from './series-index.ts';

export type RetentionRules = {
  spansMs: number;
  logsMs: number;
  /** Of samples and their exemplars. */
  samplesMs: number;
  /** What the file may hold; its log of changes comes on top. */
  fileBytesMax: number;
};

export type RetentionStep =
  /** There may be more to delete. */
  | { kind: 'deleted'; table: string; rows: number; why: 'age' | 'size' | 'series' }
  | { kind: 'done'; seriesGone: SeriesRow[] };

const aging = [
  { table: 'spans', instant: 'start_us', perMs: 1_000, rule: 'spansMs' },
  { table: 'logs', instant: 'at_us', perMs: 1_000, rule: 'logsMs' },
  { table: 'samples', instant: 'at_ms', perMs: 1, rule: 'samplesMs' },
  { table: 'exemplars', instant: 'at_ms', perMs: 1, rule: 'samplesMs' },
] as const;
type Aging = (typeof aging)[number];

const pieceRowsMax = 200_000;
const slack = 1.05;
/** Of the engine's storage format. */
const groupRows = 122_880;
/** So long a series may say nothing before it is deleted for others (R3). */
const endedMsMin = 3_600_000;

/** Deletes one piece, if anything is to be deleted. `heldBytes` are those of fileBytesMax. */
export async function retentionStep(
  connection: DuckDBConnection,
  rules: RetentionRules,
  nowMs: number,
  crowded?: Crowded,
): Promise<RetentionStep> {
  for (const entry of aging) {
    const rows = await deleteAged(connection, entry, rules[entry.rule], nowMs);
    if (rows > 0) return { kind: 'deleted', table: entry.table, rows, why: 'age' };
  }
  if ((await heldBytes(connection)) > rules.fileBytesMax) {
    const entry = await largest(connection);
    const rows = await deleteOldestTenth(connection, entry);
    if (rows > 0) return { kind: 'deleted', table: entry.table, rows, why: 'size' };
  }
  if (crowded !== undefined) {
    for (const table of ['exemplars', 'samples'] as const) {
      const ended = endedSeries(crowded, nowMs - endedMsMin);
      const rows = await deletePiece(connection, table, `series_id IN (${ended})`);
      if (rows > 0) return { kind: 'deleted', table, rows, why: 'series' };
    }
  }
  return { kind: 'done', seriesGone: await deleteEmptySeries(connection) };
}

/** Bytes of the file that hold something. */
export async function heldBytes(connection: DuckDBConnection): Promise<number> {
  const [row] = await rowsOf(
    connection,
    'SELECT used_blocks * block_size FROM pragma_database_size()',
  );
  return Number(row?.[0] ?? 0);
}

async function deleteAged(
  connection: DuckDBConnection,
  { table, instant, perMs }: Aging,
  ageMsMax: number,
  nowMs: number,
): Promise<number> {
  const [oldest] = await rowsOf(connection, `SELECT min(${instant}) FROM ${table}`);
  if (oldest?.[0] == null || Number(oldest[0]) / perMs > nowMs - ageMsMax * slack) return 0;
  const before = Math.ceil((nowMs - ageMsMax) * perMs);
  return await deletePiece(connection, table, `${instant} < ${before}`);
}

async function deleteOldestTenth(
  connection: DuckDBConnection,
  { table, instant }: Aging,
): Promise<number> {
  const [counted] = await rowsOf(connection, `SELECT count(*) FROM ${table}`);
  const rows = Number(counted?.[0] ?? 0);
  if (rows === 0) return 0;
  const share = Math.min(0.1, pieceRowsMax / rows);
  const [row] = await rowsOf(
    connection,
    `SELECT approx_quantile(${instant}, ${share}) FROM ${table}`,
  );
  const oldest = `${instant} <= ${Math.ceil(Number(row?.[0]))}`;
  if (rows > groupRows) return await deletePiece(connection, table, oldest);
  return await writeAnew(connection, table, oldest, rows);
}

/** Deletes these rows and moves the others into a group of their own (R4). */
async function writeAnew(
  connection: DuckDBConnection,
  table: string,
  condition: string,
  rows: number,
): Promise<number> {
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE kept AS FROM ${table} WHERE NOT (${condition})`,
  );
  try {
    await connection.run('BEGIN');
    await connection.run(`DELETE FROM ${table}`);
    const { rowsChanged } = await connection.run(`INSERT INTO ${table} FROM kept`);
    await connection.run('COMMIT');
    await connection.run('CHECKPOINT');
    return rows - rowsChanged;
  } catch (error) {
    await connection.run('ROLLBACK').catch(() => undefined);
    throw error;
  } finally {
    await connection.run('DROP TABLE IF EXISTS temp.kept');
  }
}

async function deletePiece(
  connection: DuckDBConnection,
  table: string,
  condition: string,
): Promise<number> {
  const result = await connection.run(
    `DELETE FROM ${table} WHERE rowid IN
       (SELECT rowid FROM ${table} WHERE ${condition} LIMIT ${pieceRowsMax})`,
  );
  await connection.run('CHECKPOINT');
  return result.rowsChanged;
}

/** By blocks of the file; a block that two tables share counts for both. */
async function largest(connection: DuckDBConnection): Promise<Aging> {
  let most: { entry: Aging; blocks: number } | undefined;
  for (const entry of aging) {
    const [row] = await rowsOf(
      connection,
      `SELECT count(DISTINCT block_id) FROM pragma_storage_info('${entry.table}')`,
    );
    const blocks = Number(row?.[0] ?? 0);
    if (most === undefined || blocks > most.blocks) most = { entry, blocks };
  }
  return most?.entry ?? aging[0];
}

/** R3 */
function endedSeries(crowded: Crowded, sinceMs: number): string {
  const listed = (names: ReadonlySet<string>): string =>
    [...names].map((name) => `'${name.replaceAll("'", "''")}'`).join(', ');
  const service = "coalesce(labels->>'$.service', '')";
  const whose =
    crowded === 'all'
      ? `${service} NOT IN (${listed(ownServices)})`
      : `${service} IN (${listed(crowded)})`;
  return `SELECT series_id FROM series WHERE ${whose} AND series_id NOT IN
            (SELECT DISTINCT series_id FROM samples
             WHERE at_ms >= ${Math.floor(sinceMs)} AND NOT stale)`;
}

async function deleteEmptySeries(connection: DuckDBConnection): Promise<SeriesRow[]> {
  const rows = await rowsOf(
    connection,
    `DELETE FROM series WHERE series_id NOT IN (SELECT DISTINCT series_id FROM samples)
     RETURNING series_id, name, labels`,
  );
  return rows.map(([seriesId, name, labels]) => ({
    seriesId: Number(seriesId),
    name: String(name),
    labels: String(labels),
  }));
}

async function rowsOf(connection: DuckDBConnection, sql: string) {
  return (await connection.runAndReadAll(sql)).getRows();
}
