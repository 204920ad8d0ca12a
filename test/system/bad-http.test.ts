// What is hardly HTTP any more, and routes that do not exist. The server says what is wrong, closes
// where it must, and never waits for ever.

import { publicApi } from '@rushlight/contracts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { routeNames, routeOf } from '../src/examples.ts';
import { codeOf, faultOfProblem } from '../src/http.ts';
import { type Shop, startShop } from '../src/platform.ts';
import { type Exchange, exchange, toAnswer } from '../src/raw-socket.ts';

let shop: Shop;
/** They take their time, so they run beside everything else. */
let slow: { head: Promise<Exchange>; body: Promise<Exchange> };

const slowDeadlineMs = 30_000;

beforeAll(async () => {
  shop = await startShop();
  const { url } = shop.api;
  const drip = { text: 'x', everyMs: 500 };
  const options = { drip, deadlineMs: slowDeadlineMs };
  slow = {
    head: exchange(url, 'GET /api/v1/menu HTTP/1.1\r\nHost: x\r\nX-Slow: ', options),
    body: exchange(url, `${postHead('/api/v1/login')}Content-Length: 5000\r\n\r\n{"a":"`, options),
  };
});
afterAll(() => shop?.stop());

const postHead = (path: string): string =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n`;

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;

async function lastProblem(bytes: string | Uint8Array, answersMax = 1): Promise<string> {
  const { answers } = await exchange(shop.api.url, bytes, { answersMax });
  const last = answers.at(-1);
  if (last === undefined) return '(closed)';
  const answer = toAnswer(last);
  expect(faultOfProblem(answer, JSON.stringify(String(bytes).slice(0, 80)))).toBeUndefined();
  return codeOf(answer);
}

test.each([
  ['not HTTP at all', 'HELLO\r\n\r\n'],
  ['TLS to a plain port', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'],
  ['a method that is none', `GRAB /api/v1/menu HTTP/1.1\r\nHost: x\r\n\r\n`],
  ['a version that is none', 'GET /api/v1/menu HTTP/9.9\r\nHost: x\r\n\r\n'],
  ['a space in the path', 'GET /api/v1/me nu HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['two lengths', `${postHead('/api/v1/login')}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`],
  [
    'a length and chunks (request smuggling)',
    `${postHead('/api/v1/login')}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  ],
  ['a negative length', `${postHead('/api/v1/login')}Content-Length: -1\r\n\r\n{}`],
  [
    'a broken chunk',
    `${postHead('/api/v1/login')}Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n`,
  ],
  ['a NUL in a header', 'GET /api/v1/menu HTTP/1.1\r\nHost: x\r\nX-A: a\0b\r\n\r\n'],
  ['a header without a name', 'GET /api/v1/menu HTTP/1.1\r\nHost: x\r\n: a\r\n\r\n'],
  ['no host', 'GET /api/v1/menu HTTP/1.1\r\n\r\n'],
])('%s is refused', async (_, bytes) => {
  expect(['bad_request', '(closed)']).toContain(await lastProblem(bytes));
});

test('control characters in an Idempotency-Key are refused', async () => {
  const token = await shop.login('student1');
  for (const key of ['a\x01b', 'a\x7fb', '\x1b[31m']) {
    const head = `${postHead('/api/v1/orders')}Authorization: Bearer ${token}\r\n`;
    const bytes = `${head}Idempotency-Key: ${key}\r\nContent-Length: 2\r\n\r\n{}`;
    expect(['bad_request', '(closed)']).toContain(await lastProblem(bytes));
  }
});

test('headers that are too large are refused', async () => {
  const bytes = `GET /api/v1/menu HTTP/1.1\r\nHost: x\r\nX-A: ${'a'.repeat(40_000)}\r\n\r\n`;
  expect(await lastProblem(bytes)).toBe('headers_too_large');
});

test('a body that says it is too large is refused before it is sent', async () => {
  const bytes = `${postHead('/api/v1/login')}Content-Length: 10000000\r\n\r\n{`;
  expect(await lastProblem(bytes)).toBe('body_too_large');
});

test('a body in chunks that grows too large is refused', async () => {
  const chunk = `2000\r\n${'x'.repeat(0x2000)}\r\n`;
  const bytes = `${postHead('/api/v1/login')}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(12)}`;
  expect(await lastProblem(bytes)).toBe('body_too_large');
});

test('garbage behind a good request is never taken for the answer to it', async () => {
  const { answers, closed } = await exchange(shop.api.url, `${get('/api/v1/menu')}GARBAGE\r\n\r\n`);
  expect(closed).toBe(true);
  expect([[], [200], [200, 400]]).toContainEqual(answers.map(({ status }) => status));
});

test('requests in a pipeline are answered in order', async () => {
  const bytes = get('/api/v1/menu') + get('/api/v1/no-such-route') + get('/api/v1/menu');
  const { answers } = await exchange(shop.api.url, bytes, { answersMax: 3 });
  expect(answers.map(({ status }) => status)).toEqual([200, 404, 200]);
});

test.each([
  '/api/v1/no-such-route',
  '/api/v2/orders',
  '/api/v1',
  '/api/v1/orders/a/b/c/d',
  '/API/V1/ORDERS',
  '//api/v1/orders',
  '/api/v1/%2e%2e/admin/items',
  '/api/v1/orders%2f',
  '/api/v1/lab/nothing',
  '/api/v1/admin/nothing',
])('no route %s: 404', async (path) => {
  const answer = await shop.api.send('GET', path, { token: await shop.admin() });
  expect(faultOfProblem(answer, path)).toBeUndefined();
  expect(answer.status).toBe(404);
});

const paths = [...new Set(routeNames.map((name) => routeOf(name).path))];
const allMethods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

test.each(paths)('%s takes its own methods only', async (path) => {
  const own = routeNames.map(routeOf).filter((route) => route.path === path);
  const methods = own.map(({ method }) => method as string);
  const address = path.replace(/:\w+/g, 'x');
  for (const method of allMethods.filter((one) => !methods.includes(one))) {
    const answer = await shop.api.send(method, address);
    expect(faultOfProblem(answer, `${method} ${path}`)).toBeUndefined();
    expect(answer.status, `${method} ${path}`).toBe(405);
    expect(String(answer.headers['allow']).split(/, */).sort()).toEqual(methods.toSorted());
  }
  const head = await shop.api.send('HEAD', address);
  expect([401, 404, 405], `HEAD ${path}`).toContain(head.status);
  const options = await shop.api.send('OPTIONS', address);
  expect(faultOfProblem(options, `OPTIONS ${path}`)).toBeUndefined();
});

test('a body with a GET changes nothing', async () => {
  const answer = await shop.api.send('GET', publicApi.menu.path, {
    headers: { 'content-type': 'application/json' },
    body: '{"q":"x"}',
  });
  expect([200, 400]).toContain(answer.status);
});

test('whoever sends a byte now and then is cut off, not waited for', async () => {
  for (const { answers, closed, tookMs } of [await slow.head, await slow.body]) {
    expect(closed).toBe(true);
    expect(tookMs).toBeLessThan(slowDeadlineMs);
    expect(answers.map((answer) => codeOf(toAnswer(answer)))).toEqual(['request_timeout']);
  }
}, 60_000);

test('the shop still works', async () => {
  const { status } = await shop.api.call(publicApi.menu, { query: {} });
  expect(status).toBe(200);
  await shop.audit();
});
