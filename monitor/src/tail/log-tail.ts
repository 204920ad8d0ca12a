// Follows the log files of a folder into the store.
//
// L1. Each line is taken in once: how far a file was read is kept when its lines are in the store.
//     After a crash the lines since then are read again, and those that the store has are left out.
// L2. While this program is down the files wait. What they gained is read at the next start, up to
//     `catchUpBytesMax` for each service, the newest.
// L3. The files are the better buffer: nothing is read while too much waits to be written.

import type { Environment, Log } from '@rushlight/chassis';
import type { LogRecord } from '../model.ts';
import type { TelemetryStore } from '../store/face.ts';
import { type LogFile, logFilesOf, type Position, positionIn, readLines } from './log-files.ts';
import { recordOfLine } from './log-line.ts';
import { loadOffsets, saveOffsets } from './offsets.ts';

export type LogTailOptions = {
  folder: string;
  /** Where the offsets are kept. */
  offsetsPath: string;
  store: Pick<TelemetryStore, 'intake' | 'flush' | 'state' | 'rows'>;
  env: Environment;
  log: Log;
  everyMs?: number;
  saveEveryMs?: number;
  catchUpBytesMax?: number;
};

export type LogTailState = { files: number; lines: number; skippedBytes: number };

const defaults = { everyMs: 500, saveEveryMs: 2_000, catchUpBytesMax: 32 * 1024 * 1024 };
/** L3 */
const waitingMax = 20_000;
const keptLinesMax = 50_000;
const dayMs = 86_400_000;
const unseenMax = 20;

/** `unseen`: in so many looks, one after another, it was not there. */
type Seen = Position & { unseen: number };
type Start = Position & { isWithinLine?: boolean };

/** Begins to follow. What the files hold by now is read after it resolves: see `caughtUp`. */
export async function startLogTail(options: LogTailOptions): Promise<LogTail> {
  return new LogTail(options);
}

class LogTail implements AsyncDisposable {
  readonly #options: typeof defaults & LogTailOptions;
  readonly #state: LogTailState = { files: 0, lines: 0, skippedBytes: 0 };
  /** Settles when everything is read that the files held at the start, or could not be. */
  readonly caughtUp: Promise<void>;
  #positions: Seen[] = [];
  /** Lines of the store since the offsets were kept, how often each; empty when they are exact. */
  #kept = new Map<string, number>();
  #savedAtMs = 0;
  #stopped = false;
  readonly #loop: Promise<void>;
  #wake: () => void = () => undefined;

  constructor(options: LogTailOptions) {
    this.#options = { ...defaults, ...options };
    this.caughtUp = this.#catchUp();
    this.#loop = this.caughtUp.then(() => this.#run());
  }

  async #catchUp(): Promise<void> {
    const offsets = await loadOffsets(this.#options.offsetsPath);
    this.#positions = (offsets?.positions ?? []).map((position) => ({ ...position, unseen: 0 }));
    if (offsets?.complete !== true) await this.#recallKept();
    await this.#attempt('catch-up');
    this.#kept.clear();
  }

  state(): LogTailState {
    return { ...this.#state };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#wake();
    await this.#loop;
    await this.#attempt('follow');
    await this.#save('complete');
  }

  async #run(): Promise<void> {
    const { env, everyMs } = this.#options;
    while (!this.#stopped) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const cancel = env.after(everyMs, resolve);
      this.#wake = resolve;
      await promise;
      cancel();
      if (!this.#stopped) await this.#attempt('follow');
    }
  }

  /** A disk that fails is told of, and tried again. */
  async #attempt(mode: 'catch-up' | 'follow'): Promise<void> {
    const { env, log, folder, saveEveryMs } = this.#options;
    try {
      await this.#readAll(mode);
      if (env.monotonicMs() - this.#savedAtMs >= saveEveryMs) await this.#save('so far');
    } catch (error) {
      log.warn({ error, folder }, 'log files could not be followed; tried again later');
    }
  }

  async #readAll(mode: 'catch-up' | 'follow'): Promise<void> {
    const files = await logFilesOf(this.#options.folder);
    this.#state.files = files.length;
    const positions = new Map<number, Seen>();
    for (const file of files) {
      const known = positionIn(file, this.#positions);
      const start = mode === 'catch-up' ? this.#caughtUp(file, files, known) : known;
      positions.set(file.inode, { ...(await this.#readOne(file, start)), unseen: 0 });
    }
    this.#positions = [...positions.values(), ...this.#unseen(positions)];
  }

  /** A file that is renamed while the folder is listed is missing in the list. */
  #unseen(seen: ReadonlyMap<number, Seen>): Seen[] {
    return this.#positions
      .filter(({ inode, unseen }) => !seen.has(inode) && unseen < unseenMax)
      .map((position) => ({ ...position, unseen: position.unseen + 1 }));
  }

  async #readOne(file: LogFile, start: Start): Promise<Position> {
    let position: Position = { inode: start.inode, head: start.head, offset: start.offset };
    let isWithinLine = start.isWithinLine === true;
    while (position.offset < file.size) {
      await this.#room();
      const read = await readLines(file, position);
      if (read === undefined) break;
      this.#take(isWithinLine ? read.lines.slice(1) : read.lines, file.service);
      isWithinLine = false;
      position = read.position;
      if (!read.more || this.#stopped) break;
    }
    return position;
  }

  #take(lines: readonly string[], service: string): void {
    const nowMs = this.#options.env.nowMs();
    const records = lines
      .map((line) => recordOfLine(line, service, nowMs))
      .filter((record) => !this.#isKept(record));
    this.#state.lines += records.length;
    this.#options.store.intake.logs(records);
  }

  /** L1 */
  #isKept({ line }: LogRecord): boolean {
    const count = this.#kept.get(line) ?? 0;
    if (count === 0) return false;
    this.#kept.set(line, count - 1);
    return true;
  }

  /** L3 */
  async #room(): Promise<void> {
    const { store, env, everyMs } = this.#options;
    while (store.state().waiting > waitingMax && !this.#stopped) {
      await store.flush();
      if (store.state().waiting > waitingMax) await env.sleep(everyMs);
    }
  }

  /** L2. Of a service's files, oldest first, what lies further back than the limit is left out. */
  #caughtUp(file: LogFile, files: readonly LogFile[], known: Position): Start {
    const later = files
      .filter(({ service, age }) => service === file.service && age < file.age)
      .reduce((sum, { size }) => sum + size, 0);
    const roomBytes = Math.max(0, this.#options.catchUpBytesMax - later);
    const offset = Math.max(known.offset, file.size - roomBytes);
    this.#state.skippedBytes += offset - known.offset;
    return { ...known, offset, isWithinLine: offset > known.offset };
  }

  /** The offsets as they are now, once their lines are written. */
  async #save(how: 'so far' | 'complete'): Promise<void> {
    const { store, env, offsetsPath, log } = this.#options;
    const positions = this.#positions.map(({ inode, head, offset }) => ({ inode, head, offset }));
    await store.flush();
    if (store.state().waiting > 0) return;
    this.#savedAtMs = env.monotonicMs();
    await saveOffsets(offsetsPath, { complete: how === 'complete', positions }).catch((error) => {
      log.warn({ error, offsetsPath }, 'the offsets of log files could not be kept');
    });
  }

  async #recallKept(): Promise<void> {
    const { store, env, log } = this.#options;
    const sinceUs = (env.nowMs() - dayMs) * 1_000;
    try {
      const rows = await store.rows<{ line: string }>(
        'SELECT line FROM logs WHERE at_us >= ? ORDER BY rowid DESC LIMIT ?',
        [sinceUs, keptLinesMax],
      );
      for (const { line } of rows) this.#kept.set(line, (this.#kept.get(line) ?? 0) + 1);
    } catch (error) {
      log.warn({ error }, 'log lines since the last start may come twice');
    }
  }
}
