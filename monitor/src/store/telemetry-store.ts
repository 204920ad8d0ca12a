// The store: a buffer in front, one loop that writes and deletes, readers beside it.
//
// S1. Taking in never waits and never fails. What cannot be kept is dropped, oldest first, counted.
// S2. One loop does everything that writes, one thing after another: flush, delete, open again.
// S3. When a write fails, its records go back to the front of the buffer and the file is opened
//     again after a pause that grows up to `pauseMsMax`. What failed five times is dropped.
// S4. Nothing of this ends the process, and it recovers without help.

import type { Environment, Log } from '@rushlight/chassis';
import type { LogSource, SeriesSource } from '../model.ts';
import { type Batch, TelemetryBuffer } from './buffer.ts';
import { compactFile, isMostlyFree } from './compaction.ts';
import type { Database } from './database.ts';
import {
  type StoreState,
  StoreUnavailableError,
  type TelemetryIntake,
  type TelemetryKind,
  type TelemetryReads,
  type TelemetryStore,
} from './face.ts';
import { fileLogSource } from './log-source.ts';
import { userSql } from './read-only-sql.ts';
import { telemetryReads } from './reads.ts';
import { type RetentionRules, retentionStep } from './retention.ts';
import { readRows } from './rows.ts';
import { SeriesIndex } from './series-index.ts';
import { fileSeriesSource } from './series-source.ts';
import { isDamage, openStoreFile, storeFileBytes } from './store-file.ts';
import { writeBatches } from './writer.ts';

export type TelemetryStoreOptions = {
  /** Made when it is missing. No other process may use it. */
  folder: string;
  env: Environment;
  log: Log;
  /** Of DuckDB itself; the buffer and answers come on top. */
  memoryBytesMax?: number;
  threads?: number;
  /** What may wait to be written. */
  bufferRecordsMax?: number;
  bufferBytesMax?: number;
  flushEveryMs?: number;
  seriesMax?: number;
  retention?: Partial<RetentionRules>;
  retentionEveryMs?: number;
  /** A smaller file is never made smaller still. */
  compactBytesMin?: number;
};

const megabyte = 1024 ** 2;
const refusedLatelyMs = 600_000;
const refusedNamesMax = 5;
const hourMs = 3_600_000;
const recordsPerWrite = 8_192;
const pauseMsMin = 500;
const pauseMsMax = 5_000;
const failuresMax = 5;
const temporaryBytesMax = 256 * megabyte;
const logBytesMax = 64 * megabyte;

const defaults = {
  memoryBytesMax: 128 * megabyte,
  threads: 2,
  bufferRecordsMax: 100_000,
  bufferBytesMax: 64 * megabyte,
  flushEveryMs: 250,
  seriesMax: 50_000,
  retentionEveryMs: 60_000,
  compactBytesMin: 64 * megabyte,
};
const retentionDefaults: RetentionRules = {
  spansMs: 24 * hourMs,
  logsMs: 24 * hourMs,
  samplesMs: 7 * 24 * hourMs,
  fileBytesMax: 1024 * megabyte,
};

/** Opens the store. A store that cannot be opened now is `broken` and tries again: no error. */
export async function openTelemetryStore(options: TelemetryStoreOptions): Promise<TelemetryStore> {
  const store = new FileStore(options);
  await store.start();
  return store;
}

class FileStore implements TelemetryStore {
  readonly intake: TelemetryIntake;
  readonly series: SeriesSource;
  readonly logs: LogSource;
  readonly reads: TelemetryReads;
  readonly rows: TelemetryStore['rows'];
  readonly readOnlySql: TelemetryStore['readOnlySql'];

  readonly #options: typeof defaults & TelemetryStoreOptions;
  readonly #retention: RetentionRules;
  readonly #buffer: TelemetryBuffer;
  readonly #index: SeriesIndex;
  readonly #written = { spans: 0, logs: 0, samples: 0 };
  readonly #dropped = { spans: 0, logs: 0, samples: 0 };
  #seriesRefused = 0;
  /** When each of a few services was last refused a series. */
  readonly #refusedAtMs = new Map<string, number>();
  /** Records that are taken from the buffer and not yet known to be written. */
  #writing = 0;

  #database: Database | undefined;
  #why: string | undefined;
  /** Of the same records, one after another. */
  #failures = 0;
  /** Since the last good write. */
  #pauses = 0;
  #damage: unknown;
  #retryAtMs = 0;
  #retentionAtMs = 0;
  #closed = false;
  #loop: Promise<void> = Promise.resolve();
  #wake: () => void = () => undefined;
  #flushed: (() => void)[] = [];

  constructor(options: TelemetryStoreOptions) {
    this.#options = { ...defaults, ...options };
    this.#retention = { ...retentionDefaults, ...options.retention };
    this.#index = new SeriesIndex(this.#options.seriesMax);
    this.#buffer = new TelemetryBuffer({
      recordsMax: this.#options.bufferRecordsMax,
      bytesMax: this.#options.bufferBytesMax,
      onDropped: (kind, records) => this.#drop(kind, records),
    });
    this.intake = {
      spans: (records) => this.#take({ kind: 'spans', records }),
      logs: (records) => this.#take({ kind: 'logs', records }),
      samples: (records) => this.#take({ kind: 'samples', records }),
    };
    const database = (): Database => this.#openDatabase();
    this.rows = (sql, parameters, rowOptions) => readRows(database, sql, parameters, rowOptions);
    this.readOnlySql = userSql(database, options.env);
    this.series = fileSeriesSource(database, this.#index);
    this.logs = fileLogSource(this.rows);
    this.reads = telemetryReads(this.rows);
  }

  async start(): Promise<void> {
    await this.#open();
    this.#retentionAtMs = this.#options.env.monotonicMs();
    this.#loop = this.#run();
  }

  flush(): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#flushed.push(resolve);
      this.#wake();
    });
  }

  state(): StoreState {
    const status = this.#closed ? 'closed' : this.#database ? 'open' : 'broken';
    return {
      status,
      ...(status === 'broken' && this.#why !== undefined ? { why: this.#why } : {}),
      written: { ...this.#written },
      dropped: { ...this.#dropped },
      waiting: this.#buffer.records + this.#writing,
      waitingBytes: this.#buffer.bytes,
      fileBytes: storeFileBytes(this.#options.folder),
      series: this.#index.size,
      seriesRefused: this.#seriesRefused,
      seriesRefusedOf: this.#refusedLately(),
    };
  }

  #refusedLately(): string[] {
    const sinceMs = this.#options.env.monotonicMs() - refusedLatelyMs;
    for (const [service, atMs] of this.#refusedAtMs) {
      if (atMs < sinceMs) this.#refusedAtMs.delete(service);
    }
    return [...this.#refusedAtMs.keys()];
  }

  #rememberRefused(): void {
    const nowMs = this.#options.env.monotonicMs();
    for (const service of this.#index.takeRefused()) {
      const isNew = !this.#refusedAtMs.has(service);
      if (isNew && this.#refusedLately().length >= refusedNamesMax) continue;
      this.#refusedAtMs.set(service, nowMs);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#wake();
    await this.#loop;
    await this.#drain();
    const database = this.#database;
    this.#database = undefined;
    for (const resolve of this.#flushed.splice(0)) resolve();
    if (database === undefined) return;
    await database.writer.run('CHECKPOINT').catch((error: Error) => {
      this.#options.log.warn({ error }, 'the telemetry file was closed without a checkpoint');
    });
    await database.close();
  }

  #take(batch: Batch): void {
    if (batch.records.length === 0) return;
    if (this.#closed) {
      this.#drop(batch.kind, batch.records.length);
      return;
    }
    this.#buffer.put(batch);
    if (this.#buffer.records >= recordsPerWrite) this.#wake();
  }

  #drop(kind: TelemetryKind, records: number): void {
    this.#dropped[kind] += records;
  }

  #openDatabase(): Database {
    if (this.#database) return this.#database;
    throw new StoreUnavailableError(
      this.#closed
        ? 'The telemetry store is closed.'
        : `The telemetry store cannot be read now (${this.#why}); it is tried again by itself.`,
    );
  }

  /** S2 */
  async #run(): Promise<void> {
    while (!this.#closed) {
      await this.#pause();
      const waiters = this.#flushed.splice(0);
      await this.#drain();
      for (const resolve of waiters) resolve();
      if (!this.#closed) await this.#deleteSome();
    }
  }

  /** Until it is time to flush, or somebody asks for it. */
  async #pause(): Promise<void> {
    const { env, flushEveryMs } = this.#options;
    if (this.#closed || this.#flushed.length > 0) return;
    if (this.#database && this.#buffer.records >= recordsPerWrite) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = env.after(flushEveryMs, resolve);
    this.#wake = resolve;
    await promise;
    cancel();
  }

  async #drain(): Promise<void> {
    if (!this.#database && this.#options.env.monotonicMs() >= this.#retryAtMs) await this.#open();
    while (this.#database && this.#buffer.records > 0) {
      const batches = this.#buffer.take(recordsPerWrite);
      this.#writing = batches.reduce((sum, { records }) => sum + records.length, 0);
      try {
        const { samplesRefused } = await writeBatches(this.#database.writer, this.#index, batches);
        this.#seriesRefused += samplesRefused;
        this.#rememberRefused();
        for (const { kind, records } of batches) this.#written[kind] += records.length;
        this.#written.samples -= samplesRefused;
        this.#wroteWell();
      } catch (error) {
        await this.#afterFailure(error, batches);
      }
      this.#writing = 0;
    }
  }

  /** S3 */
  async #afterFailure(error: unknown, batches: readonly Batch[]): Promise<void> {
    this.#failures += 1;
    this.#writing = 0;
    if (this.#failures < failuresMax) {
      this.#buffer.putBack(batches);
    } else {
      this.#failures = 0;
      for (const { kind, records } of batches) this.#drop(kind, records.length);
      if (isDamage(error)) this.#damage = error;
    }
    await this.#break(error);
  }

  #wroteWell(): void {
    this.#failures = 0;
    this.#pauses = 0;
    if (this.#why === undefined) return;
    this.#why = undefined;
    this.#options.log.warn({ folder: this.#options.folder }, 'telemetry is kept again');
  }

  async #break(error: unknown): Promise<void> {
    const { env, log } = this.#options;
    const why = error instanceof Error ? error.message : String(error);
    if (this.#why !== why) log.warn({ why }, 'telemetry cannot be kept now; it is tried again');
    this.#why = why;
    this.#retryAtMs = env.monotonicMs() + Math.min(pauseMsMax, pauseMsMin * 2 ** this.#pauses);
    this.#pauses += 1;
    const database = this.#database;
    this.#database = undefined;
    await database?.close();
  }

  async #open(): Promise<void> {
    const { folder, env, log, memoryBytesMax, threads } = this.#options;
    try {
      const { database, series } = await openStoreFile(
        {
          ...{ folder, env, log, memoryBytesMax, threads, temporaryBytesMax },
          logBytesMax: Math.min(logBytesMax, this.#retention.fileBytesMax / 8),
        },
        this.#damage,
      );
      this.#damage = undefined;
      this.#index.replace(series);
      this.#database = database;
    } catch (error) {
      await this.#break(error);
    }
  }

  /** One piece, so that a flush is never far; the rest at once after the next one. */
  async #deleteSome(): Promise<void> {
    const { env, log, retentionEveryMs } = this.#options;
    if (!this.#database || env.monotonicMs() < this.#retentionAtMs) return;
    try {
      const step = await retentionStep(
        this.#database.writer,
        this.#retention,
        env.nowMs(),
        this.#index.crowded(),
      );
      if (step.kind === 'done') {
        this.#index.forget(step.seriesGone);
        this.#index.relieved();
        this.#retentionAtMs = env.monotonicMs() + retentionEveryMs;
        await this.#giveBack();
      } else if (step.why === 'size') {
        log.warn(step, 'the telemetry file is full: the oldest is deleted');
      }
    } catch (error) {
      this.#retentionAtMs = env.monotonicMs() + retentionEveryMs;
      log.warn({ error }, 'old telemetry could not be deleted; tried again later');
    }
  }

  /** Reads fail meanwhile; what comes in waits in the buffer. */
  async #giveBack(): Promise<void> {
    const { folder, memoryBytesMax, threads, log, compactBytesMin } = this.#options;
    const database = this.#database;
    if (!database || !(await isMostlyFree(database.writer, compactBytesMin))) return;
    this.#database = undefined;
    this.#why = 'its file is being made smaller';
    await database.close();
    const before = storeFileBytes(folder);
    try {
      await compactFile({ folder, memoryBytesMax, threads });
      const fileBytes = storeFileBytes(folder);
      log.info({ before, fileBytes }, 'the telemetry file was made smaller');
    } finally {
      this.#why = undefined;
      await this.#open();
    }
  }
}
