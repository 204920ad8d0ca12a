// The cache: what may be forgotten. Everything in it is a hint; it is never the reason for a sale,
// and never what keeps an order from being placed twice.

export interface Cache {
  get(key: string): Promise<string | undefined>;
  /** Forgets it after `keepMs` at the latest. */
  set(key: string, value: string, keepMs: number): Promise<void>;
  /** Forgets the value, and whoever has claimed to make a new one can no longer give it. */
  delete(key: string): Promise<void>;
  /**
   * Finds a value that one of many makes for all of them, or makes the caller that one.
   *
   * The age of what is found counts from the claim under which it was made, by the cache's clock
   * alone: what it tells of had not begun to be read when that age began.
   */
  claim(key: string, times: ClaimTimes): Promise<Claimed>;
  /**
   * Keeps what was made under a claim, until `keepMs` after the claim. False, and nothing is kept,
   * when the claim is over: its time has passed, or the key was deleted meanwhile.
   */
  fulfil(key: string, claimId: string, value: string, times: ClaimTimes): Promise<boolean>;
  /**
   * Takes one token out of a bucket that refills at `ratePerS` up to `burst`. Atomic per bucket.
   * A refusal says when the next token will be there.
   */
  take(bucket: string, limit: RateLimit): Promise<RateVerdict>;
  /**
   * Counts a try, unless `countMax` were counted within the last `windowMs`. Atomic per window.
   * A refusal says when the next try will be counted.
   */
  tryWithin(window: string, limit: WindowLimit): Promise<RateVerdict>;
  ping(): Promise<void>;
  close(): Promise<void>;
}

export type RateLimit = { ratePerS: number; burst: number };
export type WindowLimit = { windowMs: number; countMax: number };
export type RateVerdict = { allowed: true } | { allowed: false; retryAfterMs: number };

/** `claimMs`: whoever claimed must be done by then. It is less than `keepMs`. */
export type ClaimTimes = { claimMs: number; keepMs: number };
export type Claimed =
  | { kind: 'found'; value: string; ageMs: number }
  /** It is for the caller to make it. */
  | { kind: 'claimed'; claimId: string }
  /** Somebody else makes it. */
  | { kind: 'busy' };
