// Lines of logs to whoever watches them now.
//
// F1. A watcher that reads too slowly misses lines, and is told how many; nobody waits for it.
// F2. Watchers have a limit, and cost nothing while there are none.
// F3. Nobody watches on for longer than a heartbeat when the token is over.

import type { ServerResponse } from 'node:http';
import type { Environment } from '@rushlight/chassis';
import { ApiError } from '@rushlight/contracts';
import { type LogLevel, type LogRecord, logLevels } from '../model.ts';
import { logLineOf } from './views.ts';

export type LogFilter = {
  service?: string | undefined;
  level?: LogLevel | undefined;
  text?: string | undefined;
  traceId?: string | undefined;
};

type Watcher = { raw: ServerResponse; filter: LogFilter; expiresAtMs: number; missed: number };
type Clock = Pick<Environment, 'after' | 'nowMs'>;

const watchersMax = 50;
const waitingBytesMax = 262_144;
const heartbeatMs = 15_000;
const headers = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  'x-accel-buffering': 'no',
  'x-content-type-options': 'nosniff',
};

export class LogFeed {
  readonly #watchers = new Set<Watcher>();
  readonly #env: Clock;
  #stopBeating: (() => void) | undefined;
  #closed = false;

  constructor(env: Clock) {
    this.#env = env;
  }

  /**
   * Begins to write the lines that pass to this response, until it is closed.
   *
   * @throws ApiError('busy') when too many watch already
   */
  open(raw: ServerResponse, filter: LogFilter, expiresAtMs: number): void {
    if (this.#closed || this.#watchers.size >= watchersMax)
      throw new ApiError('busy', { waitS: 10 });
    if (raw.destroyed) return; // Gone before it began: it would not say so again.
    const watcher = { raw, filter, expiresAtMs, missed: 0 };
    this.#watchers.add(watcher);
    raw.once('close', () => this.#watchers.delete(watcher));
    raw.on('error', () => this.#watchers.delete(watcher));
    raw.writeHead(200, headers);
    raw.write(': lines follow as they come\n\n');
    this.#stopBeating ??= this.#beat();
  }

  publish(records: readonly LogRecord[]): void {
    for (const watcher of this.#watchers) {
      for (const record of records) if (passes(record, watcher.filter)) write(watcher, record);
    }
  }

  close(): void {
    this.#closed = true;
    this.#stopBeating?.();
    for (const { raw } of this.#watchers) raw.end();
  }

  #beat(): () => void {
    return this.#env.after(heartbeatMs, () => {
      const nowMs = this.#env.nowMs();
      for (const { raw, expiresAtMs } of this.#watchers) {
        if (expiresAtMs <= nowMs) raw.end();
        else if (raw.writableLength < waitingBytesMax) raw.write(': still here\n\n');
      }
      this.#stopBeating = this.#closed || this.#watchers.size === 0 ? undefined : this.#beat();
    });
  }
}

function passes(record: LogRecord, { service, level, text, traceId }: LogFilter): boolean {
  if (service !== undefined && record.service !== service) return false;
  if (traceId !== undefined && record.traceId !== traceId) return false;
  if (level !== undefined && logLevels.indexOf(record.level) < logLevels.indexOf(level)) {
    return false;
  }
  return text === undefined || record.line.toLowerCase().includes(text.toLowerCase());
}

function write(watcher: Watcher, record: LogRecord): void {
  const { raw } = watcher;
  if (raw.writableLength > waitingBytesMax) {
    watcher.missed += 1;
    return;
  }
  if (watcher.missed > 0) {
    raw.write(`event: missed\ndata: ${JSON.stringify({ lines: watcher.missed })}\n\n`);
    watcher.missed = 0;
  }
  raw.write(`event: log\ndata: ${JSON.stringify(logLineOf(record))}\n\n`);
}
