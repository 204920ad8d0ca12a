// Connections to one Postgres database. Nothing here waits without a limit: not for a free
// connection, not for the network, not for an answer, not for a lock.
//
// P1. A connection that failed in any way is closed, never handed out again.
// P2. When one connection met a silent network, those opened before are not trusted either: they
//     are replaced as they come up, so that the pool works again as soon as the network does.

import { Pool, type PoolClient, types } from 'pg';
import type { Environment } from '../environment.ts';
import type { Log } from '../log.ts';
import { within } from '../within.ts';
import { readDatabaseUrl } from './database-url.ts';
import { asUnavailable } from './failures.ts';
import { UnavailableError } from './store.ts';

export type Timeouts = {
  connectMs: number;
  /** For the server: it gives the statement up. */
  statementMs: number;
  lockMs: number;
  idleInTransactionMs: number;
  /** For us: we give the connection up, because the network is silent. */
  answerMs: number;
};

export const defaultTimeouts: Timeouts = {
  connectMs: 2_000,
  statementMs: 5_000,
  lockMs: 2_000,
  idleInTransactionMs: 10_000,
  answerMs: 6_000,
};

export type PoolOptions = {
  url: string;
  /** Stands in errors, logs and pg_stat_activity. */
  name: string;
  env: Pick<Environment, 'after'>;
  log: Log;
  /** Connections open at most. */
  sizeMax: number;
  /** Callers that may wait for a connection; the next one is refused at once. */
  waitingMax?: number;
  timeouts?: Partial<Timeouts>;
  /** Command-line options for the server, for settings of these connections. */
  options?: string;
};

export type ConnectionPool = {
  /** What a transaction begins with. */
  readonly begin: string;
  /** Hands out a connection. @throws UnavailableError */
  take(): Promise<PoolClient>;
  /** Takes it back; with an error it is closed instead, see P1. */
  give(client: PoolClient, error?: unknown): void;
  /** Waits for connections that are lent, and for the ends of all, but not for ever. */
  close(): Promise<void>;
};

const closeMsMax = 7_000;
const endMsMax = 1_000;
const int8Oid = 20;
const asNumber = (text: string): number => Number(text);

/** Counts and milliseconds fit into a double; Postgres' 64-bit integers arrive as numbers. */
const typeParsers = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === int8Oid && format !== 'binary'
      ? asNumber
      : types.getTypeParser(oid, format as 'text')) as typeof types.getTypeParser,
};

/** What every connection of ours is opened with. */
export function connectionOptions(options: { url: string; name: string; timeouts: Timeouts }) {
  const { name, timeouts } = options;
  const { connectionString, isPooled } = readDatabaseUrl(options.url);
  const settings = {
    statement_timeout: timeouts.statementMs,
    lock_timeout: timeouts.lockMs,
    idle_in_transaction_session_timeout: timeouts.idleInTransactionMs,
  };
  return {
    connectionString,
    ...(isPooled ? {} : settings),
    application_name: name,
    connectionTimeoutMillis: timeouts.connectMs,
    query_timeout: timeouts.answerMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5_000,
    pipeline: true,
    types: typeParsers,
  };
}

/** The server's limits for one transaction, where a session cannot keep them. */
export function beginWith(timeouts: Timeouts): string {
  return (
    `BEGIN; SET LOCAL statement_timeout = ${timeouts.statementMs}; ` +
    `SET LOCAL lock_timeout = ${timeouts.lockMs}; ` +
    `SET LOCAL idle_in_transaction_session_timeout = ${timeouts.idleInTransactionMs}`
  );
}

/** Opens the pool; the first connection is made when it is needed. */
export function openPool(options: PoolOptions): ConnectionPool {
  const { name, log } = options;
  const waitingMax = options.waitingMax ?? 200;
  const timeouts = { ...defaultTimeouts, ...options.timeouts };
  const { isPooled } = readDatabaseUrl(options.url);
  const pool = new Pool({
    ...connectionOptions({ url: options.url, name, timeouts }),
    max: options.sizeMax,
    ...(options.options === undefined ? {} : { options: options.options }),
    min: 1,
    idleTimeoutMillis: 30_000,
  });
  const bornIn = new WeakMap<PoolClient, number>();
  const ends = new Set<Promise<void>>();
  let era = 0;
  let closing: Promise<void> | undefined;

  pool.on('error', (error) => {
    if (closing !== undefined) return;
    log.warn({ store: name, reason: error.message }, 'an idle database connection was lost');
  });
  pool.on('connect', (client) => {
    bornIn.set(client as PoolClient, era);
    if (isPooled) sendUnnamed(client as PoolClient);
    // While it is in use, the query that fails reports it; without a listener it would be fatal.
    client.on('error', () => {});
    const ended = new Promise<void>((done) => client.once('end', done));
    ends.add(ended);
    void ended.then(() => ends.delete(ended));
  });

  const take = async (): Promise<PoolClient> => {
    if (pool.waitingCount >= waitingMax) {
      throw new UnavailableError(name, `${name}: ${waitingMax} callers wait for a connection`);
    }
    for (;;) {
      const client = await pool.connect().catch((error: unknown) => {
        throw asUnavailable(name, error);
      });
      if (bornIn.get(client) === era) return client;
      client.release(true);
    }
  };

  const give = (client: PoolClient, error?: unknown): void => {
    if (isSilence(error) && bornIn.get(client) === era) era += 1;
    client.release(error !== undefined);
  };

  return {
    begin: isPooled ? beginWith(timeouts) : 'BEGIN',
    take,
    give,
    close: () => {
      // The pool forgets its connections before they have ended, hence the second wait.
      const ended = async (): Promise<void> => {
        await pool.end();
        await within(options.env, endMsMax, Promise.all(ends));
      };
      closing ??= within(options.env, closeMsMax, ended());
      return closing;
    },
  };
}

/** A prepared statement would stay in a session that is lent to others. */
function sendUnnamed(client: PoolClient): void {
  const send = client.query.bind(client) as (...given: unknown[]) => unknown;
  const query = (given: unknown, ...rest: unknown[]): unknown => {
    const isNamed = typeof given === 'object' && given !== null && 'name' in given;
    return send(isNamed ? { ...given, name: undefined } : given, ...rest);
  };
  client.query = query as typeof client.query;
}

function isSilence(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at.message === 'Query read timeout') return true;
  }
  return false;
}
