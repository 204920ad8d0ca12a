// Room within the file is used again, but a file never gets smaller by itself. When most of it is
// free it is copied into a new one, which takes its place: all or nothing.
//
// The file must not be open. Takes about a second for 100 MB, and as much disk as it holds meanwhile.

import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { quoted } from './database.ts';
import { storeFileName } from './store-file.ts';

const freeShareMin = 0.5;

export async function isMostlyFree(
  connection: DuckDBConnection,
  bytesMin: number,
): Promise<boolean> {
  const reader = await connection.runAndReadAll(
    'SELECT total_blocks * block_size, free_blocks * block_size FROM pragma_database_size()',
  );
  const [total, free] = (reader.getRows()[0] ?? []).map(Number);
  return total !== undefined && total >= bytesMin && (free ?? 0) / total >= freeShareMin;
}

/** @throws Error when there is no room for the copy; the file is then as it was */
export async function compactFile(options: {
  folder: string;
  memoryBytesMax: number;
  threads: number;
}): Promise<void> {
  const path = join(options.folder, storeFileName);
  const copy = `${path}.copy`;
  const clear = (): void => {
    for (const ending of ['', '.wal']) rmSync(`${copy}${ending}`, { force: true });
  };
  clear();
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: `${Math.round(options.memoryBytesMax / 1024)}KiB`,
    threads: String(options.threads),
  });
  try {
    const connection = await instance.connect();
    await connection.run(`ATTACH ${quoted(path)} AS kept`);
    await connection.run(`ATTACH ${quoted(copy)} AS made`);
    await connection.run('COPY FROM DATABASE kept TO made');
    await connection.run('DETACH kept');
    await connection.run('DETACH made');
    connection.closeSync();
  } catch (error) {
    instance.closeSync();
    clear();
    throw error;
  }
  instance.closeSync();
  rmSync(`${path}.wal`, { force: true });
  renameSync(copy, path);
  clear();
}
