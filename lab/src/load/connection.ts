// One connection to the server: carries one request at a time, and many one after another.
//
// C1. A request gets one outcome: an answer, or none and why. `sent` is true as soon as a byte of it
//     may have reached the server.
// C2. A connection that is late, broken or closed carries no further request.

import { connect, type Socket } from 'node:net';
import { type Response, ResponseParser } from './response-parser.ts';

export type Outcome = Answered | Unanswered;
export type Answered = { kind: 'answered' } & Response;
/** Nobody knows what became of it if it was sent. */
export type Unanswered = { kind: 'unanswered'; why: string; sent: boolean };

export type Job = {
  bytes: Buffer;
  /** On the monotonic clock. */
  deadlineMs: number;
  /** Called once. */
  end(outcome: Outcome): void;
};

export type Target = { host: string; port: number };

// Every connection reads into the same bytes: they are parsed before the next read begins.
const readBuffer = Buffer.allocUnsafe(65_536);

export class Connection {
  readonly #socket: Socket;
  readonly #parser = new ResponseParser();
  readonly #onFree: (connection: Connection, isUsable: boolean) => void;
  #job: Job | undefined;
  #isOpen = false;
  #isGone = false;
  #lastError = '';

  /** @param onFree called after each job, and once more (not usable) when the connection is gone */
  constructor(target: Target, onFree: (connection: Connection, isUsable: boolean) => void) {
    this.#onFree = onFree;
    this.#socket = connect({
      ...target,
      noDelay: true,
      onread: { buffer: readBuffer, callback: (size, bytes) => this.#read(size, bytes as Buffer) },
    });
    this.#socket
      .once('connect', () => this.#opened())
      .on('error', (error: NodeJS.ErrnoException) => {
        this.#lastError = error.code ?? error.message;
      })
      .once('end', () => this.close('the server closed the line'))
      .once('close', () => this.close(this.#lastError || 'the line was closed'));
  }

  get job(): Job | undefined {
    return this.#job;
  }

  /** Begins a job on a connection that has none. */
  carry(job: Job): void {
    this.#job = job;
    if (this.#isOpen) this.#socket.write(job.bytes);
  }

  /** Drops the line. A job that is under way gets no answer. */
  close(why: string): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#socket.destroy();
    const job = this.#job;
    this.#job = undefined;
    this.#onFree(this, false);
    job?.end({ kind: 'unanswered', why, sent: this.#isOpen });
  }

  #opened(): void {
    this.#isOpen = true;
    if (this.#job) this.#socket.write(this.#job.bytes);
    else this.#onFree(this, true);
  }

  #read(size: number, bytes: Buffer): boolean {
    if (this.#isGone) return false;
    try {
      const response = this.#parser.push(bytes.subarray(0, size));
      if (response) this.#answered(response);
    } catch (error) {
      this.close(String(error));
    }
    return true;
  }

  #answered(response: Response): void {
    const job = this.#job;
    if (job === undefined) {
      this.close('an answer that nobody asked for');
      return;
    }
    this.#job = undefined;
    if (response.keepsAlive) {
      this.#onFree(this, true);
    } else {
      this.#isGone = true;
      this.#socket.destroy();
      this.#onFree(this, false);
    }
    job.end(Object.assign(response, { kind: 'answered' as const }));
  }
}
