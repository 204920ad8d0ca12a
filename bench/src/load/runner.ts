// Sends the orders of one run and keeps the time.
//
// L1. Latency counts from when an order was due: in an open run that is its place in the schedule,
//     so a stall of the server, or of ourselves, shows.
// L2. Nothing waits for ever: an arrival that finds no connection for `waitMsMax` is given up and
//     counted as unanswered, and so is an answer that does not come.

import { Connection } from './connection.ts';
import type { Outcome, Run } from './plan.ts';

const checkEveryMs = 250;

export async function runLoad(run: Run): Promise<Outcome> {
  const { pace } = run;
  const count = pace.kind === 'closed' ? pace.concurrency : pace.connections;
  const connections = Array.from(
    { length: count },
    () => new Connection(new URL(run.url), run.answerMsMax),
  );
  await Promise.all(connections.map((connection) => connection.open()));
  const watch = setInterval(() => {
    for (const connection of connections) connection.check(performance.now());
  }, checkEveryMs);
  try {
    return await new Sender(run, connections).send();
  } finally {
    clearInterval(watch);
    for (const connection of connections) connection.close();
  }
}

class Sender {
  readonly #run: Run;
  readonly #heads: readonly string[];
  readonly #bodies: readonly string[];
  readonly #idle: Connection[];
  readonly #latencies = new Map<number, number[]>();
  #sent = 0;
  #answered = 0;
  #startMs = 0;
  #finish: () => void = () => undefined;

  constructor(run: Run, connections: readonly Connection[]) {
    const host = new URL(run.url).host;
    this.#run = run;
    this.#idle = [...connections];
    this.#heads = run.tokens.map(
      (token) =>
        `POST ${run.path} HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\n` +
        `Authorization: Bearer ${token}\r\nIdempotency-Key: ${run.keyPrefix}`,
    );
    this.#bodies = run.bodies.map((body) => `\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  }

  async send(): Promise<Outcome> {
    this.#startMs = performance.now();
    const finished = new Promise<void>((resolve) => {
      this.#finish = resolve;
    });
    this.#pump();
    await finished;
    const tookMs = performance.now() - this.#startMs;
    const sorted = [...this.#latencies].map(([status, values]) => {
      return [String(status), Float64Array.from(values).sort()] as const;
    });
    return {
      tookMs,
      answers: Object.fromEntries(sorted.map(([status, values]) => [status, values.length])),
      latenciesMs: Object.fromEntries(sorted),
    };
  }

  /** Sends what is due and finds a connection. In an open run it comes back each millisecond. */
  readonly #pump = (): void => {
    const { pace } = this.#run;
    const nowMs = performance.now();
    while (this.#sent < pace.orders) {
      const dueMs = this.#dueMs(this.#sent, nowMs);
      if (dueMs > nowMs) break;
      const connection = this.#idle.pop();
      if (connection !== undefined) this.#sendOne(connection, dueMs, nowMs);
      else if (pace.kind === 'open' && nowMs - dueMs > pace.waitMsMax) this.#giveUp(dueMs, nowMs);
      else break;
    }
    if (pace.kind === 'open' && this.#sent < pace.orders) setTimeout(this.#pump, 1);
  };

  #dueMs(index: number, nowMs: number): number {
    const { pace } = this.#run;
    return pace.kind === 'closed' ? nowMs : this.#startMs + (index * 1_000) / pace.ratePerS;
  }

  #sendOne(connection: Connection, dueMs: number, nowMs: number): void {
    const index = this.#sent++;
    const head = this.#heads[index % this.#heads.length] ?? '';
    const body = this.#bodies[index % this.#bodies.length] ?? '';
    connection.send(`${head}${index}${body}`, nowMs, (status) => {
      this.#idle.push(connection);
      this.#record(status, performance.now() - dueMs);
      if (this.#run.pace.kind === 'closed' || this.#sent < this.#run.pace.orders) this.#pumpNow();
    });
  }

  #pumpNow(): void {
    const { pace } = this.#run;
    if (this.#sent >= pace.orders) return;
    const nowMs = performance.now();
    const dueMs = this.#dueMs(this.#sent, nowMs);
    const connection = dueMs <= nowMs ? this.#idle.pop() : undefined;
    if (connection !== undefined) this.#sendOne(connection, dueMs, nowMs);
  }

  #giveUp(dueMs: number, nowMs: number): void {
    this.#sent++;
    this.#record(0, nowMs - dueMs);
  }

  #record(status: number, latencyMs: number): void {
    const values = this.#latencies.get(status) ?? [];
    if (values.length === 0) this.#latencies.set(status, values);
    values.push(latencyMs);
    this.#answered++;
    if (this.#answered === this.#run.pace.orders) this.#finish();
  }
}
