import { createServer } from 'node:net';
import { until } from '@rushlight/chassis/testing';
import { type Problem, publicApi, type Route } from '@rushlight/contracts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startGateway, type TestGateway } from './start.ts';

let shop: TestGateway;
beforeAll(async () => {
  shop = await startGateway();
});
afterAll(() => shop[Symbol.asyncDispose]());

const orderId = '0199f0a0-0000-7000-8000-000000000001';
const problemOf = async (answer: Response): Promise<Problem> => (await answer.json()) as Problem;

test('a login goes to identity with the address of the client', async () => {
  const { identity } = shop.fakes;
  identity.on('POST /api/v1/login', () => ({
    body: { token: 't', role: 'student', expiresInS: 9 },
  }));
  const answer = await shop.send(
    'POST',
    '/api/v1/login',
    { studentId: 'a', password: 'secret' },
    { 'x-forwarded-for': '6.6.6.6', 'rushlight-client-address': '7.7.7.7' },
  );
  expect(answer.status).toBe(200);
  expect(await answer.json()).toEqual({ token: 't', role: 'student', expiresInS: 9 });
  const seen = identity.seen.find(({ path }) => path === '/api/v1/login');
  expect(seen?.headers['rushlight-client-address']).toBe('127.0.0.1');
  expect(seen?.body).toEqual({ studentId: 'a', password: 'secret' });
});

test('the user travels in headers, and nobody can send them himself', async () => {
  const { orders } = shop.fakes;
  orders.on('GET /api/v1/orders', () => ({ body: { items: [] } }));
  const forged = { 'rushlight-student': 'victim', 'rushlight-role': 'admin' };
  const headers = { ...(await shop.as({ sub: 'student3', jti: 'j3' })), ...forged };
  const answer = await shop.get('/api/v1/orders?limit=7', headers);
  expect(await answer.json()).toEqual({ items: [] });
  const seen = orders.seen.at(-1);
  expect(seen?.path).toBe('/api/v1/orders?limit=7');
  expect(seen?.headers).toMatchObject({
    'rushlight-student': 'student3',
    'rushlight-role': 'student',
  });
  expect(seen?.headers['rushlight-token']).toMatch(/^j3 /);
  expect(seen?.headers.authorization).not.toContain(headers.authorization);
});

test('an error of the owner comes back as it was given', async () => {
  const body = '{"code":"too_late","status":409, "detail":"x"}';
  shop.fakes.orders.on(`DELETE /api/v1/orders/${orderId}`, () => ({ status: 409, body }));
  const answer = await shop.send('DELETE', `/api/v1/orders/${orderId}`, undefined, await shop.as());
  expect(answer.status).toBe(409);
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  expect(await answer.text()).toBe(body);
});

test('Retry-After and the Idempotency-Key pass', async () => {
  shop.fakes.payments.on('POST /api/v1/wallet/top-up', ({ headers }) => ({
    status: 503,
    headers: { 'retry-after': '7' },
    body: { code: 'busy', key: headers['idempotency-key'] },
  }));
  const answer = await shop.send(
    'POST',
    '/api/v1/wallet/top-up',
    { studentId: 'a', amountCents: 5 },
    { ...(await shop.as({ role: 'admin' })), 'idempotency-key': 'key 1' },
  );
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '7']);
  expect(await answer.json()).toEqual({ code: 'busy', key: 'key 1' });
});

test('an empty answer stays empty', async () => {
  shop.fakes.identity.on('POST /api/v1/logout', () => ({ status: 204 }));
  const answer = await shop.send('POST', '/api/v1/logout', undefined, await shop.as());
  expect([answer.status, await answer.text()]).toEqual([204, '']);
});

describe('an owner that cannot be asked', () => {
  test.each([
    ['text', { headers: { 'content-type': 'text/plain' }, body: 'hello' }],
    ['broken JSON', { body: '{"items":' }],
    ['a page of a proxy', { status: 502, headers: { 'content-type': 'text/html' }, body: '<h1>' }],
    ['a status of its own', { status: 218, body: {} }],
    ['that we may not come in', { status: 401, body: '{"code":"unauthorized"}' }],
  ])('answers %s: 503, nothing was done for a read', async (_, answer) => {
    shop.fakes.kitchen.on('GET /api/v1/kitchen/tickets', () => answer);
    const got = await shop.get('/api/v1/kitchen/tickets', await shop.as({ role: 'kitchen' }));
    expect(got.status).toBe(503);
    expect(got.headers.get('retry-after')).toBe('1');
    expect(await problemOf(got)).toMatchObject({ code: 'unavailable', part: 'kitchen' });
  });

  test('breaks off in the middle of a change: the outcome is unknown', async () => {
    shop.fakes.kitchen.on(`POST /api/v1/kitchen/tickets/${orderId}/ready`, (_, reply) => {
      reply.socket?.destroy();
      return undefined;
    });
    const got = await shop.send(
      'POST',
      `/api/v1/kitchen/tickets/${orderId}/ready`,
      undefined,
      await shop.as({ role: 'kitchen' }),
    );
    expect(got.status).toBe(503);
    expect(await problemOf(got)).toMatchObject({ code: 'outcome_unknown' });
  });

  test('does not run: 503, nothing was done, also for a change', async () => {
    await shop.fakes.payments.close();
    const got = await shop.send(
      'POST',
      '/api/v1/wallet/top-up',
      { studentId: 'a', amountCents: 5 },
      { ...(await shop.as({ role: 'admin' })), 'idempotency-key': 'k' },
    );
    expect(got.status).toBe(503);
    expect(await problemOf(got)).toMatchObject({ code: 'unavailable', part: 'payments' });
    await shop.fakes.payments.reopen();
  });
});

describe('the menu', () => {
  test('is inventory’s, and is asked for once by a crowd', async () => {
    let asked = 0;
    shop.fakes.inventory.on('GET /api/v1/menu', () => {
      asked++;
      return { body: [{ itemId: 'soup' }] };
    });
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => shop.get('/api/v1/menu?q=so')),
    );
    for (const answer of answers) expect(await answer.json()).toEqual([{ itemId: 'soup' }]);
    expect(asked).toBe(1);
  });

  test('comes from the stock view while inventory is away', async () => {
    const { inventory } = shop.fakes;
    inventory.on('GET /api/v1/menu', () => ({ status: 500, body: 'broken' }));
    const ask = () => shop.get('/api/v1/menu?category=mains');
    await until(async () => (await ask()).status === 200, { what: 'the view', deadlineMs: 15_000 });
    await inventory.close();
    const answer = await ask();
    const menu = (await answer.json()) as { itemId: string; available: number }[];
    expect(menu.map(({ itemId }) => itemId).sort()).toEqual(['rice', 'soup']);
    await shop.fakes.inventory.reopen();
  });
});

describe('what is not let in', () => {
  test('the order of checks is 401, 403, 400', async () => {
    const bad = { nonsense: true };
    expect((await shop.send('POST', '/api/v1/admin/items', bad)).status).toBe(401);
    expect((await shop.send('POST', '/api/v1/admin/items', bad, await shop.as())).status).toBe(403);
    const admin = await shop.as({ role: 'admin' });
    expect((await shop.send('POST', '/api/v1/admin/items', bad, admin)).status).toBe(400);
  });

  test('each route is for its roles only', async () => {
    const guarded = Object.values<Route>(publicApi).filter(({ who }) => typeof who !== 'string');
    expect(guarded.length).toBeGreaterThan(20);
    for (const route of guarded) {
      const path = route.path.replace(':orderId', orderId).replace(/:\w+/, 'x');
      const nobody = await shop.send(route.method, path);
      expect(nobody.status, `${route.method} ${path} without a token`).toBe(401);
      for (const role of ['student', 'kitchen', 'admin'] as const) {
        if (route.who.includes(role as never) || typeof route.who === 'string') continue;
        const got = await shop.send(route.method, path, undefined, await shop.as({ role }));
        expect(got.status, `${route.method} ${path} as ${role}`).toBe(403);
        expect(await problemOf(got)).toMatchObject({ code: 'forbidden', role });
      }
    }
  });

  test('unknown routes and methods are told', async () => {
    const nowhere = await shop.get('/api/v1/nowhere');
    expect([nowhere.status, (await problemOf(nowhere)).code]).toEqual([404, 'route_not_found']);
    const put = await shop.send('PUT', '/api/v1/menu');
    expect([put.status, (await problemOf(put)).code]).toEqual([405, 'method_not_allowed']);
    expect(put.headers.get('allow')).toBe('GET');
  });

  test('internal routes of the owners are not reachable', async () => {
    for (const path of ['/internal/audit', '/internal/stock', '/.well-known/jwks.json']) {
      const got = await shop.get(path, await shop.as({ role: 'admin' }));
      expect(got.status, path).toBe(404);
    }
  });
});

test('a client that goes away in the middle of its request frees its place', async () => {
  await using small = await startGateway({ env: { RUSHLIGHT_GATEWAY_IN_FLIGHT_MAX: '4' } });
  const { authorization } = await small.as();
  const port = Number(new URL(small.gateway.url).port);
  for (let i = 0; i < 12; i++) {
    const { connect } = await import('node:net');
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(
      `POST /api/v1/orders HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\n` +
        'idempotency-key: k\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{',
    );
    await until(() => socket.bytesWritten > 0, { what: 'bytes to be sent' });
    await until(async () => (await small.get('/ping')).ok, { what: 'the gateway to look' });
    socket.destroy();
  }
  small.fakes.orders.on('GET /api/v1/orders', () => ({ body: { items: [] } }));
  await until(async () => (await small.get('/api/v1/orders', { authorization })).status === 200, {
    what: 'room for the next request',
  });
});

test('a service that is there but silent is given up in time', async () => {
  const silent = createServer(() => undefined);
  await new Promise<void>((done) => silent.listen(0, '127.0.0.1', done));
  shop.fakes.identity.on('POST /api/v1/register', () => new Promise(() => undefined));
  const startedMs = performance.now();
  const body = { studentId: 'a', password: 'long enough', name: 'A' };
  const got = await shop.send('POST', '/api/v1/register', body);
  expect(await problemOf(got)).toMatchObject({ code: 'outcome_unknown', status: 503 });
  expect(performance.now() - startedMs).toBeLessThan(12_000);
  silent.close();
});
