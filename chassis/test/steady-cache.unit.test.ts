import { expect, test } from 'vitest';
import type { Cache } from '../src/cache/cache.ts';
import { createMemoryCache } from '../src/cache/memory-cache.ts';
import { readShared } from '../src/cache/shared-reading.ts';
import { createSteadyCache } from '../src/cache/steady-cache.ts';
import { UnavailableError } from '../src/store/store.ts';
import { cacheConformance } from '../src/testing/cache-conformance.ts';
import { type FakeEnvironment, fakeEnvironment } from './fake-environment.ts';

/** A shared cache that is there or not, as a test says. */
function breakable(env: FakeEnvironment) {
  const inner = createMemoryCache({ env });
  const world = { gone: false };
  const shared = new Proxy(inner, {
    get: (target, name: keyof Cache) =>
      world.gone
        ? () => Promise.reject(new UnavailableError('cache', 'it is gone'))
        : (target[name] as () => unknown).bind(target),
  });
  return { world, shared, cache: createSteadyCache({ shared, own: createMemoryCache({ env }) }) };
}

cacheConformance('a cache with another behind it', async () => {
  const env = fakeEnvironment();
  return { cache: breakable(env).cache, pass: (durationMs) => env.advance(durationMs) };
});

test('what was taken and tried before the shared cache was lost still counts', async () => {
  const { world, cache } = breakable(fakeEnvironment());
  const limit = { ratePerS: 0.01, burst: 2 };
  const window = { windowMs: 60_000, countMax: 2 };
  for (let n = 0; n < 2; n++) {
    await cache.take('a', limit);
    await cache.tryWithin('a', window);
  }
  world.gone = true;
  expect(await cache.take('a', limit)).toMatchObject({ allowed: false });
  expect(await cache.tryWithin('a', window)).toMatchObject({ allowed: false });
  await expect(cache.ping()).rejects.toThrow('it is gone');
});

test('a value that was kept during an outage does not outlive a newer one', async () => {
  const { world, cache } = breakable(fakeEnvironment());
  world.gone = true;
  await cache.set('a', 'during', 60_000);
  expect(await cache.get('a')).toBe('during');
  world.gone = false;
  await cache.set('a', 'after', 60_000);
  world.gone = true;
  expect(await cache.get('a')).toBeUndefined();
});

test('a claim is fulfilled where it was made, or not at all', async () => {
  const times = { claimMs: 1_000, keepMs: 2_000 };
  const { world, cache } = breakable(fakeEnvironment());
  const there = await cache.claim('a', times);
  world.gone = true;
  const here = await cache.claim('a', times);
  if (there.kind !== 'claimed' || here.kind !== 'claimed') throw new Error('not claimed');
  expect(await cache.fulfil('a', there.claimId, 'there', times)).toBe(false);
  world.gone = false;
  expect(await cache.fulfil('a', here.claimId, 'here', times)).toBe(true);
  expect(await cache.get('a')).toBeUndefined();
});

test('a reading is shared, as old as it is, and made anew when it is too old', async () => {
  const env = fakeEnvironment();
  const cache = createMemoryCache({ env });
  let readings = 0;
  const ask = () =>
    readShared({
      ...{ cache, env, key: 'stock', times: { claimMs: 300, keepMs: 450 } },
      read: async () => ++readings,
    });
  const beganMs = env.monotonicMs();
  expect(await ask()).toEqual({ value: 1, beganMs });
  await env.advance(400);
  expect(await ask()).toEqual({ value: 1, beganMs });
  await env.advance(60);
  expect(await ask()).toEqual({ value: 2, beganMs: beganMs + 460 });
});

test('nobody waits long for a reading of somebody who died, nor for a dead cache', async () => {
  const env = fakeEnvironment();
  const { world, cache } = breakable(env);
  const times = { claimMs: 60_000, keepMs: 90_000 };
  await cache.claim('stock', times);
  const options = { cache, env, key: 'stock', times, read: async () => 'mine' };
  const waiting = readShared(options);
  await env.advance(200);
  expect(await waiting).toMatchObject({ value: 'mine' });
  world.gone = true;
  expect(await readShared({ ...options, key: 'other' })).toMatchObject({ value: 'mine' });
});

test('what cannot be read is nobody’s reading', async () => {
  const env = fakeEnvironment();
  const cache = createMemoryCache({ env });
  const times = { claimMs: 300, keepMs: 450 };
  const failing = readShared({
    ...{ cache, env, key: 'stock', times },
    read: () => Promise.reject(new Error('inventory is down')),
  });
  await expect(failing).rejects.toThrow('inventory is down');
  await env.advance(301);
  expect(await cache.claim('stock', times)).toMatchObject({ kind: 'claimed' });
});
