// A process is stopped for so long that it loses everything: its session on the bus, its leases. A
// second one takes over. Then the first goes on where it was, as if nothing had happened, and writes.

import type { ServiceName } from '@rushlight/contracts';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../src/eventually.ts';
import { expectAllSold } from '../src/expect-all-sold.ts';
import { type Shop, type Student, startCrowdedShop } from '../src/platform.ts';
import { type Replica, startReplica } from '../src/replica.ts';
import { newSeed, report } from '../src/report.ts';
import { type Shoppers, startShoppers } from '../src/shoppers.ts';

const onLinux = process.platform === 'linux';
if (!onLinux) report('zombies: not run, because a second process is started by what /proc tells');

const perS = 40;
/** Longer than a lease of payments, much shorter than the deadline of an order. */
const stoppedS = 4;
const seed = newSeed('zombie');
let shop: Shop;
let students: Student[];
let itemIds: string[];

beforeAll(async () => {
  ({ shop, students, itemIds } = await startCrowdedShop());
});
afterAll(() => shop?.stop());

const shopping = (nth: number): Shoppers =>
  startShoppers(shop, { students, itemIds, perS, seed: seed + nth });

/** Ends its sessions, as a server does whose client has been silent for too long. */
async function endSessions(instance: string): Promise<number> {
  const client = new Client({ connectionString: shop.platform.databaseUrl('bus') });
  await client.connect();
  const { rowCount } = await client.query(
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1',
    [instance],
  );
  await client.end();
  return rowCount ?? 0;
}

const untilOver = (endMs: number): Promise<true> =>
  eventually('the time is over', () => performance.now() > endMs, { deadlineMs: 60_000 }) as never;

const workers = ['payments', 'kitchen', 'inventory', 'orders'] as const satisfies ServiceName[];

test.runIf(onLinux).each(workers.map((service, nth) => ({ service, nth })))(
  '$service stands still while another takes over, and goes on: nothing happens twice',
  async ({ service, nth }) => {
    const replica: Replica = await startReplica(shop, service);
    try {
      const shoppers = shopping(nth);
      await shoppers.more(20);
      const begun = shoppers.acknowledged.length;
      shop.platform.startFault({ fault: 'stop', target: service, durationS: stoppedS });
      const endMs = performance.now() + stoppedS * 1_000;
      const ended = await endSessions(`${service}-1`);
      expect(ended).toBeGreaterThan(0);
      await untilOver(endMs);
      const within = shoppers.acknowledged.length - begun;
      await shoppers.more(20, 60_000);
      const sold = await expectAllSold(shop, shoppers, `seed ${seed}`);
      report(
        `${service} stood still for ${stoppedS} s and lost ${ended} sessions: ` +
          `${within} acknowledged meanwhile, ${sold} sold`,
      );
    } finally {
      await replica.stop();
    }
  },
);

test.each([
  { service: 'payments' as const, nth: 0 },
  { service: 'orders' as const, nth: 1 },
])(
  'Postgres is killed while $service stands still: it goes on, and nothing is lost',
  async ({ service, nth }) => {
    const shoppers = shopping(10 + nth);
    await shoppers.more(20);
    const endMs = performance.now() + stoppedS * 1_000;
    shop.platform.startFault({ fault: 'stop', target: service, durationS: stoppedS });
    shop.platform.startFault({ fault: 'kill', target: 'postgres', durationS: 0 });
    await untilOver(endMs);
    await shoppers.more(20, 60_000);
    const sold = await expectAllSold(shop, shoppers, `seed ${seed}`);
    report(`Postgres was killed while ${service} stood still: ${sold} sold`);
  },
);
