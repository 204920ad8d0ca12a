// A backup of a shop that sells meanwhile, and what is restored from it: every order that was
// acknowledged before the backup began is there, and the books agree. What is not whole is refused.

import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTestPostgres } from '@rushlight/chassis/testing';
import { type AuditReport, publicApi } from '@rushlight/contracts';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { runBackup } from '../src/command.ts';
import { eventually } from '../src/eventually.ts';
import { jsonOf } from '../src/http.ts';
import { place, placed } from '../src/ordering.ts';
import { type Shop, type Student, startCrowdedShop, startShop } from '../src/platform.ts';
import { newSeed, report } from '../src/report.ts';
import { type Acknowledged, type Shoppers, startShoppers } from '../src/shoppers.ts';
import { mountSmallDisk } from '../src/small-disk.ts';

vi.setConfig({ testTimeout: 360_000, hookTimeout: 240_000 });

const perS = 20;
const patientMs = 120_000;
const parent = mkdtempSync(join(tmpdir(), 'rushlight-backup-'));
const data = join(parent, 'data');
const backup = join(parent, 'backup');
let shop: Shop | undefined;
let students: Student[];
let itemIds: string[];
let shoppers: Shoppers;
/** Acknowledged before the backup under load began. */
let before: readonly Acknowledged[] = [];
/** Orders in another backup, made while payments and the kitchen stood still. */
const underWay = { paid: [] as string[], unpaid: [] as string[] };
const backupUnderWay = join(parent, 'backup-under-way');

beforeAll(async () => {
  const started = await startCrowdedShop({ data });
  shop = started.shop;
  ({ students, itemIds } = started);
  const seed = newSeed('backup');
  shoppers = startShoppers(started.shop, { students, itemIds, perS, seed });
  await shoppers.more(60);
});
afterAll(async () => {
  await shoppers?.stop();
  await shop?.stop();
  rmSync(parent, { recursive: true, force: true });
});

/** Runs the command to its end; its exit code and what it said. */
async function run(...args: string[]): Promise<{ code: unknown; said: string }> {
  const command = runBackup(args);
  const code = await command.ended(patientMs);
  return { code, said: command.output() };
}
const backUp = (target: string) => run('backup', '--data', data, target);
const restore = (from: string, to: string) => run('restore', '--from', from, '--data', to);
const running = (): Shop => {
  if (shop === undefined) throw new Error('The shop does not run.');
  return shop;
};

async function slots(): Promise<number> {
  const { superuser } = JSON.parse(readFileSync(join(data, 'secrets.json'), 'utf8'));
  const { postgresPort } = running().platform;
  const client = new Client({
    ...{ host: '127.0.0.1', port: postgresPort, database: 'postgres' },
    ...{ user: 'rushlight', password: superuser },
  });
  await client.connect();
  try {
    const { rows } = await client.query('SELECT slot_name FROM pg_replication_slots');
    return rows.length;
  } finally {
    await client.end();
  }
}

test('a backup that is killed leaves nothing that looks whole, and holds nothing up', async () => {
  const command = runBackup(['backup', '--data', data, backup]);
  const draft = `${backup}.partial`;
  await eventually('the backup is under way', () => existsSync(join(draft, 'cluster', 'base')));
  process.kill(command.pid, 'SIGKILL');
  await command.ended();
  expect(existsSync(backup)).toBe(false);
  const { code, said } = await restore(draft, join(parent, 'of-partial'));
  expect([code, said]).toEqual([1, expect.stringContaining('no whole backup')]);
  await eventually('the log is no longer kept', async () => (await slots()) === 0);
});

test('the shop sells while it is backed up', async () => {
  before = [...shoppers.acknowledged];
  const { code, said } = await backUp(backup);
  expect([code, said]).toEqual([0, expect.stringContaining('while the shop ran')]);
  const during = shoppers.acknowledged.length - before.length;
  await shoppers.more(20);
  await shoppers.stop();
  expect(shoppers.broken).toEqual([]);
  expect(existsSync(`${backup}.partial`)).toBe(false);
  await eventually('the log is no longer kept', async () => (await slots()) === 0);
  for (const path of ['.', 'manifest.json', 'data/secrets.json', 'cluster/PG_VERSION']) {
    expect(statSync(join(backup, path)).mode & 0o077, path).toBe(0);
  }
  report(`${before.length} acknowledged before the backup, ${during} during it`);
  expect(during).toBeGreaterThan(0);
});

test('a backup of orders whose next step waits on the bus', async () => {
  const { platform, reached } = running();
  const order = (nth: number): Promise<string> => {
    const student = students[nth];
    if (student === undefined) throw new Error('There are too few students.');
    return placed(running(), student, [{ itemId: itemIds[0] ?? '', quantity: 1 }]);
  };
  await running().audit(); // Those of before have come to their ends.
  platform.startFault({ fault: 'stop', target: 'kitchen', durationS: 60 });
  underWay.paid = await Promise.all([1, 2, 3].map(order));
  for (const orderId of underWay.paid) await reached(orderId, ['paid']);
  platform.startFault({ fault: 'stop', target: 'payments', durationS: 60 });
  underWay.unpaid = await Promise.all([4, 5, 6].map(order));
  expect((await backUp(backupUnderWay)).code).toBe(0);
  platform.endFaults();
});

test('nothing is overwritten: neither a backup, nor a shop, be it running or not', async () => {
  const again = await backUp(backup);
  expect([again.code, again.said]).toEqual([1, expect.stringContaining('is there already')]);
  const inUse = await restore(backup, data);
  expect([inUse.code, inUse.said]).toEqual([1, expect.stringContaining('Rushlight runs on')]);
  await running().stop();
  shop = undefined;
  const used = await restore(backup, data);
  expect([used.code, used.said]).toEqual([1, expect.stringContaining('is not empty')]);
});

test('a full disk is told, and nothing is left on it', async () => {
  const disk = mountSmallDisk(20);
  if (typeof disk === 'string') return report(`full disk: not run, because ${disk}`);
  try {
    const target = join(disk.data, 'backup');
    const made = await backUp(target);
    expect([made.code, made.said]).toEqual([1, expect.stringContaining('is full')]);
    expect(readdirSync(disk.data)).toEqual([]);
    const restored = await restore(backup, disk.data);
    expect([restored.code, restored.said]).toEqual([1, expect.stringContaining('is full')]);
    expect(readdirSync(disk.data)).toEqual([]);
  } finally {
    disk.unmount();
  }
});

test('a backup that is not as it was written is refused, and nothing is left of the try', async () => {
  const damaged = join(parent, 'damaged');
  const largest = readdirSync(join(backup, 'cluster/pg_wal')).filter((name) => name.length === 24);
  const wal = `cluster/pg_wal/${largest[0]}`;
  const damages: [string, () => void][] = [
    ['is not what was written', () => flipByte(join(damaged, wal))],
    ['is missing', () => rmSync(join(damaged, 'data/secrets.json'))],
    [
      'does not belong to it',
      () => writeFileSync(join(damaged, 'cluster/postgresql.auto.conf~'), ''),
    ],
    ['manifest.json is not', () => appendFileSync(join(damaged, 'manifest.json'), ' ')],
    ['has no manifest.json', () => rmSync(join(damaged, 'manifest.json'))],
  ];
  cpSync(backup, damaged, { recursive: true });
  for (const [why, damage] of damages) {
    damage();
    const target = join(parent, 'of-damaged');
    const { code, said } = await restore(damaged, target);
    expect([code, said]).toEqual([1, expect.stringContaining(why)]);
    expect(existsSync(target)).toBe(false);
    mend(damaged);
  }
  expect((await run('restore', '--from', damaged, '--check')).code).toBe(0);
  rmSync(damaged, { recursive: true });
});

function flipByte(path: string): void {
  const bytes = readFileSync(path);
  bytes.writeUInt8(bytes.readUInt8(5_000) ^ 1, 5_000);
  writeFileSync(path, bytes);
}

/** Undoes any of the damages. */
function mend(damaged: string): void {
  rmSync(join(damaged, 'cluster/postgresql.auto.conf~'), { force: true });
  const wal = readdirSync(join(backup, 'cluster/pg_wal')).filter((name) => name.length === 24);
  const paths = ['manifest.json', 'data/secrets.json'];
  for (const path of [...paths, ...wal.map((name) => `cluster/pg_wal/${name}`)]) {
    cpSync(join(backup, path), join(damaged, path));
  }
}

/** Starts the shop in this folder, and sees that it is sound and sells. */
async function expectSound(folder: string, orders: readonly Acknowledged[]): Promise<void> {
  await using restored = await startedIn(folder);
  const { shop: again } = restored;
  const states = await again.settled(orders.map(({ orderId }) => orderId));
  const audit = await again.audit();
  expect([audit.orders.inFlight, audit.violations]).toEqual([0, []]);
  const counts: Record<string, number> = {};
  for (const { status } of states.values()) counts[status] = (counts[status] ?? 0) + 1;
  report(`restored: ${JSON.stringify(counts)}`);
  const [first] = orders;
  const [student] = students;
  if (first === undefined || student === undefined) throw new Error('Nobody ordered.');
  // Tokens of before are good, and so are keys: the same request is the same order.
  const repeated = await place(again, first.student.token, first.lines, first.key);
  expect([repeated.status, jsonOf<{ orderId: string }>(repeated).orderId]).toEqual([
    first.status,
    first.orderId,
  ]);
  const orderId = await placed(again, student, [{ itemId: itemIds[0] ?? '', quantity: 1 }]);
  await again.reached(orderId, ['ready', 'collected']);
  const letters = await again.api.call(publicApi.listDeadLetters, {}, await again.admin());
  expect(letters.body).toEqual([]);
}

async function startedIn(folder: string, options: Parameters<typeof startShop>[0] = {}) {
  const again = await startShop({ data: folder, ...options });
  return { shop: again, [Symbol.asyncDispose]: () => again.stop() };
}

test('a restored shop has every order that was acknowledged before, and its books agree', async () => {
  const folder = join(parent, 'restored');
  const { code, said } = await restore(backup, folder);
  expect([code, said]).toEqual([0, expect.stringContaining('start it with')]);
  await expectSound(folder, before);
});

test('a backup of a stopped shop has its last orders, too', async () => {
  const stopped = join(parent, 'backup-of-stopped');
  const { code, said } = await backUp(stopped);
  expect([code, said]).toEqual([0, expect.stringContaining('of the stopped shop')]);
  const folder = join(parent, 'restored-of-stopped');
  expect((await restore(stopped, folder)).code).toBe(0);
  await expectSound(folder, shoppers.acknowledged.slice(-60));
});

// What docs/BACKUP.md says of a bus that is not in the backup: RabbitMQ, or a database of its own.
test('where the bus is lost, unpaid orders end, and the audit names the paid ones to be cancelled', async () => {
  const folder = join(parent, 'restored-without-bus');
  expect((await restore(backupUnderWay, folder)).code).toBe(0);
  await using bus = await startTestPostgres();
  const elsewhere = (url: string): string => (url.endsWith('/bus') ? bus.url : url);
  await using restored = await startedIn(folder, { databaseUrl: (_, url) => elsewhere(url) });
  const { shop: again } = restored;
  const { paid, unpaid } = underWay;
  const admin = await again.admin();
  for (const orderId of unpaid) {
    await eventually(
      `unpaid order ${orderId} ends`,
      async () => {
        const { body } = await again.api.call(publicApi.getOrder, { params: { orderId } }, admin);
        return body.status === 'rejected';
      },
      { deadlineMs: patientMs, everyMs: 250 },
    );
  }
  let last: unknown;
  await eventually(
    'the audit names the paid orders, and no others',
    async () => {
      last = (await again.api.call(publicApi.audit, {}, admin)).body.violations;
      const named = [...new Set((last as AuditReport['violations']).map(({ subject }) => subject))];
      return JSON.stringify(named.sort()) === JSON.stringify([...paid].sort());
    },
    { deadlineMs: patientMs, everyMs: 250 },
  ).catch((error) => {
    throw new Error(`${error.message}; it says ${JSON.stringify(last)}`, { cause: error });
  });
  for (const orderId of paid) {
    await again.api.call(publicApi.cancelOrder, { params: { orderId } }, admin);
    await again.reached(orderId, ['cancelled']);
  }
  const { money } = await again.audit();
  expect(money.refunded).toBeGreaterThan(0);
});
