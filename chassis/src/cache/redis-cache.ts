// The cache that several processes share: a Redis, version 7 or newer.
//
// K1. Everything has an end: values, buckets, windows and claims are forgotten by Redis itself.
// K2. Tokens that are asked for at about the same time travel together and are taken in one step.
// K3. Nothing waits for a Redis that is not there: see redis-connection.ts.

import assert from 'node:assert/strict';
import type { Environment } from '../environment.ts';
import type { Cache, Claimed, ClaimTimes, RateLimit, RateVerdict, WindowLimit } from './cache.ts';
import { RedisConnection, type RedisConnectionOptions } from './redis-connection.ts';

export type RedisCacheOptions = RedisConnectionOptions & {
  /** Before all keys: who shares it shares the cache. */
  prefix?: string | undefined;
};

type Taking = {
  bucket: string;
  limit: RateLimit;
  resolve: (verdict: RateVerdict) => void;
  reject: (error: unknown) => void;
};

/** So many tokens travel together at most: a script of a millisecond holds up nobody. */
const takesMax = 128;

/** The cache, when the first try to connect has ended; what is asked of it before it is up fails. */
export async function openRedisCache(options: RedisCacheOptions): Promise<Cache> {
  const connection = new RedisConnection(options);
  await connection.triedOnce();
  return new RedisCache(connection, options.env, options.prefix ?? 'rushlight:');
}

class RedisCache implements Cache {
  readonly #connection: RedisConnection;
  readonly #env: Environment;
  readonly #prefix: string;
  #takings: Taking[] = [];

  constructor(connection: RedisConnection, env: Environment, prefix: string) {
    this.#connection = connection;
    this.#env = env;
    this.#prefix = prefix;
  }

  async get(key: string): Promise<string | undefined> {
    const text = await this.#connection.ask<string | null>('GET', this.#key('value', key));
    return text ?? undefined;
  }

  async set(key: string, text: string, keepMs: number): Promise<void> {
    assert(keepMs > 0, `keepMs ${keepMs} must be positive`);
    await this.#connection.ask('SET', this.#key('value', key), text, 'PX', wholeMs(keepMs));
  }

  async delete(key: string): Promise<void> {
    await this.#connection.ask('DEL', this.#key('value', key), this.#key('claim', key));
  }

  async claim(key: string, { claimMs, keepMs }: ClaimTimes): Promise<Claimed> {
    assert(0 < claimMs && claimMs < keepMs, `${key}: claimed ${claimMs} ms, kept ${keepMs} ms`);
    const claimId = this.#env.newId();
    const times = [wholeMs(claimMs), wholeMs(keepMs)];
    const keys = [this.#key('value', key), this.#key('claim', key)];
    const said = await this.#connection.run<[string, number] | 0 | 1>('claim', keys, [
      claimId,
      ...times,
    ]);
    if (said === 0) return { kind: 'busy' };
    if (said === 1) return { kind: 'claimed', claimId };
    return { kind: 'found', value: said[0], ageMs: said[1] };
  }

  async fulfil(
    key: string,
    claimId: string,
    text: string,
    { claimMs, keepMs }: ClaimTimes,
  ): Promise<boolean> {
    const keys = [this.#key('value', key), this.#key('claim', key)];
    const args = [claimId, wholeMs(claimMs), wholeMs(keepMs), text];
    return (await this.#connection.run<0 | 1>('fulfil', keys, args)) === 1;
  }

  take(bucket: string, limit: RateLimit): Promise<RateVerdict> {
    const { ratePerS, burst } = limit;
    assert(ratePerS > 0 && burst >= 1, `${bucket}: rate ${ratePerS}/s, burst ${burst}`);
    return new Promise((resolve, reject) => {
      this.#takings.push({ bucket, limit, resolve, reject });
      if (this.#takings.length === 1) setImmediate(() => this.#takeAll());
    });
  }

  async tryWithin(window: string, { windowMs, countMax }: WindowLimit): Promise<RateVerdict> {
    assert(windowMs > 0 && countMax >= 1, `${window}: ${countMax} tries in ${windowMs} ms`);
    const args = [String(windowMs), String(countMax)];
    const keys = [this.#key('window', window)];
    return verdictOf(await this.#connection.run<number>('tryWithin', keys, args));
  }

  async ping(): Promise<void> {
    await this.#connection.ask('PING');
  }

  async close(): Promise<void> {
    this.#connection.close();
  }

  #takeAll(): void {
    const takings = this.#takings;
    this.#takings = [];
    for (let first = 0; first < takings.length; first += takesMax) {
      const some = takings.slice(first, first + takesMax);
      const keys = some.map(({ bucket }) => this.#key('bucket', bucket));
      const args = some.flatMap(({ limit }) => [String(limit.ratePerS), String(limit.burst)]);
      this.#connection.run<number[]>('take', keys, args).then(
        (waits) => {
          for (const [n, { resolve }] of some.entries()) resolve(verdictOf(waits[n] ?? 0));
        },
        (error: unknown) => {
          for (const { reject } of some) reject(error);
        },
      );
    }
  }

  #key(kind: 'value' | 'claim' | 'bucket' | 'window', key: string): string {
    return `${this.#prefix}${kind}:${key}`;
  }
}

function verdictOf(waitMs: number): RateVerdict {
  return waitMs === 0 ? { allowed: true } : { allowed: false, retryAfterMs: waitMs };
}

function wholeMs(durationMs: number): string {
  return String(Math.max(1, Math.floor(durationMs)));
}
