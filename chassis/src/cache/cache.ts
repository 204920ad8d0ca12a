// The cache: what may be forgotten. Everything in it is a hint; it is never the reason for a sale,
// and never what keeps an order from being placed twice.

export interface Cache {
  get(key: string): Promise<string | undefined>;
  /** Forgets it after `keepMs` at the latest. */
  set(key: string, value: string, keepMs: number): Promise<void>;
  delete(key: string): Promise<void>;
  /**
   * Takes one token out of a bucket that refills at `ratePerS` up to `burst`. Atomic per bucket.
   * A refusal says when the next token will be there.
   */
  take(bucket: string, limit: RateLimit): Promise<RateVerdict>;
  ping(): Promise<void>;
  close(): Promise<void>;
}

export type RateLimit = { ratePerS: number; burst: number };
export type RateVerdict = { allowed: true } | { allowed: false; retryAfterMs: number };
