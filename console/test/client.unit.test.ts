import { problem, publicApi } from '@rushlight/contracts';
import { expect, test } from 'vitest';
import { CallError } from '../src/api/call-error.ts';
import { type ClientWorld, createClient } from '../src/api/client.ts';
import { localServer } from './local-server.ts';

function clientOf(baseUrl: string, more: Partial<ClientWorld> = {}) {
  return createClient({ baseUrl, fetch, token: () => 'secret', ...more });
}

/** What a call threw. */
async function failure(call: Promise<unknown>): Promise<CallError> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof CallError) return error;
  throw new Error(`expected a CallError, got ${String(error)}`);
}

test('a call is made of its route: method, path, query, headers, body', async () => {
  let body = '';
  await using server = await localServer((request, reply) => {
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => reply.writeHead(202).end('{"orderId":"o1"}'));
  });
  const call = clientOf(server.url);
  const lines = [{ itemId: 'lassi', quantity: 2 }];
  const headers = { 'idempotency-key': 'k-1' };
  const reply = await call(publicApi.placeOrder, { headers, body: { lines } });
  expect(reply).toEqual({ status: 202, body: { orderId: 'o1' } });
  const [request] = server.requests;
  expect([request?.method, request?.url]).toEqual(['POST', '/api/v1/orders']);
  expect(request?.headers).toMatchObject({
    'idempotency-key': 'k-1',
    authorization: 'Bearer secret',
    'content-type': 'application/json',
  });
  expect(JSON.parse(body)).toEqual({ lines });
});

test('parameters are percent-encoded', async () => {
  await using server = await localServer((_, reply) => reply.writeHead(204).end());
  await clientOf(server.url)(publicApi.dropDeadLetter, { params: { id: 'a/b?c' } });
  expect(server.requests[0]?.url).toBe('/api/v1/admin/dead-letters/a%2Fb%3Fc');
});

test('a problem document is shown by its own sentence and judged by its code', async () => {
  await using server = await localServer((_, reply) => {
    const headers = { 'content-type': 'application/problem+json', 'retry-after': '3' };
    reply.writeHead(503, headers).end(JSON.stringify(problem('busy', { waitS: 3 })));
  });
  const reached: boolean[] = [];
  const call = clientOf(server.url, { onAnswer: (answered) => reached.push(answered) });
  const error = await failure(call(publicApi.menu));
  expect(error).toMatchObject({ kind: 'problem', code: 'busy', retryable: true, retryAfterS: 3 });
  expect(error.message).toContain('Try again in 3 s');
  expect(reached).toEqual([true]);
});

test.each(['<html>Bad gateway</html>', '', '[]', '"no"'])(
  'an answer that is not ours is no crash: %s',
  async (text) => {
    await using server = await localServer((_, reply) => reply.writeHead(502).end(text));
    const error = await failure(clientOf(server.url)(publicApi.menu));
    expect(error).toMatchObject({ kind: 'garbled', status: 502, retryable: true });
  },
);

test('no answer, a cut answer and a slow answer are all "unreachable"', async () => {
  await using server = await localServer((request, reply) => {
    if (request.url === '/api/v1/menu') request.socket.destroy();
    if (request.url === '/api/v1/wallet') {
      reply.writeHead(200, { 'content-length': '100' });
      reply.write('{"balance', () => request.socket.destroy());
    }
  });
  const call = clientOf(server.url);
  expect((await failure(call(publicApi.menu))).kind).toBe('unreachable');
  expect((await failure(call(publicApi.wallet))).kind).toBe('unreachable');
  const slow = call(publicApi.tickets, {}, { timeoutMs: 30 });
  expect(await failure(slow)).toMatchObject({ kind: 'unreachable', retryable: true });
});

test('a dead token is told once, a wrong password is not a dead token', async () => {
  await using server = await localServer((request, reply) => {
    const code = request.url === '/api/v1/login' ? 'wrong_credentials' : 'unauthorized';
    reply.writeHead(401).end(JSON.stringify(problem(code, { why: 'The token has expired' })));
  });
  const dead: string[] = [];
  const call = clientOf(server.url, { onUnauthorized: (token) => dead.push(token) });
  await failure(call(publicApi.login, { body: { studentId: 'a', password: 'b' } }));
  expect(dead).toEqual([]);
  await failure(call(publicApi.wallet));
  expect(dead).toEqual(['secret']);
});
