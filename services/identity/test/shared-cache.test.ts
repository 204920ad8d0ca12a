// Replicas of identity on one Redis. Run with `npm run servers`, which says where that is.

import { openRedisCache, realEnvironment, revocationsKept } from '@rushlight/chassis';
import { startService, until } from '@rushlight/chassis/testing';
import { accountApi } from '@rushlight/contracts';
import { expect, onTestFinished, test } from 'vitest';

const given = process.env['RUSHLIGHT_CACHE_URL'];
/** A database of Redis that no other test uses. */
const RUSHLIGHT_CACHE_URL = `${given}/3`;

// A machine that stands still for a quarter of a second is without its Redis for a moment.
const retry = 3;

test.skipIf(!given)('tries to log in count at all replicas together', { retry }, async () => {
  const env = { RUSHLIGHT_CACHE_URL };
  await using one = await startService('identity', { env });
  await using other = await startService('identity', { env });
  const address = realEnvironment.newId();
  const login = async (identity: typeof one): Promise<number> => {
    const headers = { 'rushlight-client-address': address };
    const body = { studentId: 'student2', password: 'password123' };
    return (await identity.as().forward(accountApi.login, { headers, body })).status;
  };
  expect([await login(one), await login(other), await login(one)]).toEqual([200, 200, 200]);
  expect([await login(other), await login(one)]).toEqual([429, 429]);
  const health = await (await fetch(`${one.url}/health`)).json();
  expect(health).toMatchObject({ dependencies: { cache: 'up' } });
});

test.skipIf(!given)('a logout ends the kept list of what was revoked', async () => {
  await using identity = await startService('identity', { env: { RUSHLIGHT_CACHE_URL } });
  const env = realEnvironment;
  const cache = await openRedisCache({ url: RUSHLIGHT_CACHE_URL, env, commandMsMax: 5_000 });
  onTestFinished(() => cache.close());
  const { key, times } = revocationsKept;
  const isKept = async () => (await cache.get(key)) !== undefined;
  await until(
    async () => {
      const claimed = await cache.claim(key, times);
      if (claimed.kind !== 'claimed') return claimed.kind === 'found';
      return cache.fulfil(key, claimed.claimId, '[]', times);
    },
    { what: 'a list to be kept' },
  );
  expect(await isKept()).toBe(true);
  const user = {
    kind: 'user' as const,
    role: 'student' as const,
    ...{ studentId: 'student1', tokenId: 'mine' },
    ...{ issuedAtS: 1, expiresAtS: Math.ceil(env.nowMs() / 1000) + 600 },
  };
  await identity.as().call(accountApi.logout, {}, { user });
  expect(await isKept()).toBe(false);
});
