import type { ServerResponse } from 'node:http';
import { until } from '@rushlight/chassis/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startGateway, type TestGateway } from './start.ts';

let shop: TestGateway;
let open: ServerResponse[];
beforeAll(async () => {
  shop = await startGateway();
});
beforeEach(() => {
  open = [];
  shop.fakes.notifications.seen.length = 0;
  shop.fakes.notifications.on('GET /api/v1/me/events', (_, reply) => {
    reply.writeHead(200, { 'content-type': 'text/event-stream' });
    reply.write(': hello\n\n');
    open.push(reply);
    return undefined;
  });
});
afterAll(() => shop[Symbol.asyncDispose]());

type Stream = {
  answer: Response;
  read(): Promise<string | undefined>;
  leave(): Promise<void>;
};

async function listen(headers: Record<string, string> = {}): Promise<Stream> {
  const answer = await shop.get('/api/v1/me/events', { ...(await shop.as()), ...headers });
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  return {
    answer,
    read: async () => (await reader?.read())?.value,
    leave: async () => reader?.cancel(),
  };
}

test('events come through as they are sent, with Last-Event-ID handed on', async () => {
  const stream = await listen({ 'last-event-id': '41' });
  expect(stream.answer.headers.get('content-type')).toContain('text/event-stream');
  expect(stream.answer.headers.get('cache-control')).toBe('no-store');
  expect(await stream.read()).toBe(': hello\n\n');
  for (const id of [42, 43]) {
    open[0]?.write(`id: ${id}\ndata: {}\n\n`);
    expect(await stream.read()).toBe(`id: ${id}\ndata: {}\n\n`);
  }
  const seen = shop.fakes.notifications.seen.find(({ path }) => path === '/api/v1/me/events');
  expect(seen?.headers['last-event-id']).toBe('41');
  expect(seen?.headers['rushlight-student']).toBe('student1');
  await stream.leave();
});

test('when the client goes its stream upstream is closed', async () => {
  const stream = await listen();
  await stream.read();
  await stream.leave();
  await until(() => open[0]?.destroyed === true, { what: 'the stream upstream to be closed' });
});

test('when notifications dies the stream ends, and the next try is told so', async () => {
  const stream = await listen();
  await stream.read();
  await shop.fakes.notifications.close();
  expect(await stream.read()).toBeUndefined();
  const answer = await shop.get('/api/v1/me/events', await shop.as());
  expect(answer.status).toBe(503);
  expect(await answer.json()).toMatchObject({ code: 'unavailable', part: 'notifications' });
  await shop.fakes.notifications.reopen();
  const again = await listen();
  expect(await again.read()).toBe(': hello\n\n');
  await again.leave();
});

test('a refusal of notifications is an answer, not a stream', async () => {
  const body = '{"code":"order_not_found","status":404}';
  const orderId = '0199f0a0-0000-7000-8000-000000000001';
  shop.fakes.notifications.on(`GET /api/v1/orders/${orderId}/events`, () => ({
    status: 404,
    body,
  }));
  const answer = await shop.get(`/api/v1/orders/${orderId}/events`, await shop.as());
  expect(answer.status).toBe(404);
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  expect(await answer.text()).toBe(body);
});

test('on SIGTERM streams end at once and the process with them', async () => {
  const stream = await listen();
  await stream.read();
  const stopped = shop.gateway.stop();
  expect(await stream.read()).toBeUndefined();
  expect(await stopped).toBe(0);
  await shop.gateway.start();
});

test('one student has a bounded number of streams; streams take no room from requests', async () => {
  await using small = await startGateway({ env: { RUSHLIGHT_GATEWAY_IN_FLIGHT_MAX: '2' } });
  small.fakes.notifications.on('GET /api/v1/me/events', (_, reply) => {
    reply.writeHead(200, { 'content-type': 'text/event-stream' });
    reply.write(': hello\n\n');
    return undefined;
  });
  // Kept, because a fetched body that nobody holds any more is cancelled.
  const kept: Response[] = [];
  const listenTo = async (sub: string): Promise<number> => {
    const answer = await small.get('/api/v1/me/events', await small.as({ sub }));
    kept.push(answer);
    return answer.status;
  };
  for (let i = 0; i < 20; i++) expect(await listenTo('eager')).toBe(200);
  expect(await listenTo('eager')).toBe(429);
  expect(await listenTo('calm')).toBe(200);
  small.fakes.orders.on('GET /api/v1/orders', () => ({ body: { items: [] } }));
  expect((await small.get('/api/v1/orders', await small.as())).status).toBe(200);
  await Promise.all(kept.map((answer) => answer.body?.cancel()));
});

test('a slow reader slows its own stream down, and nothing is lost', async () => {
  const stream = await listen();
  await stream.read();
  const block = `data: ${'x'.repeat(65_530)}\n\n`;
  const upstream = open[0];
  if (!upstream) throw new Error('no stream');
  let sent = 0;
  let flowing = true;
  while (flowing && sent < 2_000) {
    flowing = upstream.write(block);
    sent++;
    if (!flowing) {
      flowing = await Promise.race([
        new Promise<boolean>((done) => upstream.once('drain', () => done(true))),
        new Promise<boolean>((done) => setTimeout(() => done(false), 500)),
      ]);
    }
  }
  expect(sent, 'the writer had to stop').toBeLessThan(2_000);
  let read = 0;
  while (read < sent * block.length) read += (await stream.read())?.length ?? Number.NaN;
  expect(read).toBe(sent * block.length);
  await stream.leave();
});
