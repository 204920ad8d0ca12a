// Parts are killed and stopped while students order. Whatever was acknowledged is sold, once, and
// its key still answers with it; the books are right; every part comes back by itself.

import { partNames, publicApi } from '@rushlight/contracts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../src/eventually.ts';
import { pidsOf, type Shop, type Student, startCrowdedShop } from '../src/platform.ts';
import { isRunning } from '../src/processes.ts';
import { newSeed, report } from '../src/report.ts';
import { judge, type Shoppers, startShoppers } from '../src/shoppers.ts';

const perS = 40;
const backMsMax = 20_000; // It takes 1 to 2 s where nobody else computes.
const seed = newSeed('chaos');
let shop: Shop;
let students: Student[];
let itemIds: string[];

beforeAll(async () => {
  ({ shop, students, itemIds } = await startCrowdedShop());
});
afterAll(() => shop?.stop());

const shopping = (nth: number): Shoppers =>
  startShoppers(shop, { students, itemIds, perS, seed: seed + nth });

async function switchOn(fault: 'kill' | 'stop', target: string, durationS: number): Promise<void> {
  const body = { fault, target, durationS };
  await shop.api.call(publicApi.startFault, { body }, await shop.admin());
}

const partOf = (name: string) => {
  const part = shop.platform.parts().find((one) => one.name === name);
  if (part === undefined) throw new Error(`no part ${name}`);
  return part;
};

/** Waits until another process does this part's work; milliseconds since `sinceMs`. */
async function back(name: string, before: number | null, sinceMs: number): Promise<number> {
  await eventually(
    `${name} is another process`,
    () => {
      const { pid } = partOf(name);
      return pid !== null && pid !== before;
    },
    { deadlineMs: 40_000, everyMs: 100 },
  );
  await shop.platform.whenUp(name);
  if (name !== 'postgres') {
    await eventually(`${name} is ready`, async () => {
      const answer = await fetch(`${shop.platform.serviceUrl(name)}/ready`);
      return answer.ok;
    });
  }
  return performance.now() - sinceMs;
}

async function expectAllSold(shoppers: Shoppers): Promise<void> {
  await shoppers.stop();
  const { wrong, judged } = await judge(shop, shoppers);
  expect(wrong.slice(0, 10), `seed ${seed}`).toEqual([]);
  expect(judged).toBeGreaterThan(0);
  await shop.audit();
}

test.each(partNames.map((name, nth) => [name, nth] as const))(
  '%s is killed, twice, while orders run: it is back, and nothing is lost',
  async (name, nth) => {
    const shoppers = shopping(nth);
    await shoppers.more(15);
    const first = partOf(name).pid;
    let sinceMs = performance.now();
    await switchOn('kill', name, 0);
    const byFaultMs = await back(name, first, sinceMs);
    await shoppers.more(10);
    const sellingMs = performance.now() - sinceMs;

    const second = partOf(name).pid ?? 0;
    sinceMs = performance.now();
    process.kill(second, 'SIGKILL');
    const byPidMs = await back(name, second, sinceMs);
    await shoppers.more(10);
    const seconds = [byFaultMs, byPidMs, sellingMs].map((ms) => (ms / 1000).toFixed(1));
    report(
      `${name} killed: back after ${seconds[0]} s and ${seconds[1]} s, ten orders after ${seconds[2]} s`,
    );
    expect(Math.max(byFaultMs, byPidMs)).toBeLessThan(backMsMax);
    await expectAllSold(shoppers);
  },
);

test.each(['inventory', 'payments', 'orders', 'postgres'].map((name, nth) => [name, nth] as const))(
  '%s stands still for 3 s: orders wait, and none is lost',
  async (name, nth) => {
    const shoppers = shopping(100 + nth);
    await shoppers.more(10);
    const { pid } = partOf(name);
    await switchOn('stop', name, 3);
    const begun = shoppers.acknowledged.length;
    await eventually('the fault is over', async () => {
      const { body } = await shop.api.call(publicApi.listFaults, {}, await shop.admin());
      return body.active.length === 0;
    });
    await shoppers.more(10);
    const queued = shoppers.acknowledged.slice(begun).filter(({ status }) => status === 202).length;
    report(`${name} stood still: ${queued} orders were queued`);
    if (name === 'inventory') expect(queued).toBeGreaterThan(0);
    expect(partOf(name).pid, 'nobody restarts what only stands still').toBe(pid);
    await expectAllSold(shoppers);
  },
);

test('everything is killed at once, Postgres too: all is back, and nothing is lost', async () => {
  const shoppers = shopping(200);
  await shoppers.more(15);
  const before = new Map(shop.platform.parts().map(({ name, pid }) => [name, pid]));
  const sinceMs = performance.now();
  for (const pid of pidsOf(shop.platform)) if (isRunning(pid)) process.kill(pid, 'SIGKILL');
  const times = await Promise.all(
    partNames.map((name) => back(name, before.get(name) ?? null, sinceMs)),
  );
  await shoppers.more(10);
  const sellingMs = performance.now() - sinceMs;
  report(
    `everything killed: back after ${(Math.max(...times) / 1000).toFixed(1)} s, ` +
      `ten orders after ${(sellingMs / 1000).toFixed(1)} s`,
  );
  await expectAllSold(shoppers);
});

test('no message was given up, and the health grid says that all is well', async () => {
  const admin = await shop.admin();
  const letters = await shop.api.call(publicApi.listDeadLetters, {}, admin);
  expect(letters.body).toEqual([]);
  await eventually('all is up', async () => {
    const { body } = await shop.api.call(publicApi.listServices, {}, admin);
    expect(body.map(({ name }) => name).sort()).toEqual(partNames.toSorted());
    return body.every(({ state }) => state === 'up');
  });
});
