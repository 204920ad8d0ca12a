// A small HTTP/1.1 client for load: a pool of connections to one server, cheap enough that the
// measured side, not we, is what is slow.
//
// L1. At most `connectionsMax` connections; requests beyond them wait, and at most `waitingMax` of them.
// L2. Every request has a deadline and ends by it: late ones lose their connection.
// L3. No redirects, no retries, no pipelining: what is done once more is the caller's decision.

import { Connection, type Job, type Outcome } from './connection.ts';

export type RequestParts = {
  method: string;
  path: string;
  headers?: Readonly<Record<string, string>>;
  /** JSON as text. */
  body?: string;
};

export type LoadClient = {
  /** The bytes of a request, to be made once and sent often. */
  prepare(parts: RequestParts): Buffer;
  /** Resolves at the latest when the deadline is over; never rejects. */
  request(request: Buffer | RequestParts, deadlineMs: number): Promise<Outcome>;
  /** Opens so many connections before they are needed. */
  warmUp(connections: number): Promise<void>;
  connections(): number;
  close(): void;
};

export type LoadClientOptions = {
  /** Such as http://127.0.0.1:3000; the path of it is ignored. */
  url: string;
  connectionsMax: number;
  waitingMax?: number;
};

const sweepMs = 5;
const warmUpMsMax = 5_000;

/** @throws Error when the URL is not one of plain HTTP */
export function createLoadClient(options: LoadClientOptions): LoadClient {
  const { protocol, hostname, port, host } = new URL(options.url);
  if (protocol !== 'http:') throw new Error(`${options.url}: only http is spoken here`);
  const target = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 80) };
  const pool = new Pool(target, options);
  const prepare = (parts: RequestParts): Buffer => serialize(host, parts);
  return {
    prepare,
    request: (request, deadlineMs) =>
      new Promise((end) => {
        const bytes = Buffer.isBuffer(request) ? request : prepare(request);
        pool.take({ bytes, deadlineMs: performance.now() + deadlineMs, end });
      }),
    warmUp: (connections) => pool.warmUp(connections),
    connections: () => pool.size,
    close: () => pool.close(),
  };
}

/** @throws Error for a character that would break the head apart */
export function serialize(
  host: string,
  { method, path, headers = {}, body }: RequestParts,
): Buffer {
  const lines = [`${method} ${path} HTTP/1.1`, `host: ${host}`];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  if (body !== undefined) lines.push('content-type: application/json');
  if (body !== undefined || method === 'POST') {
    lines.push(`content-length: ${Buffer.byteLength(body ?? '')}`);
  }
  const broken = lines.find((line) => !/^[\x20-\x7e]*$/.test(line));
  if (broken !== undefined) throw new Error(`Not a line of a head: ${JSON.stringify(broken)}`);
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body ?? ''}`);
}

class Pool {
  readonly #target: { host: string; port: number };
  readonly #connectionsMax: number;
  readonly #waitingMax: number;
  readonly #all = new Set<Connection>();
  /** The last one used is used first: the others may rest. */
  readonly #idle: Connection[] = [];
  readonly #waiting = new Set<Job>();
  readonly #clock: NodeJS.Timeout;
  #whenIdle: (() => void) | undefined;
  #isClosed = false;

  constructor(target: { host: string; port: number }, options: LoadClientOptions) {
    this.#target = target;
    this.#connectionsMax = options.connectionsMax;
    this.#waitingMax = options.waitingMax ?? 100_000;
    this.#clock = setInterval(() => this.#endLate(), sweepMs);
    this.#clock.unref();
  }

  get size(): number {
    return this.#all.size;
  }

  take(job: Job): void {
    const idle = this.#idle.pop();
    if (this.#isClosed) refuse(job, 'the client is closed');
    else if (idle) idle.carry(job);
    else if (this.#all.size < this.#connectionsMax) this.#open().carry(job);
    else if (this.#waiting.size < this.#waitingMax) this.#waiting.add(job);
    else refuse(job, 'too many wait');
  }

  async warmUp(connections: number): Promise<void> {
    const wanted = Math.min(connections, this.#connectionsMax);
    while (this.#all.size < wanted) this.#open();
    const endMs = performance.now() + warmUpMsMax;
    while (this.#idle.length < wanted && this.#all.size > 0 && performance.now() < endMs) {
      await new Promise<void>((resolve) => {
        this.#whenIdle = resolve;
        setTimeout(resolve, 100);
      });
    }
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#clock);
    for (const job of this.#waiting) refuse(job, 'the client is closed');
    this.#waiting.clear();
    for (const connection of [...this.#all]) connection.close('the client is closed');
  }

  #open(): Connection {
    const connection = new Connection(this.#target, this.#onFree);
    this.#all.add(connection);
    return connection;
  }

  readonly #onFree = (connection: Connection, isUsable: boolean): void => {
    if (!isUsable) {
      this.#all.delete(connection);
      const at = this.#idle.indexOf(connection);
      if (at >= 0) this.#idle.splice(at, 1);
    }
    const next = this.#isClosed ? undefined : this.#next();
    if (next) (isUsable ? connection : this.#open()).carry(next);
    else if (isUsable) this.#idle.push(connection);
    this.#whenIdle?.();
  };

  #next(): Job | undefined {
    const [next] = this.#waiting;
    if (next) this.#waiting.delete(next);
    return next;
  }

  #endLate(): void {
    const nowMs = performance.now();
    for (const job of this.#waiting) {
      if (nowMs < job.deadlineMs) continue;
      this.#waiting.delete(job);
      refuse(job, 'no connection was free in time');
    }
    for (const connection of [...this.#all]) {
      const { job } = connection;
      if (job && nowMs >= job.deadlineMs) connection.close('no answer in time');
    }
  }
}

function refuse(job: Job, why: string): void {
  job.end({ kind: 'unanswered', why, sent: false });
}
