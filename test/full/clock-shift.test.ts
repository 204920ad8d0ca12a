// The wall clock of one service jumps by more than the deadline of an order, forwards or backwards,
// while orders run, and later back. Clocks that lie may cost time, never a meal or money.

import { publicApi, type ServiceName, serviceNames } from '@rushlight/contracts';
import { afterAll, beforeAll, test } from 'vitest';
import { createClocks } from '../src/clocks.ts';
import { expectAllSold } from '../src/expect-all-sold.ts';
import { type Shop, type Student, startCrowdedShop } from '../src/platform.ts';
import { newSeed, report } from '../src/report.ts';
import { type Shoppers, startShoppers } from '../src/shoppers.ts';

const jumpMs = 70_000;
const perS = 40;
const seed = newSeed('clock shift');
const clocks = createClocks();
let shop: Shop;
let students: Student[];
let itemIds: string[];

beforeAll(async () => {
  ({ shop, students, itemIds } = await startCrowdedShop(clocks.options));
});
afterAll(async () => {
  await shop?.stop();
  clocks.remove();
});

/** Those who write instants down for somebody else to judge; the others' clocks jump one way. */
const keepers: readonly ServiceName[] = ['orders', 'payments', 'kitchen', 'inventory'];
const cases = serviceNames.flatMap((service, nth) =>
  (keepers.includes(service) ? [jumpMs, -jumpMs] : [jumpMs]).map((byMs, way) => ({
    ...{ service, byMs },
    nth: 2 * nth + way,
  })),
);

test.each(cases)(
  'the clock of $service jumps by $byMs ms, and a new process sets it right',
  async (jump) => {
    const { service, byMs, nth } = jump;
    const shoppers = startShoppers(shop, { students, itemIds, perS, seed: seed + nth });
    await shoppers.more(20);
    await withUnpaidOrders(service, shoppers);
    clocks.shift(service, byMs);
    await shoppers.more(40);
    await withUnpaidOrders(service, shoppers);
    clocks.shift(service, 0);
    shop.platform.kill(service);
    await shoppers.more(20);
    await shop.platform.whenUp(service);
    const sold = await expectAllSold(shop, shoppers, `seed ${seed}`);
    report(`the clock of ${service} was off by ${byMs / 1000} s: ${sold} sold`);
  },
);

/** Orders judges deadlines: it is given some that wait for their payment. */
async function withUnpaidOrders(jumping: ServiceName, shoppers: Shoppers): Promise<void> {
  if (jumping !== 'orders') return;
  const body = { fault: 'stop', target: 'payments', durationS: 2 };
  await shop.api.call(publicApi.startFault, { body }, await shop.admin());
  await shoppers.more(20);
}
