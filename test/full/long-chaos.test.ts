// Two minutes of random kills and stops under a steady stream of orders, with a share of students
// who change their mind. Afterwards every promise is judged.

import { seededRandom } from '@rushlight/chassis/testing';
import { type FaultName, partNames, publicApi } from '@rushlight/contracts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../src/eventually.ts';
import { type Shop, type Student, startCrowdedShop } from '../src/platform.ts';
import { newSeed, report } from '../src/report.ts';
import { judge, startShoppers } from '../src/shoppers.ts';

const lastsMs = 120_000;
const perS = 40;
const seed = newSeed('long chaos');
let shop: Shop;
let students: Student[];
let itemIds: string[];

beforeAll(async () => {
  ({ shop, students, itemIds } = await startCrowdedShop());
});
afterAll(() => shop?.stop());

test('two minutes of random faults lose nothing, sell nothing twice, refuse nobody', async () => {
  const random = seededRandom(seed);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  const shoppers = startShoppers(shop, { students, itemIds, perS, seed });
  const endMs = performance.now() + lastsMs;
  const counts = { kill: 0, stop: 0 };
  while (performance.now() < endMs) {
    const fault: FaultName = random() < 0.7 ? 'kill' : 'stop';
    const target = pick(partNames);
    const durationS = fault === 'stop' ? 1 + Math.floor(random() * 3) : 0;
    // The gateway itself may be the one that is down: then the next try breaks the next part.
    const body = { fault, target, durationS };
    const answer = await shop.api
      .try(publicApi.startFault, { body }, await shop.admin())
      .catch(() => undefined);
    if (answer?.status !== 201) continue;
    counts[fault] += 1;
    await shoppers.more(20 + Math.floor(random() * 60), 60_000);
  }
  await shop.api.call(publicApi.clearFaults, {}, await shop.admin());
  await eventually('every part is up', async () => {
    const { body } = await shop.api.call(publicApi.listServices, {}, await shop.admin());
    return body.every(({ state }) => state === 'up');
  });
  await shoppers.stop();
  const { wrong, judged } = await judge(shop, shoppers);
  report(`${judged} orders acknowledged, ${counts.kill} kills, ${counts.stop} stops`);
  expect(wrong.slice(0, 10), `seed ${seed}`).toEqual([]);
  await shop.audit();
  expect(counts.kill + counts.stop).toBeGreaterThan(10);
}, 400_000);
