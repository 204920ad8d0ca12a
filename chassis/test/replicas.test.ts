import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inventoryApi, kitchenApi } from '@rushlight/contracts';
import { expect, onTestFinished, test } from 'vitest';
import { realEnvironment as env } from '../src/environment.ts';
import { createClient } from '../src/http/client.ts';
import { silentLog } from '../src/log.ts';
import { createMetrics } from '../src/metrics.ts';

type Neighbour = { url: string; calls: number; pings: number; server: Server };

/** A real server that answers every call with no items, unless told otherwise. */
async function startNeighbour(
  answer: (end: (headers?: Record<string, string>) => void) => void = (end) => end(),
): Promise<Neighbour> {
  const server = createServer((request, response) => {
    if (request.url === '/ping') neighbour.pings += 1;
    else neighbour.calls += 1;
    const end = (headers: Record<string, string> = {}): void => {
      response.writeHead(200, { 'content-type': 'application/json', ...headers });
      response.end('{"items":[],"answers":[]}');
    };
    if (request.url === '/ping') end();
    else answer(end);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const neighbour: Neighbour = { url: `http://127.0.0.1:${port}`, calls: 0, pings: 0, server };
  onTestFinished(() => stopNeighbour(neighbour));
  return neighbour;
}

function stopNeighbour({ server }: Neighbour): void {
  server.closeAllConnections();
  server.close();
}

function clientOf(...neighbours: readonly { url: string }[]) {
  const said: string[] = [];
  const say = (_: unknown, message: string): void => void said.push(message);
  const client = createClient({
    target: 'inventory',
    urls: neighbours.map(({ url }) => url),
    tokens: { sign: async () => 'token' },
    env,
    log: { ...silentLog, info: say, warn: say },
    metrics: createMetrics({ service: 'orders', instance: 'orders-1' }),
  });
  onTestFinished(() => client.close());
  const ask = (key?: string) => client.call(inventoryApi.stock, {}, { key, deadlineMs: 15_000 });
  const reserve = () => client.call(inventoryApi.reserve, { body: { orders: [] } });
  return { client, ask, reserve, said };
}

test('calls are shared by all replicas', async () => {
  const both = [await startNeighbour(), await startNeighbour()];
  const { ask, client } = clientOf(...both);
  expect(client.replicas).toBe(2);
  for (let calls = 0; calls < 200; calls++) await ask();
  for (const { calls } of both) expect(calls).toBeGreaterThan(40);
});

test('calls with the same key go to the same replica, and keys are shared out', async () => {
  const all = [await startNeighbour(), await startNeighbour(), await startNeighbour()];
  const { ask } = clientOf(...all);
  for (let key = 0; key < 60; key++) {
    const before = all.map(({ calls }) => calls);
    for (let calls = 0; calls < 3; calls++) await ask(`item-${key}`);
    const more = all.map(({ calls }, index) => calls - (before[index] ?? 0));
    expect(more.toSorted()).toEqual([0, 0, 3]);
  }
  for (const { calls } of all) expect(calls).toBeGreaterThan(15);
});

test('while a replica is gone every call is answered by another, also one with an effect', async () => {
  const [gone, stays] = [await startNeighbour(), await startNeighbour()];
  const { ask, reserve, said } = clientOf(gone, stays);
  stopNeighbour(gone);
  const endMs = env.monotonicMs() + 1_500; // Longer than it takes to probe it a few times.
  let calls = 0;
  for (; calls < 100 || env.monotonicMs() < endMs; calls += 2) {
    await ask(`item-${calls}`);
    await reserve();
  }
  expect(stays.calls).toBe(calls);
  expect(said).toEqual([expect.stringMatching(/^does not answer/)]);
});

test('what was cut off is sent again to another replica, if its contract says that this is harmless', async () => {
  const cuts = await startNeighbour(() => cuts.server.closeAllConnections());
  const answers = await startNeighbour();
  const { client, reserve } = clientOf(cuts, answers);
  while (cuts.calls === 0) await reserve();
  expect(answers.calls).toBeGreaterThan(0);
  const other = clientOf(cuts);
  const call = { body: { orderId: '01a200a9-8b21-7e6f-9f95-d9b6df9a6f00' } };
  const before = cuts.calls;
  await expect(other.client.call(kitchenApi.voidTicket, call)).rejects.toThrow(/did not answer/);
  expect(cuts.calls).toBe(before + 1);
  expect(client.replicas).toBe(2);
});

test('a replica that stands still gets few calls while another works', async () => {
  const [still, works] = [await startNeighbour(() => undefined), await startNeighbour()];
  const { client } = clientOf(still, works);
  const deadlineMs = 2_000;
  const asked = Array.from({ length: 200 }, async (_, nth) => {
    await env.sleep(nth);
    return client.call(inventoryApi.reserve, { body: { orders: [] } }, { deadlineMs });
  });
  const failed = (await Promise.allSettled(asked)).filter(({ status }) => status === 'rejected');
  expect(failed.length).toBe(still.calls);
  expect(still.calls).toBeLessThan(60);
});

test('a replica that says it is leaving gets no more calls, and some again when it stayed', async () => {
  let leaving = true;
  const first = await startNeighbour((end) => end(leaving ? { connection: 'close' } : {}));
  const second = await startNeighbour();
  const { ask } = clientOf(first, second);
  while (first.calls === 0) await ask();
  for (let calls = 0; calls < 50; calls++) await ask('item');
  expect(first.calls).toBeLessThanOrEqual(2);
  leaving = false;
  const until = env.monotonicMs() + 15_000;
  while (first.calls <= 2 && env.monotonicMs() < until) await ask();
  expect(first.calls).toBeGreaterThan(2);
});

test('a replica that came back is found by a ping, not by a call', async () => {
  let fails = true;
  const back = await startNeighbour((end) => {
    if (!fails) end();
  });
  const stays = await startNeighbour();
  const { ask, client } = clientOf(back, stays);
  const one = () => client.call(inventoryApi.reserve, { body: { orders: [] } }, { deadlineMs: 60 });
  while (back.calls < 5) await one().catch(() => undefined);
  fails = false;
  const spent = back.calls;
  const until = env.monotonicMs() + 15_000;
  while (back.pings === 0 && env.monotonicMs() < until) await ask();
  expect(back.pings).toBeGreaterThan(0);
  while (back.calls === spent && env.monotonicMs() < until) await ask();
  expect(back.calls).toBeGreaterThan(spent);
});
