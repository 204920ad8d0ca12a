// A service's own database.
//
// S1. One transaction is one named operation: it commits as a whole, or nothing of it happened.
// S2. `work` may run more than once (a deadlock, a serialization failure): it keeps no state of
//     its own between runs, and has no effect but through its transaction.
// S3. When COMMIT was sent and no answer came, the outcome is unknown: UnavailableError with that
//     sentence. The same operation with the same ids can safely be asked again.
// S4. BEGIN travels with the first statement, what was emitted with COMMIT: a transaction with one
//     statement costs two round trips, and an operation that is one statement costs one.

import type { PoolClient } from 'pg';
import type { WrittenMessage } from '../bus/delivery.ts';
import type { Environment } from '../environment.ts';
import type { Log } from '../log.ts';
import { currentSpan, type Span, type SpanStart } from '../tracing/span.ts';
import type { Tracer } from '../tracing/tracer.ts';
import { asUnavailable, failureOf } from './failures.ts';
import { type MigrationSet, migrate } from './migrations.ts';
import { Emitted, insertOutboxRows, postgresOutbox } from './outbox.ts';
import { type ConnectionPool, openPool, type Timeouts } from './pool.ts';
import { type Outbox, type Statement, type Transaction, UnavailableError } from './store.ts';

export type PostgresStoreOptions = {
  url: string;
  /** The name of the service; stands in errors, logs and pg_stat_activity. */
  name: string;
  env: Environment;
  log: Log;
  /** Connections open at most, 8 unless given. */
  sizeMax?: number;
  /** The folder with the service's numbered SQL files. */
  migrations: URL;
  /** Callers that may wait for a connection, 200 unless given. */
  waitingMax?: number;
  timeouts?: Partial<Timeouts>;
  /** Where operations begin that nobody asked for; without it these are not traced. */
  tracer?: Tracer | undefined;
  onOperation?: OnOperation;
};

export type OperationOutcome = 'committed' | 'rolled_back' | 'unavailable';
export type OnOperation = (operation: string, outcome: OperationOutcome, durationS: number) => void;

export interface PostgresStore extends AsyncDisposable {
  /**
   * Runs `work` in one READ COMMITTED transaction, and again after a conflict (S2).
   *
   * @throws UnavailableError when the database cannot be reached or does not answer in time
   */
  transaction<T>(operation: string, work: (tx: Transaction) => Promise<T>): Promise<T>;
  /** The same for an operation that is one statement, and emits nothing: it commits by itself. */
  single<Row extends object>(
    operation: string,
    statement: Statement,
    values: readonly unknown[],
  ): Promise<Row[]>;
  /** One statement of its own. @throws UnavailableError */
  query<Row extends object>(statement: Statement, values?: readonly unknown[]): Promise<Row[]>;
  readonly outbox: Outbox;
  /** Forgets messages taken in more than this long ago. Returns how many. */
  forgetInbox(olderThanMs: number): Promise<number>;
  /** Throws when the database cannot be reached now. */
  ping(): Promise<void>;
  /** Waits for the transactions that run, then closes all connections. */
  close(): Promise<void>;
}

const chassisMigrations: MigrationSet = {
  folder: new URL('./migrations/', import.meta.url),
  table: 'chassis_migrations',
};

const conflictTriesMax = 4;
const isNewStatement: Statement = {
  name: 'chassis_inbox_add',
  text: 'INSERT INTO inbox (message_id) VALUES ($1) ON CONFLICT DO NOTHING RETURNING 1 AS one',
};
const newOfStatement: Statement = {
  name: 'chassis_inbox_add_many',
  text: `INSERT INTO inbox (message_id)
         SELECT DISTINCT id FROM unnest($1::uuid[]) AS message (id) ORDER BY id
         ON CONFLICT DO NOTHING RETURNING message_id`,
};

/**
 * Brings the database up to date, then opens it.
 *
 * @throws UnavailableError when it cannot be reached; Error when the migrations do not fit it
 */
export async function openPostgres(options: PostgresStoreOptions): Promise<PostgresStore> {
  await migrate(options.url, [
    chassisMigrations,
    { folder: options.migrations, table: 'service_migrations' },
  ]);
  const { name, env } = options;
  const pool = openPool({ ...options, sizeMax: options.sizeMax ?? 8 });
  const outbox = postgresOutbox({ pool, name });
  const once = async <T>(work: Work<T>, span: Span | undefined): Promise<T> => {
    const { result, emitted } = await runTransaction(pool, name, new Emitted(env, span), work);
    outbox.written(emitted);
    return result;
  };
  const operate = async <T>(
    operation: string,
    attempt: (span: Span | undefined) => Promise<T>,
  ): Promise<T> => {
    const startedMs = env.monotonicMs();
    const span = spanOfOperation(operation, options.tracer);
    const report = (outcome: OperationOutcome): void => {
      options.onOperation?.(operation, outcome, (env.monotonicMs() - startedMs) / 1_000);
      span?.end();
    };
    for (let tries = 1; ; tries++) {
      try {
        const result = await attempt(span);
        report('committed');
        return result;
      } catch (error) {
        if (failureOf(error) === 'conflict' && tries < conflictTriesMax) {
          await env.sleep(env.random() * 10 * 2 ** tries);
          continue;
        }
        span?.failWith(error);
        report(failureOf(error) === 'other' ? 'rolled_back' : 'unavailable');
        throw conflictAsUnavailable(name, operation, error);
      }
    }
  };
  const query: PostgresStore['query'] = async (statement, values = []) =>
    onConnection(pool, name, (client) => run(client, statement, values));

  return {
    transaction: (operation, work) => operate(operation, (span) => once(work, span)),
    single: (operation, statement, values) => operate(operation, () => query(statement, values)),
    query,
    outbox,
    forgetInbox: (olderThanMs) => forgetInbox(query, olderThanMs),
    ping: async () => {
      await query({ name: 'chassis_ping', text: 'SELECT 1 AS one' });
    },
    close: () => pool.close(),
    [Symbol.asyncDispose]: () => pool.close(),
  };
}

/** Sends one prepared statement. */
export async function run<Row extends object>(
  client: PoolClient,
  statement: Statement,
  values: readonly unknown[],
): Promise<Row[]> {
  const result = await client.query<Row>({
    name: statement.name,
    text: statement.text,
    values: values as unknown[],
  });
  return result.rows;
}

/** Lends a connection for work outside of a transaction. */
export async function onConnection<T>(
  pool: ConnectionPool,
  name: string,
  work: (client: PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.take();
  try {
    const result = await work(client);
    pool.give(client);
    return result;
  } catch (error) {
    const outward = asUnavailable(name, error);
    pool.give(client, outward instanceof UnavailableError ? error : undefined);
    throw outward;
  }
}

type Work<T> = (tx: Transaction) => Promise<T>;

function spanOfOperation(operation: string, tracer: Tracer | undefined): Span | undefined {
  const start: SpanStart = {
    name: operation,
    kind: 'client',
    attributes: { 'db.system.name': 'postgresql', 'db.operation.name': operation },
  };
  return currentSpan()?.child(start) ?? tracer?.begin(start);
}

async function runTransaction<T>(
  pool: ConnectionPool,
  name: string,
  emitted: Emitted,
  work: Work<T>,
): Promise<{ result: T; emitted: WrittenMessage[] }> {
  const client = await pool.take();
  const open = openTransaction(client, emitted);
  let committing = false;
  try {
    const [begun, working] = together(client, () => {
      const sent = client.query(pool.begin); // Not awaited: the first statement follows at once (S4).
      sent.catch(() => {});
      return [sent, work(open.tx)];
    });
    const result = await working;
    open.end();
    const messages = open.messages();
    committing = true;
    const [written, committed] = together(client, () => [
      Promise.allSettled([insertOutboxRows(client, messages)]),
      client.query('COMMIT'),
    ]);
    const commit = await committed;
    await begun;
    if (commit.command !== 'COMMIT') throw await whyRolledBack(written, open.failure());
    pool.give(client);
    return { result, emitted: messages };
  } catch (error) {
    open.end();
    const failure = failureOf(error);
    await giveBack(pool, client, failure === 'unavailable' ? error : undefined);
    if (!committing || failure !== 'unavailable') throw asUnavailable(name, error);
    throw new UnavailableError(name, `${name}: no answer to COMMIT, its outcome is unknown`, {
      cause: error,
    });
  }
}

/** Sends in one piece what `ask` asks at once: a system call costs more than a small statement. */
function together<T extends readonly unknown[]>(client: PoolClient, ask: () => [...T]): [...T] {
  const { stream } = client.connection;
  stream.cork();
  try {
    return ask();
  } finally {
    stream.uncork();
  }
}

function openTransaction(client: PoolClient, emitted: Emitted) {
  let failure: unknown;
  let ended = false;
  const query: Transaction['query'] = async (statement, values = []) => {
    if (ended) throw new Error(`${statement.name} came after the end of its transaction`);
    try {
      return await run(client, statement, values);
    } catch (error) {
      failure ??= error;
      throw error;
    }
  };
  const tx: Transaction = {
    query,
    emit: async (topic, events) => {
      if (ended) throw new Error(`${topic} was emitted after the end of its transaction`);
      emitted.add(topic, events);
    },
    isNew: async (messageId) => (await query(isNewStatement, [messageId])).length > 0,
    newOf: async (messageIds) => {
      const rows = await query<{ message_id: string }>(newOfStatement, [messageIds]);
      return new Set(rows.map((row) => row.message_id));
    },
  };
  return {
    tx,
    end: () => {
      ended = true;
    },
    messages: () => emitted.messages(),
    failure: () => failure,
  };
}

/** COMMIT of a failed transaction answers ROLLBACK; the reason is the first error in it. */
async function whyRolledBack(
  emitted: Promise<PromiseSettledResult<unknown>[]>,
  failure: unknown,
): Promise<unknown> {
  const refused = (await emitted).find((settled) => settled.status === 'rejected');
  return failure ?? refused?.reason ?? new Error('The transaction was rolled back.');
}

async function giveBack(pool: ConnectionPool, client: PoolClient, error: unknown): Promise<void> {
  if (error !== undefined) {
    pool.give(client, error);
    return;
  }
  try {
    await client.query('ROLLBACK');
    pool.give(client);
  } catch (rollbackError) {
    pool.give(client, rollbackError);
  }
}

function conflictAsUnavailable(name: string, operation: string, error: unknown): unknown {
  if (failureOf(error) !== 'conflict') return error;
  const say = `${name}: ${operation} met others ${conflictTriesMax} times and was rolled back`;
  return new UnavailableError(name, say, { cause: error });
}

async function forgetInbox(query: PostgresStore['query'], olderThanMs: number): Promise<number> {
  const rowsMax = 10_000; // Per statement, so that each stays short.
  const roundsMax = 50;
  let forgotten = 0;
  for (let rounds = 0; rounds < roundsMax; rounds++) {
    const rows = await query(
      {
        name: 'chassis_inbox_forget',
        text: `DELETE FROM inbox WHERE message_id = ANY (ARRAY(
                 SELECT message_id FROM inbox
                 WHERE at < now() - $1::double precision * interval '1 millisecond' LIMIT $2
               )) RETURNING 1 AS one`,
      },
      [olderThanMs, rowsMax],
    );
    forgotten += rows.length;
    if (rows.length < rowsMax) break;
  }
  return forgotten;
}
