// The network between one service and Postgres swallows everything, or only the answers: what was
// sent may have been committed, nobody knows. Then it heals, and what was held arrives late.

import { startTcpProxy, type TcpProxy } from '@rushlight/chassis/testing';
import type { ServiceName } from '@rushlight/contracts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../src/eventually.ts';
import { expectAllSold, expectAllUp } from '../src/expect-all-sold.ts';
import { type Shop, type Student, startCrowdedShop } from '../src/platform.ts';
import { newSeed, report } from '../src/report.ts';
import { startShoppers } from '../src/shoppers.ts';

const victims = ['orders', 'inventory', 'payments'] as const satisfies ServiceName[];
type Victim = (typeof victims)[number];

const perS = 40;
const seed = newSeed('black hole');
const proxies = new Map<ServiceName, TcpProxy>();
let postgresUrl = '';
let shop: Shop;
let students: Student[];
let itemIds: string[];

beforeAll(async () => {
  for (const victim of victims) proxies.set(victim, await startTcpProxy(() => postgresUrl));
  ({ shop, students, itemIds } = await startCrowdedShop({
    databaseUrl: (service, url) => {
      postgresUrl = url;
      return proxies.get(service)?.through(url) ?? url;
    },
  }));
});
afterAll(async () => {
  await shop?.stop();
  for (const proxy of proxies.values()) await proxy[Symbol.asyncDispose]();
});

const proxyOf = (victim: Victim): TcpProxy => {
  const proxy = proxies.get(victim);
  if (proxy === undefined) throw new Error(`no proxy before ${victim}`);
  return proxy;
};

/** Lasts longer than every time-out on the way, so that connections are given up in it. */
const silentMs = 7_000;
/** Short enough that some of the calls under way are still waited for when it heals. */
const muteMs = 3_000;

const cases = victims.flatMap((victim, nth) => [
  { victim, mode: 'silent' as const, lastsMs: silentMs, nth: 2 * nth },
  { victim, mode: 'mute' as const, lastsMs: muteMs, nth: 2 * nth + 1 },
]);

test.each(cases)(
  '$victim and Postgres: the line is $mode while orders run, and nothing is lost',
  async ({ victim, mode, lastsMs, nth }) => {
    const shoppers = startShoppers(shop, { students, itemIds, perS, seed: seed + nth });
    await shoppers.more(20);
    const proxy = proxyOf(victim);
    expect(proxy.connections()).toBeGreaterThan(0);
    const begun = shoppers.acknowledged.length;
    const endMs = performance.now() + lastsMs;
    proxy.setMode(mode);
    await eventually('the time is over', () => performance.now() > endMs);
    const within = shoppers.acknowledged.slice(begun);
    proxy.setMode('open');
    const healedMs = performance.now();
    await shoppers.more(20, 60_000);
    const sellingMs = performance.now() - healedMs;
    await expectAllUp(shop);
    const sold = await expectAllSold(shop, shoppers, `seed ${seed}`);
    const queued = within.filter(({ status }) => status === 202).length;
    report(
      `${victim} ${mode} for ${lastsMs / 1000} s: ${within.length} acknowledged meanwhile, ` +
        `${queued} of them queued; 20 more ${(sellingMs / 1000).toFixed(1)} s after it healed; ` +
        `${sold} sold`,
    );
  },
);
