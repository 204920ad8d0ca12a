import { monitorApiAtGateway, type Problem, type Route } from '@rushlight/contracts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Fake, startFake } from './neighbours.ts';
import { startGateway, type TestGateway } from './start.ts';

let monitor: Fake;
let shop: TestGateway;
let admin: { authorization: string };

beforeAll(async () => {
  monitor = await startFake();
  shop = await startGateway({ monitorUrl: monitor.url });
  admin = await shop.as({ sub: 'admin', role: 'admin' });
});
afterAll(async () => {
  await shop?.[Symbol.asyncDispose]();
  await monitor?.close();
});

const routes = Object.entries<Route>(monitorApiAtGateway);
const codeOf = async (answer: Response): Promise<string> =>
  `${answer.status} ${((await answer.json()) as Problem).code}`;

test('a question goes to the monitor with the admin behind it, and its answer comes back', async () => {
  monitor.on('GET /api/logs', () => ({ body: { lines: [] } }));
  const answer = await shop.get('/api/monitor/logs?service=orders&level=warn', admin);
  expect(`${answer.status} ${await answer.text()}`).toBe('200 {"lines":[]}');
  const seen = monitor.seen.find(({ path }) => path.startsWith('/api/logs'));
  expect(seen?.path).toBe('/api/logs?service=orders&level=warn&limit=200');
  expect(seen?.headers).toMatchObject({
    'rushlight-student': 'admin',
    'rushlight-role': 'admin',
  });
});

test('a statement of SQL and its refusal travel as they are', async () => {
  const problem = { type: 'x', title: 'x', status: 422, code: 'query_refused', detail: 'x' };
  monitor.on('POST /api/sql', () => ({ status: 422, body: problem }));
  const answer = await shop.send('POST', '/api/monitor/sql', { sql: 'DROP TABLE spans' }, admin);
  expect(await codeOf(answer)).toBe('422 query_refused');
  expect(monitor.seen.at(-1)?.body).toEqual({ sql: 'DROP TABLE spans' });
});

test('lines come through as they are sent', async () => {
  monitor.on('GET /api/logs/tail', (_, reply) => {
    reply.writeHead(200, { 'content-type': 'text/event-stream' });
    reply.end('event: log\ndata: {}\n\n');
    return undefined;
  });
  const answer = await shop.get('/api/monitor/logs/tail', admin);
  expect(answer.headers.get('content-type')).toContain('text/event-stream');
  expect(await answer.text()).toBe('event: log\ndata: {}\n\n');
});

test.each(routes)('%s is for admins only', async (_, route) => {
  const path = route.path.replace(':traceId', 'a'.repeat(32));
  const nobody = await shop.send(route.method, path);
  expect(await codeOf(nobody)).toBe('401 unauthorized');
  for (const role of ['student', 'kitchen']) {
    const answer = await shop.send(route.method, path, undefined, await shop.as({ role }));
    expect(await codeOf(answer)).toBe('403 forbidden');
  }
});

test('the API page has the routes of the monitor', async () => {
  const answer = await shop.get('/api/openapi.json');
  const { paths } = (await answer.json()) as { paths: Record<string, object> };
  for (const [, { path }] of routes) {
    expect(Object.keys(paths)).toContain(path.replace(/:(\w+)/g, '{$1}'));
  }
});

test('the health grid has a monitor where there is one', async () => {
  monitor.on('GET /health', () => ({ body: { status: 'degraded', dependencies: {} } }));
  const answer = await shop.get('/api/v1/admin/services', admin);
  const states = (await answer.json()) as { name: string; state: string }[];
  expect(states.find(({ name }) => name === 'monitor')).toMatchObject({ state: 'degraded' });
});

test('a monitor that is away is told, and the shop goes on', async () => {
  await monitor.close();
  expect(await codeOf(await shop.get('/api/monitor/alerts', admin))).toBe('503 unavailable');
  expect((await shop.get('/health')).status).toBe(200);
  await monitor.reopen();
});
