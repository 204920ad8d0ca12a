// One DuckDB file, as a thing that can break and be opened again.
//
// D1. Nothing reads or writes files but DuckDB itself, and only this one and its temporary ones: no
//     statement can reach another file, the network, an extension or a setting.
// D2. One writer: its statements run one after another. Readers have a connection each, in a
//     transaction that cannot write, and are interrupted at their limit of time.
// D3. It is never open twice in a process: closing waits for its readers.

import {
  BIGINT,
  BOOLEAN,
  DOUBLE,
  type DuckDBConnection,
  type DuckDBDataChunk,
  DuckDBInstance,
  type DuckDBResult,
  type DuckDBType,
  type DuckDBValue,
  SQLNULL,
  VARCHAR,
} from '@duckdb/node-api';
import type { Environment } from '@rushlight/chassis';
import { LimitError } from '../model.ts';
import { type Parameter, SqlRefusedError, StoreUnavailableError } from './face.ts';
import { Permits } from './permits.ts';

export type DatabaseOptions = {
  path: string;
  temporaryFolder: string;
  temporaryBytesMax: number;
  /** Of the log of changes, before it is worked into the file: seldom is cheaper. */
  logBytesMax: number;
  memoryBytesMax: number;
  threads: number;
  env: Environment;
};

export type Question = {
  sql: string;
  parameters?: readonly Parameter[];
  durationMsMax: number;
  signal?: AbortSignal | undefined;
  /** How much more memory the process may take meanwhile; default: no limit. */
  growthBytesMax?: number;
  /** Called once, before the first chunk. */
  onColumns?: (result: DuckDBResult) => void;
};

/** Takes in a chunk of an answer; `enough` ends the reading. */
export type TakeChunk = (chunk: DuckDBDataChunk, result: DuckDBResult) => 'more' | 'enough';

/** Libuv runs four such calls at once; one is left for the writer and the files. */
const readsAtOnceMax = 3;
const readsWaitingMax = 64;
const interruptEveryMs = 25;

export class Database {
  readonly writer: DuckDBConnection;
  readonly #instance: DuckDBInstance;
  readonly #env: Environment;
  readonly #permits = new Permits({ atOnceMax: readsAtOnceMax, waitingMax: readsWaitingMax });
  readonly #reads = new Map<Promise<void>, DuckDBConnection>();
  #closing = false;

  private constructor(instance: DuckDBInstance, writer: DuckDBConnection, env: Environment) {
    this.#instance = instance;
    this.writer = writer;
    this.#env = env;
  }

  /** @throws whatever DuckDB says when the file is damaged, of a later release, or in use */
  static async open(options: DatabaseOptions): Promise<Database> {
    const instance = await DuckDBInstance.create(options.path, {
      memory_limit: `${Math.round(options.memoryBytesMax / 1024)}KiB`,
      threads: String(options.threads),
    });
    try {
      const writer = await instance.connect();
      for (const statement of settings(options)) await writer.run(statement);
      return new Database(instance, writer, options.env);
    } catch (error) {
      instance.closeSync();
      throw error;
    }
  }

  /** Hands over the answer chunk by chunk. @throws as TelemetryStore.rows */
  async read(question: Question, take: TakeChunk): Promise<void> {
    const { durationMsMax, signal } = question;
    const endMs = this.#env.monotonicMs() + durationMsMax;
    await this.#permits.run(this.#env, durationMsMax, async () => {
      signal?.throwIfAborted();
      this.#mustBeOpen();
      const connection = await this.#instance.connect();
      const done = Promise.withResolvers<void>();
      this.#reads.set(done.promise, connection);
      try {
        await this.#readOn(connection, { ...question, endMs }, take);
      } finally {
        connection.closeSync();
        this.#reads.delete(done.promise);
        done.resolve();
      }
    });
  }

  /** D3. It waits for readers, which are interrupted, at most for as long as DuckDB lets them. */
  async close(): Promise<void> {
    this.#closing = true;
    while (this.#reads.size > 0) {
      for (const connection of this.#reads.values()) connection.interrupt();
      const first = [...this.#reads.keys()][0];
      await Promise.race([first, this.#env.sleep(interruptEveryMs)]);
    }
    this.writer.closeSync();
    this.#instance.closeSync();
  }

  async #readOn(
    connection: DuckDBConnection,
    question: Question & { endMs: number },
    take: TakeChunk,
  ): Promise<void> {
    const { signal, endMs } = question;
    const bytesMax =
      process.memoryUsage.rss() + (question.growthBytesMax ?? Number.POSITIVE_INFINITY);
    let large = false;
    const stopped = (): Stop | undefined => {
      if (signal?.aborted) return 'aborted';
      if (this.#closing) return 'closing';
      if (large) return 'large';
      return this.#env.monotonicMs() > endMs ? 'late' : undefined;
    };
    const stopWatching = this.#watch(() => {
      large ||= process.memoryUsage.rss() > bytesMax;
      if (stopped() !== undefined) connection.interrupt();
    });
    try {
      await connection.run('BEGIN TRANSACTION READ ONLY');
      const { values, types } = bound(question.parameters ?? []);
      const result = await connection.stream(question.sql, values, types);
      question.onColumns?.(result);
      while (stopped() === undefined) {
        const chunk = await result.fetchChunk();
        if (chunk === null || chunk.rowCount === 0) return;
        if (take(chunk, result) === 'enough') return;
      }
      throw new Error('It was stopped.');
    } catch (error) {
      const stop = stopped();
      throw stop === undefined ? translated(error) : reasonOf(stop, question);
    } finally {
      stopWatching();
    }
  }

  /** A single interrupt can come between two statements and be forgotten. */
  #watch(look: () => void): () => void {
    let cancel: () => void;
    const again = (): void => {
      look();
      cancel = this.#env.after(interruptEveryMs, again);
    };
    cancel = this.#env.after(interruptEveryMs, again);
    return () => cancel();
  }

  #mustBeOpen(): void {
    if (this.#closing) throw new StoreUnavailableError('The store is being closed.');
  }
}

type Stop = 'aborted' | 'closing' | 'large' | 'late';

function reasonOf(stop: Stop, { durationMsMax, signal }: Question): unknown {
  switch (stop) {
    case 'aborted':
      return signal?.reason;
    case 'closing':
      return new StoreUnavailableError('The store is being closed.');
    case 'large':
      return new LimitError('The question needs too much memory; ask for a shorter time or less.');
    case 'late':
      return new LimitError(
        `The question took longer than ${durationMsMax} ms; ask for a shorter time or less.`,
      );
  }
}

/** D1. After the last of them no setting can be changed any more. */
function settings(options: DatabaseOptions): string[] {
  return [
    `SET temp_directory = ${quoted(options.temporaryFolder)}`,
    `SET max_temp_directory_size = '${Math.round(options.temporaryBytesMax / 1024)}KiB'`,
    `SET checkpoint_threshold = '${Math.round(options.logBytesMax / 1024)}KiB'`,
    'SET allow_community_extensions = false',
    'SET autoinstall_known_extensions = false',
    'SET autoload_known_extensions = false',
    'SET enable_external_access = false',
    'SET lock_configuration = true',
  ];
}

export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function bound(parameters: readonly Parameter[]): { values: DuckDBValue[]; types: DuckDBType[] } {
  const pairs = parameters.map((value): [DuckDBValue, DuckDBType] => {
    if (value === null) return [null, SQLNULL];
    if (typeof value === 'string') return [value, VARCHAR];
    if (typeof value === 'boolean') return [value, BOOLEAN];
    return Number.isSafeInteger(value) ? [BigInt(value), BIGINT] : [value, DOUBLE];
  });
  return { values: pairs.map(([value]) => value), types: pairs.map(([, type]) => type) };
}

/** What DuckDB says of a statement that it does not like; everything else is its own trouble. */
const refusals =
  /^(Parser|Binder|Catalog|Conversion|Permission|Invalid Input|Out of Range|Not implemented|Mismatch Type|TransactionContext|Invalid type|Serialization|Syntax) Error/;

function translated(error: unknown): Error {
  if (error instanceof LimitError) return error;
  const text = error instanceof Error ? error.message : String(error);
  if (refusals.test(text)) return new SqlRefusedError(text);
  if (/^Out of Memory Error/.test(text)) {
    return new LimitError(`The question needs more memory than the store has. (${text})`);
  }
  return new StoreUnavailableError(text);
}
