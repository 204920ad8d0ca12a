// What the load process is told, and what it tells. Times are milliseconds.

/** How the orders of one run come. */
export type Pace =
  /** So many connections, each sending its next order when the last is answered; so many orders. */
  | { kind: 'closed'; concurrency: number; orders: number }
  /** Arrivals at an even rate, whether or not earlier ones are answered. */
  | { kind: 'open'; ratePerS: number; orders: number; connections: number; waitMsMax: number };

export type Run = {
  url: string;
  path: string;
  /** Authorisation headers, used in turn. */
  tokens: readonly string[];
  /** Bodies, used in turn. */
  bodies: readonly string[];
  /** Idempotency keys are this and a number. */
  keyPrefix: string;
  pace: Pace;
  answerMsMax: number;
};

export type Outcome = {
  /** From the first order to the last answer. */
  tookMs: number;
  /** Answers by status; 0 for those that never came. */
  answers: Record<string, number>;
  /** From the moment an order was due to its whole answer, by status. */
  latenciesMs: Record<string, Float64Array>;
};
