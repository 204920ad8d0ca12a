import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { arrivalSchedule, closedLoop, createLoadClient, openLoop } from '../src/index.ts';

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

const get = { method: 'GET', path: '/' };
const ok = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

/** A server that does this with each piece of a request that comes. */
async function serve(onData: (socket: Socket, nth: number) => void): Promise<string> {
  let nth = 0;
  const server: Server = createServer((socket) => {
    socket.on('error', () => undefined).on('data', () => onData(socket, nth++));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function clientOf(url: string, connectionsMax = 2) {
  const client = createLoadClient({ url, connectionsMax });
  closers.push(() => client.close());
  return client;
}

async function tinyServer() {
  const child = fork(fileURLToPath(new URL('tiny-server.ts', import.meta.url)));
  closers.push(() => child.kill('SIGKILL'));
  const [port] = await once(child, 'message');
  return { child, url: `http://127.0.0.1:${port}` };
}

test('connections are kept, and there are no more of them than allowed', async () => {
  const url = await serve((socket) => socket.write(ok));
  const client = clientOf(url, 3);
  const asked = Array.from({ length: 50 }, () => client.request(get, 10_000));
  const outcomes = await Promise.all(asked);
  expect(outcomes).toHaveLength(50);
  for (const outcome of outcomes) {
    expect(outcome).toMatchObject({ kind: 'answered', status: 200, body: 'ok' });
  }
  expect(client.connections()).toBe(3);
});

test('a silent server: no answer, and it was sent; the next request has another line', async () => {
  const url = await serve((socket, nth) => nth > 0 && socket.write(ok));
  const client = clientOf(url, 1);
  const late = await client.request(get, 1_500);
  expect(late).toEqual({ kind: 'unanswered', why: 'no answer in time', sent: true });
  expect(await client.request(get, 10_000)).toMatchObject({ status: 200 });
});

test('a server that drops the line half-way through its answer: no answer', async () => {
  const url = await serve((socket) => socket.end(ok.slice(0, -1)));
  const outcome = await clientOf(url).request(get, 10_000);
  expect(outcome).toMatchObject({ kind: 'unanswered', sent: true });
});

test('nobody listens: no answer, and nothing was sent', async () => {
  const url = await serve(() => undefined);
  for (const close of closers.splice(0)) close();
  const outcome = await clientOf(url).request(get, 10_000);
  expect(outcome).toEqual({ kind: 'unanswered', why: 'ECONNREFUSED', sent: false });
});

test('who waits for a connection in vain was not sent', async () => {
  const arrived = Promise.withResolvers<void>();
  const client = clientOf(await serve(() => arrived.resolve()), 1);
  const first = client.request(get, 25_000);
  await arrived.promise;
  const second = await client.request(get, 50);
  expect(second).toMatchObject({ kind: 'unanswered', sent: false });
  client.close();
  expect(await first).toMatchObject({ kind: 'unanswered', sent: true });
});

test('a closed loop keeps all its connections busy', async () => {
  const { url } = await tinyServer();
  const client = clientOf(url, 4);
  const report = await closedLoop({
    client,
    connections: 4,
    durationMs: 60_000,
    requestsMax: 400,
    deadlineMs: 10_000,
    request: () => ({ method: 'POST', path: '/', body: '{}' }),
  });
  expect(report.count).toBe(400);
  expect(report.groups.get('201')?.count).toBe(400);
  expect(client.connections()).toBe(4);
});

test('F22: a server that stands still for two seconds shows in the p99', async () => {
  const { child, url } = await tinyServer();
  const client = clientOf(url, 400);
  await client.warmUp(8);
  const scheduleMs = arrivalSchedule({
    arrivals: 300,
    durationMs: 3_000,
    shape: 'uniform',
    seed: 1,
  });
  const report = await openLoop({
    client,
    scheduleMs,
    deadlineMs: 25_000,
    request: (index) => {
      if (index === 50) {
        child.kill('SIGSTOP');
        setTimeout(() => child.kill('SIGCONT'), 2_000);
      }
      return { method: 'POST', path: '/', body: '{}' };
    },
  });
  const latencies = report.groups.get('201');
  expect(latencies?.count).toBe(300);
  expect(latencies?.percentileMs(99)).toBeGreaterThanOrEqual(1_800);
});
