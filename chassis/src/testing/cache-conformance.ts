// What every cache promises, as tests. Each implementation runs these same ones.

import { describe, expect, onTestFinished, test } from 'vitest';
import type { Cache } from '../cache/cache.ts';

export type CacheUnderTest = {
  cache: Cache;
  /** Lets this time pass for the cache, real or not. */
  pass(durationMs: number): Promise<void>;
};

/** @param makeCache an empty cache, or one whose keys nobody else uses; closed by the suite */
export function cacheConformance(name: string, makeCache: () => Promise<CacheUnderTest>): void {
  const make = async (): Promise<CacheUnderTest> => {
    const made = await makeCache();
    onTestFinished(() => made.cache.close());
    return made;
  };
  describe(`${name}: values`, () => valuesConformance(make));
  describe(`${name}: token buckets`, () => bucketsConformance(make));
  describe(`${name}: windows`, () => windowsConformance(make));
  describe(`${name}: values that one makes for all`, () => claimsConformance(make));
  describe(`${name}: its end`, () => endConformance(make));
}

function valuesConformance(make: () => Promise<CacheUnderTest>): void {
  test('a value that was set is found, another key is not', async () => {
    const { cache } = await make();
    await cache.set('menu', '[]', 60_000);
    expect(await cache.get('menu')).toBe('[]');
    expect(await cache.get('menu:2')).toBeUndefined();
  });

  test('any text comes back as it was', async () => {
    const { cache } = await make();
    for (const text of [
      '',
      ' ',
      '"',
      'naïve 🍜',
      'a\u0000b',
      'line\r\nline',
      'x'.repeat(100_000),
    ]) {
      await cache.set(`key ${text.slice(0, 20)}`, text, 60_000);
      expect(await cache.get(`key ${text.slice(0, 20)}`)).toBe(text);
    }
  });

  test('the newest value counts, and so does its time', async () => {
    const { cache, pass } = await make();
    await cache.set('a', 'old', 100);
    await cache.set('a', 'new', 60_000);
    await pass(150);
    expect(await cache.get('a')).toBe('new');
  });

  test('a value is forgotten after its time', async () => {
    const { cache, pass } = await make();
    await cache.set('a', '1', 100);
    await pass(150);
    expect(await cache.get('a')).toBeUndefined();
  });

  test('a deleted value is gone; deleting what is not there does nothing', async () => {
    const { cache } = await make();
    await cache.set('a', '1', 60_000);
    await cache.delete('a');
    await cache.delete('a');
    expect(await cache.get('a')).toBeUndefined();
  });
}

function bucketsConformance(make: () => Promise<CacheUnderTest>): void {
  test('a bucket gives its burst, also when all come at once, and no more', async () => {
    const { cache } = await make();
    const limit = { ratePerS: 0.01, burst: 20 };
    const taken = await Promise.all(Array.from({ length: 50 }, () => cache.take('a', limit)));
    expect(taken.filter((verdict) => verdict.allowed)).toHaveLength(20);
  });

  test('a refusal says when the next token will be there, and it is', async () => {
    const { cache, pass } = await make();
    const limit = { ratePerS: 0.5, burst: 2 };
    await cache.take('a', limit);
    await cache.take('a', limit);
    const refused = await cache.take('a', limit);
    if (refused.allowed) throw new Error('a third token came out of a bucket of two');
    expect(refused.retryAfterMs).toBeGreaterThan(0);
    expect(refused.retryAfterMs).toBeLessThanOrEqual(2_000);
    await pass(refused.retryAfterMs);
    expect(await cache.take('a', limit)).toEqual({ allowed: true });
  });

  test('a refusal costs nothing', async () => {
    const { cache, pass } = await make();
    const limit = { ratePerS: 5, burst: 1 };
    for (let n = 0; n < 20; n++) await cache.take('a', limit);
    await pass(200);
    expect(await cache.take('a', limit)).toEqual({ allowed: true });
  });

  test('a bucket fills up to its burst, not beyond', async () => {
    const { cache, pass } = await make();
    const limit = { ratePerS: 0.05, burst: 3 };
    for (let n = 0; n < 3; n++) await cache.take('a', { ...limit, ratePerS: 20 });
    await pass(500);
    const taken = [];
    for (let n = 0; n < 6; n++) taken.push((await cache.take('a', limit)).allowed);
    expect(taken).toEqual([true, true, true, false, false, false]);
  });

  test('buckets know nothing of each other, nor of values of the same name', async () => {
    const { cache } = await make();
    const limit = { ratePerS: 0.01, burst: 1 };
    await cache.set('a', 'value', 60_000);
    expect(await cache.take('a', limit)).toEqual({ allowed: true });
    expect(await cache.take('b', limit)).toEqual({ allowed: true });
    expect(await cache.take('a', limit)).toMatchObject({ allowed: false });
    expect(await cache.get('a')).toBe('value');
  });
}

function windowsConformance(make: () => Promise<CacheUnderTest>): void {
  test('so many tries are counted, also when all come at once, and no more', async () => {
    const { cache } = await make();
    const limit = { windowMs: 60_000, countMax: 3 };
    const tried = await Promise.all(Array.from({ length: 10 }, () => cache.tryWithin('a', limit)));
    expect(tried.filter((verdict) => verdict.allowed)).toHaveLength(3);
    const refused = await cache.tryWithin('a', limit);
    if (refused.allowed) throw new Error('a fourth try was counted');
    expect(refused.retryAfterMs).toBeGreaterThan(0);
    expect(refused.retryAfterMs).toBeLessThanOrEqual(60_000);
  });

  test('a window slides: a try is counted again as soon as one is old enough', async () => {
    const { cache, pass } = await make();
    const limit = { windowMs: 2_000, countMax: 2 };
    expect(await cache.tryWithin('a', limit)).toEqual({ allowed: true });
    await pass(500);
    expect(await cache.tryWithin('a', limit)).toEqual({ allowed: true });
    const refused = await cache.tryWithin('a', limit);
    if (refused.allowed) throw new Error('a third try was counted');
    expect(refused.retryAfterMs).toBeLessThanOrEqual(1_500);
    await pass(refused.retryAfterMs);
    expect(await cache.tryWithin('a', limit)).toEqual({ allowed: true });
  });

  test('a refused try does not count', async () => {
    const { cache, pass } = await make();
    const limit = { windowMs: 400, countMax: 1 };
    await cache.tryWithin('a', limit);
    await pass(200);
    for (let n = 0; n < 5; n++) await cache.tryWithin('a', limit);
    await pass(250);
    expect(await cache.tryWithin('a', limit)).toEqual({ allowed: true });
  });

  test('windows know nothing of each other, nor of buckets of the same name', async () => {
    const { cache } = await make();
    const limit = { windowMs: 60_000, countMax: 1 };
    await cache.take('a', { ratePerS: 0.01, burst: 1 });
    expect(await cache.tryWithin('a', limit)).toEqual({ allowed: true });
    expect(await cache.tryWithin('b', limit)).toEqual({ allowed: true });
    expect(await cache.tryWithin('a', limit)).toMatchObject({ allowed: false });
  });
}

function claimsConformance(make: () => Promise<CacheUnderTest>): void {
  const times = { claimMs: 30_000, keepMs: 60_000 };

  test('of many who claim at once one makes the value, and all find it then', async () => {
    const { cache } = await make();
    const claims = await Promise.all(Array.from({ length: 10 }, () => cache.claim('a', times)));
    const [mine, ...others] = claims.filter((claimed) => claimed.kind === 'claimed');
    expect(others).toEqual([]);
    expect(claims.filter((claimed) => claimed.kind === 'busy')).toHaveLength(9);
    expect(await cache.fulfil('a', mine?.claimId ?? '', 'made', times)).toBe(true);
    expect(await cache.claim('a', times)).toMatchObject({ kind: 'found', value: 'made' });
    expect(await cache.get('a')).toBe('made');
  });

  test('the age of a value counts from its claim', async () => {
    const { cache, pass } = await make();
    const mine = await claimed(cache);
    await pass(200);
    await cache.fulfil('a', mine, 'made', times);
    await pass(100);
    const found = await cache.claim('a', times);
    if (found.kind !== 'found') throw new Error(`it is ${found.kind}`);
    expect(found.ageMs).toBeGreaterThanOrEqual(299);
    expect(found.ageMs).toBeLessThan(30_000);
  });

  test('a value is gone when its time since the claim is over', async () => {
    const { cache, pass } = await make();
    const short = { claimMs: 1_900, keepMs: 2_000 };
    const mine = await claimed(cache, short);
    await pass(100);
    expect(await cache.fulfil('a', mine, 'made', short)).toBe(true);
    await pass(1_950);
    expect(await cache.get('a')).toBeUndefined();
    expect(await cache.claim('a', short)).toMatchObject({ kind: 'claimed' });
  });

  test('a claim that was not fulfilled in time is over, and somebody else may claim', async () => {
    const { cache, pass } = await make();
    const short = { claimMs: 100, keepMs: 60_000 };
    const mine = await claimed(cache, short);
    await pass(150);
    expect(await cache.fulfil('a', mine, 'late', short)).toBe(false);
    const next = await claimed(cache);
    expect(await cache.fulfil('a', mine, 'late', times)).toBe(false);
    expect(await cache.fulfil('a', next, 'made', times)).toBe(true);
    expect(await cache.get('a')).toBe('made');
  });

  test('after a delete nothing is found, nor kept that was claimed before', async () => {
    const { cache } = await make();
    const before = await claimed(cache);
    await cache.delete('a');
    expect(await cache.fulfil('a', before, 'old', times)).toBe(false);
    const mine = await claimed(cache);
    await cache.fulfil('a', mine, 'made', times);
    await cache.delete('a');
    expect(await cache.claim('a', times)).toMatchObject({ kind: 'claimed' });
  });

  const claimed = async (cache: Cache, how = times): Promise<string> => {
    const claim = await cache.claim('a', how);
    if (claim.kind !== 'claimed') throw new Error(`it is ${claim.kind}`);
    return claim.claimId;
  };
}

function endConformance(make: () => Promise<CacheUnderTest>): void {
  test('it answers a ping while it is open, and fails loudly once it is closed', async () => {
    const { cache } = await make();
    await cache.ping();
    await cache.close();
    await cache.close();
    await expect(cache.ping()).rejects.toThrow();
    await expect(cache.get('a')).rejects.toThrow();
    await expect(cache.take('a', { ratePerS: 1, burst: 1 })).rejects.toThrow();
  });
}
