// Numbered SQL files, each applied once, in order, in a transaction of its own.
//
// M1. Several processes may start at once: an advisory lock lets one of them migrate at a time. It is
//     held by the transaction, so that it holds behind a pooler as well.
// M2. What was applied is remembered with its checksum. An edited file, a gap, or a database that
//     is newer than the code is refused with a sentence; nothing is guessed.

import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { Client, escapeIdentifier } from 'pg';
import { asUnavailable } from './failures.ts';
import { beginWith, connectionOptions, defaultTimeouts } from './pool.ts';

type Migration = { number: number; name: string; sql: string; checksum: string };
type Applied = { number: number; name: string; checksum: string };

export type MigrationSet = {
  /** A folder of files called `0001_what_it_does.sql`. */
  folder: URL;
  /** The table in which this set remembers what it has applied. */
  table: string;
};

/** One lock for every set: they may touch the same database. */
const lockKey = 7_205_131;
const lockWaitMsMax = 60_000;
const timeouts = {
  ...defaultTimeouts,
  statementMs: lockWaitMsMax,
  lockMs: lockWaitMsMax,
  answerMs: lockWaitMsMax + 1_000,
};

/**
 * Brings the database up to date.
 *
 * @throws UnavailableError when it cannot be reached; Error when the files do not fit the database
 */
export async function migrate(url: string, sets: readonly MigrationSet[]): Promise<void> {
  const plans = await Promise.all(
    sets.map(async (set) => ({ set, files: await readMigrations(set.folder) })),
  );
  const client = new Client({
    ...connectionOptions({ url, name: 'migrations', timeouts }),
    pipeline: false,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    for (const { set, files } of plans) {
      while (await applyNext(client, set.table, files)); // Each in a transaction of its own.
    }
  } catch (error) {
    throw asUnavailable('database', error);
  } finally {
    await client.end().catch(() => {});
  }
}

/** Applies the first file that is still to be applied, if there is one. */
async function applyNext(client: Client, table: string, files: Migration[]): Promise<boolean> {
  try {
    await client.query(beginWith(timeouts));
    await client.query('SELECT pg_advisory_xact_lock($1)', [lockKey]);
    const [next] = pendingMigrations(files, await readApplied(client, table));
    if (next) await apply(client, table, next);
    await client.query('COMMIT');
    return next !== undefined;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}

async function readApplied(client: Client, table: string): Promise<Applied[]> {
  const quoted = escapeIdentifier(table);
  await client.query(
    `CREATE TABLE IF NOT EXISTS ${quoted} (
       number integer PRIMARY KEY,
       name text NOT NULL,
       checksum text NOT NULL,
       applied_at timestamptz NOT NULL DEFAULT now()
     )`,
  );
  const { rows } = await client.query<Applied>(
    `SELECT number, name, checksum FROM ${quoted} ORDER BY number`,
  );
  return rows;
}

async function apply(client: Client, table: string, file: Migration): Promise<void> {
  const { number, name, sql, checksum } = file;
  const note = `INSERT INTO ${escapeIdentifier(table)} (number, name, checksum) VALUES ($1, $2, $3)`;
  try {
    await client.query(sql);
    await client.query(note, [number, name, checksum]);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`Migration ${name} failed and was rolled back: ${why}`, { cause: error });
  }
}

/** The files that are still to be applied. @throws Error when the two lists contradict, see M2. */
export function pendingMigrations(files: Migration[], applied: Applied[]): Migration[] {
  for (const [index, row] of applied.entries()) {
    const file = files[index];
    if (row.number !== index + 1) {
      throw new Error(`The database lacks migration ${index + 1} but has ${row.name}.`);
    }
    if (!file) {
      throw new Error(
        `The database is newer than this program: it has migration ${row.name}, ` +
          `this program knows ${files.length}. Start the newer program.`,
      );
    }
    if (file.checksum !== row.checksum) {
      throw new Error(
        `Migration ${file.name} was changed after it was applied (as ${row.name}). ` +
          'Undo the change and write a new migration instead.',
      );
    }
  }
  return files.slice(applied.length);
}

/** Reads a folder of migrations. @throws Error when a name is malformed or a number is missing. */
export async function readMigrations(folder: URL): Promise<Migration[]> {
  const base = folder.href.endsWith('/') ? folder : new URL(`${folder.href}/`);
  const names = (await readdir(base)).filter((name) => name.endsWith('.sql')).sort();
  return Promise.all(
    names.map(async (name, index) => {
      const number = Number(/^(\d{4})_[a-z0-9_]+\.sql$/.exec(name)?.[1]);
      if (Number.isNaN(number)) throw new Error(`Migration ${name} is not named 0001_name.sql.`);
      if (number !== index + 1) {
        throw new Error(`Migration ${name} stands where number ${index + 1} should.`);
      }
      const sql = await readFile(new URL(name, base), 'utf8');
      return { number, name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}
