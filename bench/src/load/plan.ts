// What the load process is told, and what it tells. Times are milliseconds.

/** A stretch of an even rate. */
export type Step = {
  name: string;
  ratePerS: number;
  durationMs: number;
  /** Tell each window of this length by itself. */
  windowMs?: number;
};

export type Pace =
  /** So many connections, each sending its next order when the last is answered. */
  | { kind: 'closed'; concurrency: number; durationMs: number; ordersMax?: number }
  /** Arrivals at an even rate, step after step, whether or not earlier ones are answered. */
  | { kind: 'open'; connections: number; steps: readonly Step[] };

export type OrderRun = {
  kind: 'orders';
  url: string;
  path: string;
  /** Used in turn. */
  tokens: readonly string[];
  /** Used in turn. */
  bodies: readonly string[];
  /** Idempotency keys are this and a number. */
  keyPrefix: string;
  pace: Pace;
  answerMsMax: number;
};

/** Rows written one by one, each in a transaction of its own. */
export type CommitRun = {
  kind: 'commits';
  databaseUrl: string;
  connections: number;
  durationMs: number;
  /** The statement's last parameter is a new id each time; the others are these. */
  statement: string;
  values: readonly (string | number)[];
};

export type Latency = { count: number; p50: number; p95: number; p99: number; max: number };

export type Outcome = {
  /** From the first order to the last answer. */
  tookMs: number;
  /** By status, or `unanswered`; of an open run by `STEP STATUS`, or `STEP WINDOW STATUS`. */
  latencyMs: Record<string, Latency>;
  /** Of an open run: answers that came before their step was over, by `STEP STATUS`. */
  inTime: Record<string, number>;
};
export type CommitOutcome = { tookMs: number; commits: number };
