// The copy of a cluster whose Postgres runs and goes on writing: a base backup as the manual has it
// ("Making a Base Backup Using the Low Level API"), because the embedded programs have no tool for it.
//
// R1. The files are copied between pg_backup_start and pg_backup_stop. They do not fit each other, and
//     pages may be torn; the write-ahead log of that time, played back at the first start, mends
//     both: Postgres writes whole pages into it meanwhile.
// R2. The log is kept from before the start until it is copied, by a slot that ends with our session;
//     at most a gigabyte of it (settings.ts): a copy that takes longer than that fails.
// R3. The result stands for one instant in all databases: the end of the copy. Without the label, or
//     with a part of the log missing, Postgres would start on nonsense; so both are checked here.

import { readdirSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { LaunchError } from '../launch-error.ts';

const connectMs = 5_000;
/** pg_backup_start waits for a checkpoint. */
const statementMs = 300_000;
const controlTriesMax = 50;
const controlPauseMs = 20;
const controlFile = 'global/pg_control';

export type CopyClusterFile = (path: string) => Promise<void>;

/** Contents that are rebuilt at every start, or belong to the running server alone. */
const emptied = [
  ...['pg_wal', 'pg_replslot', 'pg_dynshmem', 'pg_notify', 'pg_serial', 'pg_snapshots'],
  ...['pg_stat_tmp', 'pg_subtrans'],
];
const leftOut = ['postmaster.pid', 'postmaster.opts', 'backup_label', 'tablespace_map'];

export function skipsInRunning(path: string): boolean {
  const [first = '', second] = path.split('/');
  const isEmptied = emptied.includes(first) && second !== undefined;
  return isEmptied || leftOut.includes(path) || /(^|\/)pgsql_tmp/.test(path);
}

export function skipsInStopped(path: string): boolean {
  return leftOut.slice(0, 2).includes(path) || /(^|\/)pgsql_tmp/.test(path);
}

/**
 * Copies a running cluster.
 *
 * @param copyAll copies the files that `skipsInRunning` leaves, except the control file
 * @param copyFile copies one file, by its path in the cluster
 * @returns the instant that the copy stands for
 */
export async function copyRunningCluster(options: {
  url: string;
  cluster: string;
  target: string;
  copyAll: (skips: (path: string) => boolean) => Promise<void>;
  copyFile: CopyClusterFile;
}): Promise<Date> {
  const { url, cluster, target, copyAll, copyFile } = options;
  const client = await connected(url);
  try {
    await one(
      client,
      `SELECT pg_create_physical_replication_slot('rushlight_backup_${process.pid}', true, true)`,
    );
    const start = await one<{ file: string }>(
      client,
      `SELECT pg_walfile_name(lsn) AS file FROM pg_backup_start('rushlight', true) AS lsn`,
    );
    await copyAll((path) => skipsInRunning(path) || path === controlFile);
    await settledControlFile(cluster);
    await copyFile(controlFile);
    const stop = await one<{ file: string; label: string; map: string | null; at: Date }>(
      client,
      `SELECT pg_walfile_name(lsn) AS file, labelfile AS label, spcmapfile AS map,
         clock_timestamp() AS at
       FROM pg_backup_stop(false)`,
    );
    if (stop.map !== null && stop.map.trim() !== '') {
      throw new LaunchError(
        'The cluster has tablespaces elsewhere, which no backup of ours covers.',
      );
    }
    writeFileSync(join(target, 'backup_label'), stop.label, { mode: 0o600, flush: true });
    for (const name of logFiles(join(cluster, 'pg_wal'), start.file, stop.file)) {
      await copyFile(`pg_wal/${name}`);
    }
    return stop.at;
  } finally {
    await client.end().catch(() => undefined); // With it goes the slot (R2).
  }
}

async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: connectMs,
    query_timeout: statementMs,
    application_name: 'backup',
    keepAlive: true,
  });
  client.on('error', () => undefined); // The query that runs fails by itself.
  try {
    await client.connect();
    return client;
  } catch (error) {
    throw new LaunchError(`Postgres runs, but does not let us in: ${(error as Error).message}`);
  }
}

/** @throws LaunchError when Postgres died meanwhile, or gave the backup up because it took too long */
async function one<Row extends object>(client: pg.Client, query: string): Promise<Row> {
  const [row] = await client.query<Row>(query).then(
    ({ rows }) => rows,
    (error: Error) => {
      throw new LaunchError(`Postgres did not go on with the backup: ${error.message}. Try again.`);
    },
  );
  if (row === undefined) throw new Error(`no answer to ${query}`);
  return row;
}

/** Postgres writes this file in one go, but a copy may still meet it half-way: twice the same is whole. */
async function settledControlFile(cluster: string): Promise<void> {
  const path = join(cluster, controlFile);
  let last = await readFile(path);
  for (let tries = 0; tries < controlTriesMax; tries++) {
    await sleep(controlPauseMs);
    const next = await readFile(path);
    if (next.equals(last)) return;
    last = next;
  }
  throw new LaunchError(`${path} does not come to rest. Try again.`);
}

const logName = /^[0-9A-F]{24}$/;

/** The files of the log from one to another, without a gap (R3). */
export function logFiles(folder: string, first: string, last: string): string[] {
  const names = readdirSync(folder)
    .filter((name) => logName.test(name) && name >= first && name <= last)
    .sort();
  const expected = segmentOf(last) - segmentOf(first) + 1;
  if (names.length === expected && names[0] === first && names.at(-1) === last) return names;
  throw new LaunchError(
    `Of the write-ahead log ${first} to ${last} there are ${names.length} files of ${expected}. ` +
      'Try again.',
  );
}

/** Segments are of 16 MB, 256 of them to a number of the middle. */
function segmentOf(name: string): number {
  return Number.parseInt(name.slice(8, 16), 16) * 256 + Number.parseInt(name.slice(16), 16);
}
