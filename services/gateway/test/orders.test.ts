import { randomUUID } from 'node:crypto';
import { openPostgresBus, realEnvironment, silentLog } from '@rushlight/chassis';
import { until } from '@rushlight/chassis/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { StockItem } from '../src/stock-view.ts';
import { stockItem } from './neighbours.ts';
import { startGateway, type TestGateway } from './start.ts';

let shop: TestGateway;
let stock: StockItem[] = [];
beforeAll(async () => {
  const env = { RUSHLIGHT_GATEWAY_ORDERS_BURST: '10', RUSHLIGHT_GATEWAY_RESYNC_S: '1' };
  shop = await startGateway({ env });
  shop.fakes.inventory.on('GET /internal/stock', () => ({
    body: { items: [stockItem('soup', 1_000), ...stock] },
  }));
});
beforeEach(() => {
  shop.fakes.orders.seen.length = 0;
  shop.fakes.orders.on('POST /internal/orders/batch', ({ body }) => ({
    body: { answers: (body as Batch).orders.map(answerFor) },
  }));
  shop.fakes.orders.on('POST /internal/orders/keys', ({ body }) => ({
    body: { answers: (body as { keys: Use[] }).keys.map(() => null) },
  }));
});
afterAll(() => shop[Symbol.asyncDispose]());

type Latency = Record<'count' | 'averageMs' | 'p50Ms' | 'p99Ms', number>;
type Use = { studentId: string; key: string; fingerprint: string };
type Batch = { orders: (Use & { lines: object[] })[] };
const answerFor = ({ studentId, key }: Use) => ({
  status: 201,
  body: JSON.stringify({ studentId, key }),
});
const lines = (itemId = 'soup', quantity = 1) => ({ lines: [{ itemId, quantity }] });

async function place(sub: string, key: string | undefined, body: unknown = lines()) {
  const headers = { ...(await shop.as({ sub })), ...(key ? { 'idempotency-key': key } : {}) };
  return shop.send('POST', '/api/v1/orders', body, headers);
}
const codeOf = async (answer: Response) => ((await answer.json()) as { code: string }).code;

test('hundreds of students at once: each gets the answer to his own order', async () => {
  const students = Array.from({ length: 300 }, (_, index) => `s${index}`);
  const answers = await Promise.all(students.map((sub) => place(sub, `key of ${sub}`)));
  for (const [index, answer] of answers.entries()) {
    const studentId = `s${index}`;
    expect(answer.status).toBe(201);
    expect(await answer.json()).toEqual({ studentId, key: `key of ${studentId}` });
  }
  const batches = shop.fakes.orders.seen.filter(({ path }) => path === '/internal/orders/batch');
  expect(batches.length).toBeLessThan(150);
});

test('an order needs a key, a student, and lines that make sense', async () => {
  expect((await place('s1', undefined)).status).toBe(400);
  expect((await place('s1', 'é')).status).toBe(400);
  const bodies = [
    null,
    {},
    { lines: [] },
    lines('soup', 0),
    lines('soup', -1),
    lines('soup', 1.5),
    lines('soup', 51),
    lines("'; DROP TABLE orders; --"),
    { lines: [...lines().lines, ...lines().lines] },
    { ...lines(), totalCents: 1 },
    { lines: 'soup' },
  ];
  for (const body of bodies) {
    const answer = await place('s1', 'k', body);
    expect([answer.status, await codeOf(answer)]).toEqual([400, 'bad_request']);
  }
  const kitchen = { ...(await shop.as({ role: 'kitchen' })), 'idempotency-key': 'k' };
  expect((await shop.send('POST', '/api/v1/orders', lines(), kitchen)).status).toBe(403);
  const placed = shop.fakes.orders.seen.filter(({ path }) => path.startsWith('/internal/orders'));
  expect(placed).toEqual([]);
});

test('beyond the burst a student is told when to come again; others are not held up', async () => {
  const answers = await Promise.all(Array.from({ length: 14 }, (_, i) => place('fast', `k${i}`)));
  const statuses = answers.map(({ status }) => status).sort();
  expect(statuses.filter((status) => status === 201).length).toBeGreaterThanOrEqual(10);
  expect(statuses).toContain(429);
  const refused = answers.find(({ status }) => status === 429);
  expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  expect((await place('calm', 'k')).status).toBe(201);
});

test('sold out is told from the view, and orders hears only of the key', async () => {
  stock = [stockItem('cake', 0, 2)];
  const order = (sub: string = randomUUID()) => place(sub, 'k', lines('cake'));
  await until(async () => (await order()).status === 422, { what: 'the view to be read anew' });
  shop.fakes.orders.seen.length = 0;
  const answer = await order();
  expect(await answer.json()).toMatchObject({ code: 'sold_out', itemId: 'cake', left: 0 });
  expect(shop.fakes.orders.seen.map(({ path }) => path)).toEqual(['/internal/orders/keys']);

  stock = [stockItem('cake', 5, 3)];
  await until(async () => (await order()).status === 201, { what: 'the restock' });
});

test('what is broadcast counts at once', async () => {
  await using slow = await startGateway({ env: { RUSHLIGHT_GATEWAY_RESYNC_S: '30' } });
  slow.fakes.orders.on('GET /api/v1/orders', () => ({ body: { items: [] } }));
  const token = await slow.as({ sub: 'leaver', jti: 'leaving' });
  expect((await slow.get('/api/v1/orders', token)).status).toBe(200);
  const bus = await openPostgresBus({
    url: slow.gateway.busUrl,
    name: 'test',
    env: realEnvironment,
    log: silentLog,
  });
  const events = [{ tokenId: 'leaving', expiresAtS: Math.floor(Date.now() / 1000) + 3_600 }];
  await bus.publish([{ id: randomUUID(), topic: 'token.revoked', atMs: Date.now(), events }]);
  await until(async () => (await slow.get('/api/v1/orders', token)).status === 401, {
    what: 'the token to end',
  });
  slow.fakes.orders.on('POST /internal/orders/keys', () => ({ body: { answers: [null] } }));
  const items = [stockItem('soup', 0, 9)];
  slow.fakes.inventory.on('GET /internal/stock', () => ({ body: { items } }));
  const stockEvents = [{ itemId: 'soup', available: 0, stockVersion: 9 }];
  await bus.publish([
    { id: randomUUID(), topic: 'stock.changed', atMs: Date.now(), events: stockEvents },
  ]);
  const headers = { ...(await slow.as({ sub: 's1' })), 'idempotency-key': 'k' };
  await until(
    async () => (await slow.send('POST', '/api/v1/orders', lines(), headers)).status === 422,
    { what: 'sold out' },
  );
  await bus.close();
});

test('a token whose revocation was never broadcast dies by the next reading', async () => {
  const token = await shop.as({ sub: 'leaver', jti: 'lost' });
  shop.fakes.orders.on('GET /api/v1/orders', () => ({ body: { items: [] } }));
  expect((await shop.get('/api/v1/orders', token)).status).toBe(200);
  const revocations = [{ tokenId: 'lost', expiresAtS: Math.floor(Date.now() / 1000) + 3_600 }];
  shop.fakes.identity.on('GET /internal/revocations', () => ({ body: { revocations } }));
  await until(async () => (await shop.get('/api/v1/orders', token)).status === 401, {
    what: 'the token to end',
  });
});

test('orders is down: nothing was done, Retry-After, and it works again by itself', async () => {
  await shop.fakes.orders.close();
  const answer = await place('s1', 'k');
  expect(answer.status).toBe(503);
  expect(answer.headers.get('retry-after')).toBe('1');
  expect(await codeOf(answer)).toBe('busy');
  await shop.fakes.orders.reopen();
  await until(async () => (await place(randomUUID(), 'k')).status === 201, {
    what: 'orders to be placed again',
    deadlineMs: 15_000,
  });
});

test('orders is silent: the outcome is unknown after its deadline, and nobody hangs', async () => {
  shop.fakes.orders.on('POST /internal/orders/batch', () => new Promise(() => undefined));
  const startedMs = performance.now();
  const answers = await Promise.all(['s1', 's2', 's3'].map((sub) => place(sub, 'k')));
  for (const answer of answers) {
    expect([answer.status, await codeOf(answer)]).toEqual([503, 'outcome_unknown']);
  }
  expect(performance.now() - startedMs).toBeLessThan(15_000);
});

test('orders talks nonsense: the outcome is unknown', async () => {
  for (const body of ['nonsense', '{"answers":[]}', '[]', '{"answers":[{"status":201}]}']) {
    shop.fakes.orders.on('POST /internal/orders/batch', () => ({ body }));
    const answer = await place(randomUUID(), 'k');
    expect([answer.status, await codeOf(answer)], body).toEqual([503, 'outcome_unknown']);
  }
});

test('latency and throughput are those of the orders just placed', async () => {
  const admin = await shop.as({ role: 'admin' });
  const read = async () => {
    const latency = (await (await shop.get('/api/v1/admin/latency', admin)).json()) as Latency;
    const answer = await shop.get('/api/v1/admin/throughput', admin);
    const { seconds } = (await answer.json()) as { seconds: Record<string, number>[] };
    const sum = (name: string) => seconds.reduce((total, one) => total + (one[name] ?? 0), 0);
    return { latency, accepted: sum('accepted'), refused: sum('refused') };
  };
  const before = await read();
  for (let i = 0; i < 5; i++) expect((await place(randomUUID(), 'k')).status).toBe(201);
  await place('s1', undefined);
  const after = await read();
  expect(after.accepted - before.accepted).toBe(5);
  expect(after.refused - before.refused).toBe(1);
  // The window may still hold what other tests kept waiting.
  const breached = after.latency.averageMs > 1_000;
  expect(after.latency).toMatchObject({ windowS: 30, breached });
  expect(after.latency.count).toBeGreaterThanOrEqual(6);
  expect(after.latency.p99Ms).toBeGreaterThanOrEqual(after.latency.p50Ms);
});

test('under overload reads are refused first, checkouts last, and /ping never', async () => {
  await using small = await startGateway({ env: { RUSHLIGHT_GATEWAY_IN_FLIGHT_MAX: '10' } });
  const held: (() => void)[] = [];
  small.fakes.orders.on('GET /api/v1/orders', async () => {
    await new Promise<void>((done) => held.push(done));
    return { body: { items: [] } };
  });
  small.fakes.orders.on('POST /internal/orders/batch', ({ body }) => ({
    body: { answers: (body as Batch).orders.map(answerFor) },
  }));
  const headers = await small.as();
  const waiting = Array.from({ length: 8 }, () => small.get('/api/v1/orders', headers));
  await until(() => held.length === 8, { what: 'eight reads to be in flight' });
  const read = await small.get('/api/v1/orders', headers);
  expect([read.status, await codeOf(read)]).toEqual([503, 'busy']);
  expect(read.headers.get('retry-after')).toBe('1');
  const order = { ...headers, 'idempotency-key': 'k' };
  expect((await small.send('POST', '/api/v1/orders', lines(), order)).status).toBe(201);
  expect((await small.get('/ping')).status).toBe(200);
  for (const done of held) done();
  expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual(Array(8).fill(200));
});
