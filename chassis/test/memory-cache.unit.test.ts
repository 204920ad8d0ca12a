import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createMemoryCache } from '../src/cache/memory-cache.ts';
import { cacheConformance } from '../src/testing/cache-conformance.ts';
import { fakeEnvironment } from './fake-environment.ts';

cacheConformance('memory cache', async () => {
  const env = fakeEnvironment();
  return { cache: createMemoryCache({ env }), pass: (durationMs) => env.advance(durationMs) };
});

test('over any stretch of time a bucket gives at most its burst and what flowed in', async () => {
  const anyLimit = fc.record({
    ratePerS: fc.constantFrom(0.05, 0.3, 1, 5, 7, 333),
    burst: fc.integer({ min: 1, max: 20 }),
  });
  const anyStep = fc.record({
    pauseMs: fc.oneof(fc.nat(20), fc.double({ min: 0, max: 5_000, noNaN: true })),
    wanted: fc.nat(30),
  });
  await fc.assert(
    fc.asyncProperty(anyLimit, fc.array(anyStep, { maxLength: 30 }), async (limit, steps) => {
      const env = fakeEnvironment();
      const cache = createMemoryCache({ env });
      const seen: { atMs: number; granted: number }[] = [];
      for (const { pauseMs, wanted } of steps) {
        await env.advance(pauseMs);
        let granted = 0;
        for (let n = 0; n < wanted; n++) {
          const verdict = await cache.take('a', limit);
          if (verdict.allowed) granted++;
          else expect(verdict.retryAfterMs).toBeGreaterThan(0);
        }
        seen.push({ atMs: env.monotonicMs(), granted });
      }
      seen.forEach(({ atMs: startMs }, from) => {
        let granted = 0;
        for (const step of seen.slice(from)) {
          granted += step.granted;
          const flowed = ((step.atMs - startMs) / 1_000) * limit.ratePerS;
          expect(granted).toBeLessThanOrEqual(limit.burst + flowed + 1e-3);
        }
      });
    }),
  );
});

test('a bucket that was never over its rate never refuses', async () => {
  const env = fakeEnvironment();
  const cache = createMemoryCache({ env });
  for (let n = 0; n < 500; n++) {
    expect(await cache.take('a', { ratePerS: 3, burst: 2 })).toEqual({ allowed: true });
    for (let part = 0; part < 3; part++) await env.advance(1_000 / 9);
  }
});

test('what was not used for longest makes room', async () => {
  const cache = createMemoryCache({ env: fakeEnvironment(), keysMax: 2 });
  await cache.set('a', '1', 60_000);
  await cache.set('b', '2', 60_000);
  await cache.get('a');
  await cache.set('c', '3', 60_000);
  expect([await cache.get('a'), await cache.get('b'), await cache.get('c')]).toEqual([
    '1',
    undefined,
    '3',
  ]);
});

test('the newest value is found however full it is, and never an older one', async () => {
  const keys = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g');
  const anyStep = fc.record({ key: keys, does: fc.constantFrom('set', 'get', 'delete') });
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(2, 4, 6),
      fc.array(anyStep, { maxLength: 60, size: 'max' }),
      async (keysMax, steps) => {
        const cache = createMemoryCache({ env: fakeEnvironment(), keysMax });
        const newest = new Map<string, string>();
        let lately: string[] = [];
        for (const [n, { key, does }] of steps.entries()) {
          if (does === 'get') {
            const found = await cache.get(key);
            const isKept = lately.slice(0, keysMax / 2).includes(key);
            if (isKept || found !== undefined) expect(found).toBe(newest.get(key));
            if (found === undefined) continue;
          } else if (does === 'set') {
            newest.set(key, String(n));
            await cache.set(key, String(n), 60_000);
          } else {
            newest.delete(key);
            await cache.delete(key);
            continue;
          }
          lately = [key, ...lately.filter((other) => other !== key)];
        }
      },
    ),
  );
});

test('no more values are kept than it may', async () => {
  const cache = createMemoryCache({ env: fakeEnvironment(), keysMax: 10 });
  for (let n = 0; n < 100; n++) await cache.set(`key ${n}`, 'text', 60_000);
  let kept = 0;
  for (let n = 99; n >= 0; n--) if ((await cache.get(`key ${n}`)) !== undefined) kept++;
  expect(kept).toBeGreaterThanOrEqual(5);
  expect(kept).toBeLessThanOrEqual(10);
});

test('a bucket in use outlives any number of others that come once', async () => {
  const cache = createMemoryCache({ env: fakeEnvironment(), keysMax: 10 });
  const limit = { ratePerS: 0.01, burst: 1 };
  await cache.take('victim', limit);
  for (let n = 0; n < 100; n++) {
    await cache.take(`stranger ${n}`, limit);
    expect(await cache.take('victim', limit)).toMatchObject({ allowed: false });
  }
});
