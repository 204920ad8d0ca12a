// The disk of the monitor's store is full: telemetry is dropped and counted, nothing else happens,
// and when there is space again it is kept again.

import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { realEnvironment, silentLog } from '@rushlight/chassis';
import { monitorApiAtGateway } from '@rushlight/contracts';
import { openTelemetryStore } from '@rushlight/monitor';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../src/eventually.ts';
import { expectAllSold } from '../src/expect-all-sold.ts';
import { startCrowdedShop, startShop } from '../src/platform.ts';
import { newSeed, report } from '../src/report.ts';
import { startShoppers } from '../src/shoppers.ts';
import { mountSmallDisk } from '../src/small-disk.ts';

const startUs = Date.now() * 1_000;

function spans(count: number, from: number) {
  return Array.from({ length: count }, (_, k) => ({
    traceId: (from + k + 1).toString(16).padStart(32, '0'),
    spanId: (from + k + 1).toString(16).padStart(16, '0'),
    ...{ service: 'orders', instance: 'orders-1', name: 'work', kind: 'internal' as const },
    ...{ startUs: startUs + k, durationUs: 1, status: 'unset' as const },
    attributes: { text: Math.random().toString(36).repeat(8) },
    events: [],
    links: [],
  }));
}

test('a store whose disk is full drops and counts, and recovers by itself', async () => {
  const disk = mountSmallDisk(64);
  if (typeof disk === 'string') {
    report(`telemetry, disk full: not run, because ${disk}`);
    return;
  }
  onTestFinished(disk.unmount);
  await using store = await openTelemetryStore({
    folder: disk.data,
    env: realEnvironment,
    log: silentLog,
    bufferRecordsMax: 5_000,
  });
  store.intake.spans(spans(1_000, 0));
  await store.flush();
  expect(store.state()).toMatchObject({ status: 'open', written: { spans: 1_000 } });
  disk.fill();
  let sent = 1_000;
  const limits = { deadlineMs: 90_000, everyMs: 50 };
  const isDropping = (): boolean => {
    disk.fill();
    store.intake.spans(spans(2_000, sent));
    sent += 2_000;
    return store.state().dropped.spans > 0 && store.state().status === 'broken';
  };
  await eventually('telemetry is dropped', isDropping, limits);
  expect(store.state().waiting).toBeLessThanOrEqual(5_000);
  await expect(store.rows('SELECT 1')).rejects.toThrow('cannot be read now');
  disk.free();
  const isKept = (): boolean => store.state().status === 'open' && store.state().waiting === 0;
  await eventually('telemetry is kept again', isKept, limits);
  const { written, dropped } = store.state();
  expect(written.spans + dropped.spans).toBe(sent);
  const [row] = await store.rows<{ n: number }>('SELECT count(*) AS n FROM spans');
  expect(row?.n).toBe(written.spans);
  report(`telemetry, disk full: ${sent} spans sent, ${dropped.spans} dropped, the rest kept`);
});

test('a shop whose monitor has no disk left sells as before', { timeout: 240_000 }, async () => {
  const disk = mountSmallDisk(48);
  if (typeof disk === 'string') {
    report(`shop, telemetry disk full: not run, because ${disk}`);
    return;
  }
  onTestFinished(disk.unmount);
  const parent = mkdtempSync(join(tmpdir(), 'rushlight-system-'));
  onTestFinished(() => rmSync(parent, { recursive: true, force: true }));
  const data = join(parent, 'data');
  await (await startShop({ data })).stop();
  const folder = join(data, 'services', 'monitor');
  rmSync(folder, { recursive: true });
  symlinkSync(disk.data, folder);
  const seed = newSeed('telemetry disk full');
  const { shop, students, itemIds } = await startCrowdedShop({ data });
  try {
    const health = async (): Promise<string> =>
      (await shop.api.try(monitorApiAtGateway.monitorHealth, {}, await shop.admin())).text;
    const shoppers = startShoppers(shop, { students, itemIds, perS: 40, seed });
    await shoppers.more(80);
    await eventually('the monitor writes', async () => (await health()).includes('"open"'));
    disk.fill();
    const limits = { deadlineMs: 60_000, everyMs: 250 };
    await eventually(
      'the monitor cannot write',
      async () => {
        disk.fill();
        return (await health()).includes('"broken"');
      },
      limits,
    );
    await shoppers.more(200, 60_000);
    disk.free();
    await eventually('it writes again', async () => (await health()).includes('"open"'), limits);
    const sold = await expectAllSold(shop, shoppers, `seed ${seed}`);
    report(`telemetry disk full: ${sold} sold`);
  } finally {
    disk.free();
    await shop.stop();
  }
});
