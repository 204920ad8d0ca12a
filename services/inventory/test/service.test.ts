import { randomUUID } from 'node:crypto';
import { type Bus, openPostgresBus, realEnvironment, silentLog } from '@rushlight/chassis';
import {
  readMetrics,
  startService,
  sumOf,
  type TestService,
  until,
} from '@rushlight/chassis/testing';
import { inventoryApi, type Message, publicApi } from '@rushlight/contracts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { idOf, orderStep } from './shop.ts';

const admin = {
  kind: 'user',
  studentId: 'admin',
  role: 'admin',
  tokenId: 't',
  issuedAtS: 0,
  expiresAtS: 9_999_999_999,
} as const;
const student = { ...admin, studentId: 'student1', role: 'student' } as const;

let service: TestService;
let bus: Bus;
const heard: Message[] = [];

beforeAll(async () => {
  service = await startService('inventory', { env: { RUSHLIGHT_INVENTORY_SEED_STOCK: '50' } });
  const { env, log } = { env: realEnvironment, log: silentLog };
  bus = await openPostgresBus({ url: service.busUrl, name: 'neighbour', env, log });
  for (const queue of ['orders', 'notifications'] as const) {
    bus.consume(queue, async (message) => void heard.push(message));
  }
});

afterAll(async () => {
  await bus?.close();
  await service?.[Symbol.asyncDispose]();
});

const messageOf = <T extends Message['topic']>(topic: T, events: Message<T>['events']): Message =>
  ({ id: randomUUID(), topic, atMs: Date.now(), events }) as unknown as Message;
const menu = async (query: { q?: string; category?: string } = {}) =>
  (await service.as().call(publicApi.menu, { query })).body;
const stock = async () => (await service.as().call(inventoryApi.stock, {})).body.items;
const item = async (itemId: string) =>
  (await service.as().call(publicApi.getItem, { params: { itemId } }, { user: admin })).body;
const reserve = async (
  orders: { orderId: string; lines: { itemId: string; quantity: number }[] }[],
  deadlineMs = 2_000,
) => {
  const client = service.as('orders');
  const { body } = await client.call(inventoryApi.reserve, { body: { orders } }, { deadlineMs });
  return body.answers;
};
const order = (name: string, itemId: string, quantity = 1) => ({
  orderId: idOf(name),
  lines: [{ itemId, quantity }],
});
const sound = async () => {
  const { body } = await service.as().call(inventoryApi.auditStock, { query: {} });
  expect(body.violations).toEqual([]);
  return body;
};

test('a scrape says what is left, and how its queue, Postgres and the disk are', async () => {
  const text = await (await fetch(`${service.url}/metrics`)).text();
  const read = (name: string, label = ''): number =>
    Number(new RegExp(`^${name}\\{[^}]*${label}[^}]*\\} (\\S+)$`, 'm').exec(text)?.[1]);
  const { itemId } = (await menu())[0] ?? {};
  expect(read('inventory_stock', `item="${itemId}"`)).toBe(50);
  expect(read('postgres_connections')).toBeGreaterThan(0);
  expect(read('postgres_connections_max')).toBeGreaterThan(read('postgres_connections'));
  expect(read('disk_size_bytes', 'volume="data"')).toBeGreaterThan(0);
  expect(read('bus_queue_oldest_seconds', 'queue="inventory"')).toBeGreaterThanOrEqual(0);
});

test('a fresh shop has 19 items, and the world hears of each', async () => {
  const items = await menu();
  expect(items).toHaveLength(19);
  expect(new Set(items.map(({ category }) => category)).size).toBe(4);
  expect(items.every(({ available }) => available === 50)).toBe(true);
  const names = () =>
    heard.flatMap(({ topic, events }) =>
      topic === 'item.changed' ? events.map((event) => (event as { itemId: string }).itemId) : [],
    );
  await until(() => new Set(names()).size === 19, { what: 'item.changed of all items' });
  expect(await menu({ q: 'BIRYANI' })).toMatchObject([{ itemId: 'chicken-biryani' }]);
  expect(await menu({ category: 'drinks', q: "'; DROP TABLE items; --" })).toEqual([]);
});

test('only services may reserve, only admins may edit', async () => {
  const orders = [order('forbidden', 'water')];
  const asStudent = service
    .as()
    .call(inventoryApi.reserve, { body: { orders } }, { user: student });
  await expect(asStudent).rejects.toMatchObject({ code: 'forbidden' });
  const params = { itemId: 'water' };
  const edit = service
    .as()
    .call(publicApi.editItem, { params, body: { version: 1, setStock: 9 } }, { user: student });
  await expect(edit).rejects.toMatchObject({ code: 'forbidden' });
  expect((await fetch(`${service.url}/internal/stock`)).status).toBe(401);
});

test('an admin adds, edits and removes items; each mistake has its code', async () => {
  const call = { user: admin };
  const client = service.as();
  const soup = { itemId: 'soup', name: 'Soup', category: 'sides', priceCents: 300, stock: 5 };
  const added = await client.call(publicApi.addItem, { body: soup }, call);
  expect(added).toMatchObject({ status: 201, body: { available: 5, onHand: 5, reserved: 0 } });
  const again = client.call(publicApi.addItem, { body: soup }, call);
  await expect(again).rejects.toMatchObject({ code: 'taken' });

  const params = { itemId: 'soup' };
  const edit = (body: { version: number; addStock?: number; setStock?: number }) =>
    client.call(publicApi.editItem, { params, body }, call);
  expect((await edit({ version: 1, addStock: 2 })).body).toMatchObject({ version: 2, onHand: 7 });
  await expect(edit({ version: 1, setStock: 9 })).rejects.toMatchObject({
    code: 'stale_version',
    details: { current: 2, sent: 1 },
  });
  await expect(edit({ version: 2, addStock: -8 })).rejects.toMatchObject({ code: 'stock_short' });
  await expect(edit({ version: 2, addStock: 1, setStock: 1 })).rejects.toMatchObject({
    code: 'bad_request',
  });
  const removed = await client.call(publicApi.removeItem, { params }, call);
  expect(removed.status).toBe(204);
  await expect(item('soup')).rejects.toMatchObject({ code: 'unknown_item' });
  expect((await menu()).some(({ itemId }) => itemId === 'soup')).toBe(false);
  expect((await stock()).find(({ itemId }) => itemId === 'soup')).toMatchObject({ removed: true });
  const told = await readMetrics(service.url);
  const counts = ['add', 'edit', 'remove'].flatMap((operation) =>
    ['ok', 'refused', 'failed'].map((result) =>
      sumOf(told, 'product_operations_total', { operation, result }),
    ),
  );
  expect(counts).toEqual([1, 1, 0, 1, 2, 0, 1, 0, 0]);
  await sound();
});

test('an order goes its way: reserved, paid, or ended and given back', async () => {
  const answers = await reserve([order('way 1', 'laban', 2), order('way 2', 'laban', 3)]);
  expect(answers.map(({ outcome }) => outcome)).toEqual(['reserved', 'reserved']);
  expect(await item('laban')).toMatchObject({ onHand: 50, reserved: 5, available: 45 });
  const line = { itemId: 'laban', name: 'Laban', quantity: 2, priceCents: 300 };
  const paid = { ...orderStep(idOf('way 1')), lines: [line] };
  const ended = { release: true, refund: false, reason: 'deadline' as const };
  await bus.publish([
    messageOf('order.paid', [paid]),
    messageOf('order.rejected', [{ ...orderStep(idOf('way 2')), ...ended }]),
  ]);
  await until(async () => (await item('laban')).reserved === 0, { what: 'both to be settled' });
  expect(await item('laban')).toMatchObject({ onHand: 48, available: 48 });
  const { items } = await sound();
  expect(items.find(({ itemId }) => itemId === 'laban')).toMatchObject({ sold: 2, reserved: 0 });
  const scrape = async () => await (await fetch(`${service.url}/metrics`)).text();
  const sold = /^portions_sold_total\{[^}]*item="laban"[^}]*\} 2$/m;
  await until(async () => sold.test(await scrape()), { what: 'the portions to be counted' });
});

test('an order that came over the bus is decided there, short for good', async () => {
  const queued = ['bus 1', 'bus 2'].map((name, index) => ({
    ...orderStep(idOf(name)),
    lines: [{ itemId: 'jallab', quantity: index === 0 ? 50 : 1 }],
  }));
  await bus.publish([messageOf('order.queued', queued)]);
  const decided = () => heard.filter(({ topic }) => topic === 'stock.decided');
  await until(() => decided().length > 0, { what: 'stock.decided' });
  expect(decided()[0]?.events).toEqual([
    { orderId: idOf('bus 1'), outcome: 'reserved' },
    { orderId: idOf('bus 2'), outcome: 'short' },
  ]);
  expect(await reserve([order('bus 2', 'jallab')])).toMatchObject([{ outcome: 'released' }]);
});

test('a request whose deadline is over reserves nothing', async () => {
  const body = JSON.stringify({ orders: [order('late', 'water', 7)] });
  const signed = service
    .as('orders')
    .forward(
      inventoryApi.reserve,
      { body: JSON.parse(body), headers: { 'rushlight-deadline-ms': '0' } },
      { deadlineMs: 1 },
    );
  await signed.catch(() => undefined);
  // Whatever became of it, the same order asked again has one answer, and stock is taken once.
  expect(await reserve([order('late', 'water', 7)])).toMatchObject([{ outcome: 'reserved' }]);
  expect(await item('water')).toMatchObject({ reserved: 7 });
});

test('kill -9 while batches run: every answer holds, nothing is sold twice', {
  timeout: 60_000,
}, async () => {
  const answered = new Map<string, string>();
  let stop = false;
  let client = service.as('orders');
  const ask = async (worker: number): Promise<void> => {
    for (let round = 0; !stop; round++) {
      const orders = Array.from({ length: 5 }, (_, n) =>
        order(`kill ${worker} ${round} ${n}`, 'kunafa'),
      );
      const sent = client.call(inventoryApi.reserve, { body: { orders } }, { deadlineMs: 1_000 });
      const answers = await sent.then(({ body: { answers } }) => answers).catch(() => []);
      for (const { orderId, outcome } of answers) answered.set(orderId, outcome);
      if (answers.length === 0) await realEnvironment.sleep(20);
    }
  };
  const { version } = await item('kunafa');
  const body = { version, addStock: 100_000 };
  const params = { itemId: 'kunafa' };
  await service.as().call(publicApi.editItem, { params, body }, { user: admin });
  const workers = Array.from({ length: 8 }, (_, worker) => ask(worker));
  for (let kill = 1; kill <= 3; kill++) {
    const before = answered.size;
    await until(() => answered.size > before + 50, { what: 'orders to be answered' });
    await service.kill();
    await service.start();
    client = service.as('orders');
  }
  stop = true;
  await Promise.all(workers);
  const holds = new Map<string, string>();
  for (let after: string | undefined; ; ) {
    const query = { limit: '500', ...(after ? { after } : {}) };
    const page = (await service.as().call(inventoryApi.auditStock, { query })).body;
    for (const hold of page.holds) holds.set(hold.orderId, hold.status);
    after = page.next;
    if (after === undefined) break;
  }
  expect([...answered.values()].every((outcome) => outcome === 'reserved')).toBe(true);
  expect([...answered.keys()].filter((orderId) => holds.get(orderId) !== 'reserved')).toEqual([]);
  await sound();
});

test('a restart neither sows again nor forgets', async () => {
  const before = await stock();
  expect(await service.stop()).toBe(0);
  await service.start();
  expect(await stock()).toEqual(before);
});
