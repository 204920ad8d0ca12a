// A shared cache with one of our own behind it, for as long as the shared one is gone.
//
// B1. While the shared one is gone, its work is done here: by what this process knows, which is
//     less. Nobody is let through for that: what was taken and tried here counts here, too, from
//     before.
// B2. A value is never older than it may be. What could not be deleted over there is over when its
//     time is; what is kept here is deleted as soon as a newer one is kept over there.

import { UnavailableError } from '../store/store.ts';
import type { Cache, Claimed, ClaimTimes, RateLimit, RateVerdict, WindowLimit } from './cache.ts';

export type SteadyCacheOptions = {
  shared: Cache;
  own: Cache;
  /** Hears where each operation was done. */
  onDone?: ((where: 'shared' | 'own') => void) | undefined;
};

export function createSteadyCache(options: SteadyCacheOptions): Cache {
  return new SteadyCache(options);
}

class SteadyCache implements Cache {
  readonly #shared: Cache;
  readonly #own: Cache;
  readonly #onDone: (where: 'shared' | 'own') => void;

  constructor({ shared, own, onDone = () => undefined }: SteadyCacheOptions) {
    this.#shared = shared;
    this.#own = own;
    this.#onDone = onDone;
  }

  get(key: string): Promise<string | undefined> {
    return this.#either((cache) => cache.get(key));
  }

  async set(key: string, value: string, keepMs: number): Promise<void> {
    await this.#own.delete(key);
    await this.#either((cache) => cache.set(key, value, keepMs));
  }

  async delete(key: string): Promise<void> {
    await this.#own.delete(key);
    await this.#either((cache) => cache.delete(key));
  }

  claim(key: string, times: ClaimTimes): Promise<Claimed> {
    return this.#either(async (cache) => {
      const claimed = await cache.claim(key, times);
      if (claimed.kind !== 'claimed') return claimed;
      const where = cache === this.#own ? ownClaim : sharedClaim;
      return { ...claimed, claimId: where + claimed.claimId };
    });
  }

  async fulfil(key: string, claimId: string, value: string, times: ClaimTimes): Promise<boolean> {
    const id = claimId.slice(1);
    if (claimId.startsWith(ownClaim)) return await this.#own.fulfil(key, id, value, times);
    try {
      const isKept = await this.#shared.fulfil(key, id, value, times);
      await this.#own.delete(key);
      return isKept;
    } catch (error) {
      if (error instanceof UnavailableError) return false;
      throw error;
    }
  }

  take(bucket: string, limit: RateLimit): Promise<RateVerdict> {
    return this.#both((cache) => cache.take(bucket, limit));
  }

  tryWithin(window: string, limit: WindowLimit): Promise<RateVerdict> {
    return this.#both((cache) => cache.tryWithin(window, limit));
  }

  /** Tells of the shared one. */
  ping(): Promise<void> {
    return this.#shared.ping();
  }

  async close(): Promise<void> {
    await Promise.all([this.#shared.close(), this.#own.close()]);
  }

  async #either<T>(work: (cache: Cache) => Promise<T>): Promise<T> {
    try {
      const done = await work(this.#shared);
      this.#onDone('shared');
      return done;
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
      const done = await work(this.#own);
      this.#onDone('own');
      return done;
    }
  }

  /** B1: what is allowed counts in both; the shared one decides, which knows of more. */
  async #both(ask: (cache: Cache) => Promise<RateVerdict>): Promise<RateVerdict> {
    try {
      const verdict = await ask(this.#shared);
      this.#onDone('shared');
      if (verdict.allowed) await ask(this.#own);
      return verdict;
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
      const verdict = await ask(this.#own);
      this.#onDone('own');
      return verdict;
    }
  }
}

const ownClaim = 'o';
const sharedClaim = 's';
