// The cache inside one process: for a service that has no other, and for tests.
//
// M1. At most `keysMax` values and as many buckets. What was used lately stays: a key is forgotten
//     only after half of `keysMax` other keys were used since.
// M2. No timer: a value past its time is gone for whoever asks, and makes room as others come.
// M3. A bucket is one number: when it will be full again. A window is the instants of its tries.

import assert from 'node:assert/strict';
import type { Environment } from '../environment.ts';
import { UnavailableError } from '../store/store.ts';
import type { Cache, Claimed, ClaimTimes, RateLimit, RateVerdict, WindowLimit } from './cache.ts';

export type MemoryCacheOptions = {
  env: Pick<Environment, 'monotonicMs'>;
  /** Values, and again buckets and so on, that are kept at the same time: an even number. */
  keysMax?: number;
};

type Value = { text: string; sinceMs: number; endsMs: number };
type Claim = { id: string; sinceMs: number; endsMs: number };

/** Far below what a rate means, far above what adding milliseconds up can be wrong by. */
const roundingMs = 1e-3;

export function createMemoryCache({ env, keysMax = 100_000 }: MemoryCacheOptions): Cache {
  assert(keysMax >= 2 && keysMax % 2 === 0, `keysMax ${keysMax} must be even and positive`);
  return new MemoryCache(env, keysMax);
}

class MemoryCache implements Cache {
  readonly #env: Pick<Environment, 'monotonicMs'>;
  readonly #values: Generations<Value>;
  readonly #claims: Generations<Claim>;
  readonly #fullAtMs: Generations<number>;
  readonly #triesMs: Generations<readonly number[]>;
  #claimsMade = 0;
  #isClosed = false;

  constructor(env: Pick<Environment, 'monotonicMs'>, keysMax: number) {
    this.#env = env;
    this.#values = new Generations(keysMax / 2);
    this.#claims = new Generations(keysMax / 2);
    this.#fullAtMs = new Generations(keysMax / 2);
    this.#triesMs = new Generations(keysMax / 2);
  }

  async get(key: string): Promise<string | undefined> {
    this.#assertOpen();
    return this.#valueOf(key)?.text;
  }

  async set(key: string, text: string, keepMs: number): Promise<void> {
    this.#assertOpen();
    assert(keepMs > 0, `keepMs ${keepMs} must be positive`);
    const sinceMs = this.#env.monotonicMs();
    this.#values.set(key, { text, sinceMs, endsMs: sinceMs + keepMs });
  }

  async delete(key: string): Promise<void> {
    this.#assertOpen();
    this.#values.delete(key);
    this.#claims.delete(key);
  }

  async claim(key: string, { claimMs, keepMs }: ClaimTimes): Promise<Claimed> {
    this.#assertOpen();
    assert(0 < claimMs && claimMs < keepMs, `${key}: claimed ${claimMs} ms, kept ${keepMs} ms`);
    const nowMs = this.#env.monotonicMs();
    const value = this.#valueOf(key);
    if (value) return { kind: 'found', value: value.text, ageMs: nowMs - value.sinceMs };
    const claim = this.#claims.get(key);
    if (claim && nowMs < claim.endsMs) return { kind: 'busy' };
    const id = String(++this.#claimsMade);
    this.#claims.set(key, { id, sinceMs: nowMs, endsMs: nowMs + claimMs });
    return { kind: 'claimed', claimId: id };
  }

  async fulfil(
    key: string,
    claimId: string,
    text: string,
    { keepMs }: ClaimTimes,
  ): Promise<boolean> {
    this.#assertOpen();
    const claim = this.#claims.get(key);
    if (claim?.id !== claimId || this.#env.monotonicMs() >= claim.endsMs) return false;
    this.#claims.delete(key);
    const { sinceMs } = claim;
    this.#values.set(key, { text, sinceMs, endsMs: sinceMs + keepMs });
    return true;
  }

  async take(bucket: string, { ratePerS, burst }: RateLimit): Promise<RateVerdict> {
    this.#assertOpen();
    assert(ratePerS > 0 && burst >= 1, `${bucket}: rate ${ratePerS}/s, burst ${burst}`);
    const nowMs = this.#env.monotonicMs();
    const tokenMs = 1000 / ratePerS;
    const fullAtMs = Math.max(nowMs, this.#fullAtMs.get(bucket) ?? nowMs);
    const waitMs = fullAtMs - nowMs - (burst - 1) * tokenMs;
    if (waitMs > roundingMs) return { allowed: false, retryAfterMs: Math.ceil(waitMs) };
    this.#fullAtMs.set(bucket, fullAtMs + tokenMs);
    return { allowed: true };
  }

  async tryWithin(window: string, { windowMs, countMax }: WindowLimit): Promise<RateVerdict> {
    this.#assertOpen();
    assert(windowMs > 0 && countMax >= 1, `${window}: ${countMax} tries in ${windowMs} ms`);
    const nowMs = this.#env.monotonicMs();
    const tries = (this.#triesMs.get(window) ?? []).filter((atMs) => nowMs - atMs < windowMs);
    const [oldestMs] = tries;
    if (oldestMs !== undefined && tries.length >= countMax) {
      return { allowed: false, retryAfterMs: Math.ceil(oldestMs + windowMs - nowMs) };
    }
    this.#triesMs.set(window, [...tries, nowMs]);
    return { allowed: true };
  }

  async ping(): Promise<void> {
    this.#assertOpen();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const kept of [this.#values, this.#claims, this.#fullAtMs, this.#triesMs]) kept.clear();
  }

  #valueOf(key: string): Value | undefined {
    const value = this.#values.get(key);
    if (!value || this.#env.monotonicMs() < value.endsMs) return value;
    this.#values.delete(key);
    return undefined;
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new UnavailableError('cache', 'The cache is closed');
  }
}

/**
 * A map that forgets what was not used lately, at the same cost however large it is: when the young
 * generation is full it becomes the old one, and the old one is dropped; what is used is young.
 */
class Generations<V> {
  readonly #sizeMax: number;
  #young = new Map<string, V>();
  #old = new Map<string, V>();

  constructor(sizeMax: number) {
    this.#sizeMax = sizeMax;
  }

  get(key: string): V | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: string, value: V): void {
    if (this.#young.size >= this.#sizeMax && !this.#young.has(key)) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }

  delete(key: string): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
  }
}
