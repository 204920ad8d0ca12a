// Two of everything, on RabbitMQ, Redis and the Postgres of this system: parts are killed, the engines
// too, and everything is replaced while it sells.

import { serviceNames } from '@rushlight/contracts';
import { type PlannedFault, runRush } from '@rushlight/lab';
import { findDebianPostgres, findRabbitmq, findRedis, type Scale } from '@rushlight/launcher';
import { describe, expect, test } from 'vitest';
import { expectAllSold, expectAllUp } from '../src/expect-all-sold.ts';
import { place } from '../src/ordering.ts';
import { type Shop, startCrowdedShop } from '../src/platform.ts';
import { newSeed, report } from '../src/report.ts';
import { startShoppers } from '../src/shoppers.ts';

const two = Object.fromEntries(serviceNames.map((name) => [name, 2]));
const onEngines: Scale = { replicas: two, bus: 'rabbitmq', cache: 'redis', postgres: 'system' };
const admin = { studentId: 'admin', password: 'adminpassword' };

/** Why the engines are not to be had here, if so. */
function enginesMissing(): string | undefined {
  try {
    findDebianPostgres();
    findRedis();
    return findRabbitmq()
      ? undefined
      : 'RabbitMQ is not installed: apt-get install rabbitmq-server';
  } catch (error) {
    return (error as Error).message;
  }
}

const missing = enginesMissing();
if (missing !== undefined) report(`replicas on engines of the system: not run, because ${missing}`);

/** One order after the other; counts the answers: 201, `busy` for a 503 that says when to come again. */
async function placeWhile(
  shop: Shop,
  goesOn: () => boolean,
  token = '',
  itemId = '',
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  while (goesOn()) {
    const answer = await place(shop, token, [{ itemId, quantity: 1 }]).catch(() => undefined);
    const isBusy = answer?.status === 503 && answer.headers['retry-after'] !== undefined;
    const name = isBusy ? 'busy' : String(answer?.status ?? 'no answer');
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

describe.skipIf(missing !== undefined)('two of everything', () => {
  test('a rush while the engines and one replica of each are killed', async () => {
    const seed = newSeed('rush of replicas');
    const seconds = 12;
    const kill = (target: string, atS: number): PlannedFault => ({
      ...{ fault: 'kill', target, atS, durationS: 0 },
    });
    const targets = [...serviceNames.map((name, nth) => `${name}-${1 + ((seed + nth) % 2)}`)];
    const faults = [...targets, 'rabbitmq', 'redis', 'postgres'].map((target, nth) =>
      kill(target, 1 + ((seed * 31 + nth * 7) % (seconds - 2))),
    );
    const size = { meals: 60, arrivals: 300, seconds, items: 3, seed };
    const watcher = { say: report, progress: () => undefined };
    const result = await runRush({ ...size, faults, admin, scale: onEngines }, watcher);
    expect(result.certificate.violations.slice(0, 10), `seed ${seed}`).toEqual([]);
    expect(result.certificate).toMatchObject({ ok: true, notChecked: [] });
    expect(result.certificate.sold + result.certificate.stockLeft).toBe(size.meals);
    expect(result.deadLetters).toBe(0);
  }, 300_000);

  test('every process is replaced while students order: no error but "busy", nothing lost', async () => {
    const seed = newSeed('replaced');
    const { shop, students, itemIds } = await startCrowdedShop({ scale: onEngines });
    try {
      const shoppers = startShoppers(shop, { students, itemIds, perS: 15, seed });
      await shoppers.more(20);
      const before = new Map(shop.platform.parts().map(({ name, pid }) => [name, pid]));
      let isOver = false;
      const restarted = shop.platform.restart().finally(() => {
        isOver = true;
      });
      restarted.catch(() => undefined); // It is awaited below.
      const statuses = await placeWhile(shop, () => !isOver, students[0]?.token, itemIds[0]);
      await restarted;
      report(`answers while everything was replaced: ${JSON.stringify(statuses)}`);
      const { 201: accepted = 0, 'no answer': unanswered = 0, ...others } = statuses;
      expect(Object.keys(others), `seed ${seed}`).toEqual(others['busy'] ? ['busy'] : []);
      // A request that meets a connection that is being closed is nobody's mistake; and rare.
      expect(unanswered).toBeLessThan(accepted / 10);
      await expectAllUp(shop);
      for (const { name, pid } of shop.platform.parts()) {
        const isService = serviceNames.some((service) => name.startsWith(`${service}-`));
        expect(pid === before.get(name), name).toBe(!isService);
      }
      const sold = await expectAllSold(shop, shoppers, `seed ${seed}`);
      report(`${sold} sold`);
    } finally {
      await shop.stop();
    }
  }, 300_000);
});
