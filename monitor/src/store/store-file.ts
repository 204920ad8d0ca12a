// The file of the store: found, made, or put aside.
//
// F1. A file that is damaged, or of another release, is renamed to `telemetry.duckdb.aside` and an
//     empty one is made: telemetry is not worth a refusal to start. The next one put aside takes
//     its place, so that at most one is kept.
// F2. When only its log of changes is damaged (power was lost), that alone is put aside: what came
//     since the last checkpoint is lost, and nothing else.
// F3. What passes by itself (a full disk, a file in use) is no damage: the file is left alone.

import { mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment, Log } from '@rushlight/chassis';
import type { SeriesRow } from './columns.ts';
import { Database } from './database.ts';
import { schemaStatements, schemaVersion } from './schema.ts';

export type StoreFileOptions = {
  folder: string;
  memoryBytesMax: number;
  threads: number;
  temporaryBytesMax: number;
  logBytesMax: number;
  env: Environment;
  log: Log;
};

export const storeFileName = 'telemetry.duckdb';
const passing =
  /set lock on file|conflicting lock|no space left|quota|permission denied|read-only file system|too many open files|out of memory|cannot allocate/i;

/**
 * @param damage what was found out about the file while it was open: it is put aside first
 * @throws Error when the file cannot be used now, but perhaps later (F3)
 */
export async function openStoreFile(
  options: StoreFileOptions,
  damage?: unknown,
): Promise<{ database: Database; series: SeriesRow[] }> {
  mkdirSync(options.folder, { recursive: true, mode: 0o700 });
  if (damage !== undefined) putAside(options, damage);
  let isLogTried = false;
  for (let attempt = 1; attempt <= 2; attempt += 1) {
    try {
      return await openAsIs(options);
    } catch (error) {
      if (passing.test(textOf(error))) throw error;
      const isLogAlone = !isLogTried && /WAL file/.test(textOf(error));
      putAside(options, error, isLogAlone ? ['.wal'] : ['', '.wal']);
      isLogTried = true;
    }
  }
  return await openAsIs(options);
}

/** Whether this error of DuckDB says that the file itself is bad. */
export function isDamage(error: unknown): boolean {
  return /corrupt|checksum|internal error/i.test(textOf(error));
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Bytes of the file and of its log of changes. */
export function storeFileBytes(folder: string): number {
  return [storeFileName, `${storeFileName}.wal`]
    .map((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0)
    .reduce((sum, bytes) => sum + bytes, 0);
}

async function openAsIs(
  options: StoreFileOptions,
): Promise<{ database: Database; series: SeriesRow[] }> {
  const database = await Database.open({
    path: join(options.folder, storeFileName),
    temporaryFolder: join(options.folder, 'temporary'),
    temporaryBytesMax: options.temporaryBytesMax,
    logBytesMax: options.logBytesMax,
    memoryBytesMax: options.memoryBytesMax,
    threads: options.threads,
    env: options.env,
  });
  try {
    const { writer } = database;
    await makeSchema(database);
    const reader = await writer.runAndReadAll('SELECT series_id, name, labels FROM series');
    const series = reader.getRows().map(([seriesId, name, labels]) => ({
      seriesId: Number(seriesId),
      name: String(name),
      labels: String(labels),
    }));
    return { database, series };
  } catch (error) {
    await database.close();
    throw error;
  }
}

async function makeSchema({ writer }: Database): Promise<void> {
  const found = await writer.runAndReadAll(
    "SELECT count(*)::INTEGER FROM duckdb_tables() WHERE table_name = 'about'",
  );
  if (found.getRows()[0]?.[0] === 0) {
    await writer.run('BEGIN');
    for (const statement of schemaStatements()) await writer.run(statement);
    await writer.run('COMMIT');
    return;
  }
  const about = await writer.runAndReadAll('SELECT schema_version FROM about');
  const version = about.getRows()[0]?.[0];
  if (version !== schemaVersion) {
    throw new Error(`Its tables are of version ${version}; this release knows ${schemaVersion}.`);
  }
}

/** @param endings of the names: the file has none, its log of changes `.wal` */
function putAside(
  { folder, log }: StoreFileOptions,
  error: unknown,
  endings: readonly string[] = ['', '.wal'],
): void {
  const aside = `${storeFileName}.aside`;
  for (const ending of endings) {
    rmSync(join(folder, `${aside}${ending}`), { force: true });
    try {
      renameSync(join(folder, `${storeFileName}${ending}`), join(folder, `${aside}${ending}`));
    } catch (failure) {
      if ((failure as NodeJS.ErrnoException).code !== 'ENOENT') throw failure;
    }
  }
  log.warn(
    { folder, why: textOf(error) },
    endings.includes('')
      ? `the telemetry file cannot be read: kept as ${aside}, starting empty`
      : `the newest telemetry cannot be read: kept as ${aside}.wal, starting without it`,
  );
}
