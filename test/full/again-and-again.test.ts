// Everything is killed at once, Postgres too, as soon as the shop sells again; many times.

import { expect, test } from 'vitest';
import { eventually } from '../src/eventually.ts';
import { expectAllSold, expectAllUp } from '../src/expect-all-sold.ts';
import { pidsOf, startCrowdedShop } from '../src/platform.ts';
import { newSeed, report } from '../src/report.ts';
import { startShoppers } from '../src/shoppers.ts';

const rounds = 4;
const everyMs = 10_000;
const perS = 40;

test('everything is killed every ten seconds: what was acknowledged is sold, once', async () => {
  const seed = newSeed('again and again');
  const { shop, students, itemIds } = await startCrowdedShop();
  try {
    const shoppers = startShoppers(shop, { students, itemIds, perS, seed });
    await shoppers.more(20);
    let killed = 0;
    for (let round = 0; round < rounds; round++) {
      const nextMs = performance.now() + everyMs;
      const pids = pidsOf(shop.platform);
      for (const { name } of shop.platform.parts()) shop.platform.kill(name);
      killed += pids.length;
      await shoppers.more(20, 60_000);
      const isTime = (): boolean => performance.now() > nextMs;
      await eventually('the next round', isTime, { deadlineMs: everyMs * 2 });
    }
    await expectAllUp(shop);
    const sold = await expectAllSold(shop, shoppers, `seed ${seed}`);
    report(`${killed} processes killed in ${rounds} rounds, ${sold} sold`);
    expect(killed).toBeGreaterThan(rounds * 4);
  } finally {
    await shop.stop();
  }
}, 300_000);
