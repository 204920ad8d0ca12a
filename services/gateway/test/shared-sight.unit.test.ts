import { createMemoryCache, type Metrics } from '@rushlight/chassis';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { createLatencyWindow, latencyOf } from '../src/latency.ts';
import { createObserver } from '../src/observer.ts';
import { createSharedSight } from '../src/shared-sight.ts';

function world() {
  let nowMs = 1_000_000;
  const env = { monotonicMs: () => nowMs, nowMs: () => nowMs };
  const cache = createMemoryCache({ env });
  const pass = (ms: number): void => {
    nowMs += ms;
  };
  return { env, cache, pass };
}

const counted = ({ env, cache }: Pick<ReturnType<typeof world>, 'env' | 'cache'>, name: string) => {
  let count = 0;
  const sight = createSharedSight({
    ...{ cache, env, instance: name, schema: z.int() },
    read: () => count,
  });
  const see = (more: number): void => {
    count += more;
  };
  return { ...sight, see };
};

test('while somebody looks at one, all tell what they saw; who is gone is forgotten', async () => {
  const shop = world();
  const [one, two] = [counted(shop, 'gateway-1'), counted(shop, 'gateway-2')];
  one.see(3);
  two.see(4);
  await two.tell();
  expect(await one.all(), 'nobody had looked').toEqual([3]);
  await two.tell();
  await one.tell();
  expect(await one.all()).toEqual([3, 4]);
  expect(await two.all()).toEqual([4, 3]);
  shop.pass(5_000);
  expect(await one.all()).toEqual([3]);
});

test('nonsense in the cache, and no cache at all, leave what the gateway saw itself', async () => {
  const shop = world();
  const one = counted(shop, 'gateway-1');
  one.see(3);
  await shop.cache.set('sight:gateways', '["gateway-2", "gateway-3"]', 10_000);
  await shop.cache.set('sight:of:gateway-2', '{', 10_000);
  await shop.cache.set('sight:of:gateway-3', '"many"', 10_000);
  expect(await one.all()).toEqual([3]);
  await shop.cache.close();
  expect(await one.all()).toEqual([3]);
});

test('the latency of two gateways is that of all their requests', () => {
  const [fast, slow, both] = [createLatencyWindow(), createLatencyWindow(), createLatencyWindow()];
  for (let n = 1; n <= 100; n++) {
    fast.record(n, 5_000);
    slow.record(n * 20, 5_000);
    for (const ms of [n, n * 20]) both.record(ms, 5_000);
  }
  const sights = [fast.sight(5_000), slow.sight(5_000)];
  expect(latencyOf(sights)).toEqual(latencyOf([both.sight(5_000)]));
});

test('an observer tells what it saw in a form that another one reads', async () => {
  const { env, cache } = world();
  const metrics = { counter: () => ({ inc: () => undefined }) } as unknown as Metrics;
  const observer = (instance: string) => createObserver({ env, metrics, cache, instance });
  const [one, two] = [observer('gateway-1'), observer('gateway-2')];
  await one.latency(undefined, undefined as never);
  await two.tell();
  expect(JSON.parse((await cache.get('sight:of:gateway-2')) ?? '')).toEqual({
    latency: { sumMs: 0, counts: [] },
    orders: [],
  });
  const { body } = await one.throughput(undefined, undefined as never);
  expect(body.seconds).toHaveLength(300);
});
