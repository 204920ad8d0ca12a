// Gateways on one Redis. Run with `npm run servers`, which says where that is.

import { randomUUID } from 'node:crypto';
import { openRedisCache, realEnvironment, revocationsKept } from '@rushlight/chassis';
import { until } from '@rushlight/chassis/testing';
import { expect, onTestFinished, test } from 'vitest';
import { stockItem } from './neighbours.ts';
import { startGateway, type TestGateway } from './start.ts';

const given = process.env['RUSHLIGHT_CACHE_URL'];
/** A database of Redis that no other test uses. */
const RUSHLIGHT_CACHE_URL = `${given}/4`;

const lines = { lines: [{ itemId: 'soup', quantity: 1 }] };

async function orderAt({ as, send }: TestGateway, sub: string): Promise<number> {
  const headers = { ...(await as({ sub })), 'idempotency-key': randomUUID() };
  return (await send('POST', '/api/v1/orders', lines, headers)).status;
}

// A machine that stands still for a quarter of a second is without its Redis for a moment.
const retry = 3;

test.skipIf(!given)('a student has one rate, whichever gateway is asked', { retry }, async () => {
  const settings = { RUSHLIGHT_GATEWAY_ORDERS_PER_S: '0.01', RUSHLIGHT_GATEWAY_ORDERS_BURST: '4' };
  const env = { RUSHLIGHT_CACHE_URL, ...settings };
  await using one = await startGateway({ env });
  await using other = await startGateway({ env });
  const student = `s${randomUUID().slice(0, 8)}`;
  const limited: boolean[] = [];
  for (let n = 0; n < 4; n++) {
    for (const gateway of [one, other]) limited.push((await orderAt(gateway, student)) === 429);
  }
  expect(limited).toEqual([false, false, false, false, true, true, true, true]);
});

test.skipIf(!given)('what one gateway read of the stock serves the others', async () => {
  const env = { RUSHLIGHT_CACHE_URL };
  await using near = await startGateway({ env });
  await using far = await startGateway({ env });
  for (const { fakes } of [near, far]) {
    fakes.orders.on('POST /internal/orders/keys', ({ body }) => ({
      body: { answers: (body as { keys: unknown[] }).keys.map(() => null) },
    }));
    fakes.orders.on('POST /internal/orders/batch', ({ body }) => ({
      body: {
        answers: (body as { orders: unknown[] }).orders.map(() => ({ status: 409, body: '{}' })),
      },
    }));
  }
  near.fakes.inventory.on('GET /internal/stock', () => ({
    body: { items: [stockItem('soup', 0, 9)] },
  }));
  far.fakes.inventory.on('GET /internal/stock', () => ({ status: 503, body: {} }));
  await until(
    async () => {
      await orderAt(near, randomUUID().slice(0, 8));
      return (await orderAt(far, randomUUID().slice(0, 8))) === 422;
    },
    { what: 'a refusal by the reading of the other gateway', deadlineMs: 30_000 },
  );
});

test.skipIf(!given)(
  'a revoked token dies at every gateway when the kept list is gone',
  async () => {
    const env = { RUSHLIGHT_CACHE_URL, RUSHLIGHT_GATEWAY_RESYNC_S: '30' };
    await using shop = await startGateway({ env });
    shop.fakes.orders.on('GET /api/v1/orders', () => ({ body: { items: [] } }));
    const token = await shop.as({ sub: 'leaver', jti: 'lost' });
    expect((await shop.get('/api/v1/orders', token)).status).toBe(200);
    const revocations = [{ tokenId: 'lost', expiresAtS: Math.floor(Date.now() / 1000) + 3_600 }];
    shop.fakes.identity.on('GET /internal/revocations', () => ({ body: { revocations } }));
    const url = RUSHLIGHT_CACHE_URL;
    const cache = await openRedisCache({ url, env: realEnvironment, commandMsMax: 5_000 });
    onTestFinished(() => cache.close());
    await cache.delete(revocationsKept.key); // As identity does.
    await until(async () => (await shop.get('/api/v1/orders', token)).status === 401, {
      what: 'the token to end',
      deadlineMs: 30_000,
    });
  },
);
