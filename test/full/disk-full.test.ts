// The disk fills up under Postgres, the logs and everything else while students order. Whoever is
// told yes has her meal; whoever cannot be told is told to come again. Then there is space again.

import { Client } from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../src/eventually.ts';
import { expectAllSold, expectAllUp } from '../src/expect-all-sold.ts';
import { type Shop, startCrowdedShop } from '../src/platform.ts';
import { newSeed, report } from '../src/report.ts';
import { startShoppers } from '../src/shoppers.ts';
import { mountSmallDisk, type SmallDisk } from '../src/small-disk.ts';

const diskMb = 400;
const perS = 40;
/** Mostly it takes a second or two; how long it took is reported. */
const sellsAgainMsMax = 180_000;
/** Full for so long: well below the deadline of the orders that wait. */
const fullMs = 12_000;

/** Mounted for this test only; undefined, with a line that says why, where that cannot be. */
function smallDisk(): SmallDisk | undefined {
  const disk = mountSmallDisk(diskMb);
  if (typeof disk === 'string') {
    report(`disk full: not run, because ${disk}`);
    return undefined;
  }
  onTestFinished(disk.unmount);
  return disk;
}

/** Keeps the disk full; resolves with what Postgres complained of. */
async function keepFull(disk: SmallDisk, shop: Shop): Promise<Set<string>> {
  const endMs = performance.now() + fullMs;
  const complaints = new Set<string>();
  const isOver = (): boolean => {
    disk.fill(); // What a checkpoint gave back is taken as well.
    for (const line of shop.platform.logTail('postgres')) {
      const severity = /(ERROR|FATAL|PANIC):.*No space left on device/.exec(line)?.[1];
      if (severity !== undefined) complaints.add(severity);
    }
    return performance.now() > endMs;
  };
  const limits = { deadlineMs: fullMs + 20_000, everyMs: 100 };
  await eventually('the disk was full for a while', isOver, limits);
  return complaints;
}

/** What Postgres says to a write for which the disk has no room, as long as it lives. */
const diskFull = '53100';

/** Writes into the write-ahead log alone, until that crashes Postgres. Returns whether it did. */
async function crashByLog(shop: Shop): Promise<boolean> {
  const client = new Client({ connectionString: shop.platform.databaseUrl('bus') });
  client.on('error', () => undefined);
  const write = "SELECT pg_logical_emit_message(false, 'ballast', repeat('x', 1000000))";
  try {
    await client.connect();
    for (let megabytes = 0; megabytes < 64; megabytes++) await client.query(write);
    return false;
  } catch (error) {
    return (error as { code?: string }).code !== diskFull;
  } finally {
    await client.end().catch(() => undefined);
  }
}

test.each([
  { what: 'the tables cannot grow', crash: false },
  { what: 'the log cannot grow either, and Postgres crashes', crash: true },
])(
  'a full disk says no, and loses nothing that it said yes to: $what',
  {
    timeout: 300_000,
  },
  async ({ crash }) => {
    const disk = smallDisk();
    if (disk === undefined) return;
    const seed = newSeed('disk full');
    const { shop, students, itemIds } = await startCrowdedShop({ data: disk.data });
    try {
      const shoppers = startShoppers(shop, { students, itemIds, perS, seed });
      await shoppers.more(40);
      const freeMb = disk.freeMb();
      const begun = shoppers.acknowledged.length;
      disk.fill();
      const [complaints, crashed] = await Promise.all([
        keepFull(disk, shop),
        crash && crashByLog(shop),
      ]);
      const within = shoppers.acknowledged.length - begun;
      disk.free();
      const freedMs = performance.now();
      await shoppers.more(40, sellsAgainMsMax);
      const sellingMs = performance.now() - freedMs;
      await expectAllUp(shop);
      const sold = await expectAllSold(shop, shoppers, `seed ${seed}`);
      report(
        `${freeMb} MB were filled for ${fullMs / 1000} s: ${within} acknowledged meanwhile, ` +
          `complaints ${[...complaints].join(' ')}; 40 more ${(sellingMs / 1000).toFixed(1)} s ` +
          `after there was space; ${sold} sold`,
      );
      expect(complaints.size).toBeGreaterThan(0);
      expect(crashed).toBe(crash);
    } finally {
      disk.free();
      await shop.stop();
    }
  },
);
