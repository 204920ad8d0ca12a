import { readFile } from 'node:fs/promises';
import {
  asAdmin,
  readMetrics,
  startService,
  sumOf,
  testPostgres,
  until,
} from '@rushlight/chassis/testing';
import { accountApi, adminApi, type ErrorCode, identityApi } from '@rushlight/contracts';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { expect, test } from 'vitest';

type Identity = Awaited<ReturnType<typeof startService>>;

const demo = { studentId: 'student1', password: 'password123' };

async function claimsOf(identity: Identity, token: string) {
  const { body } = await identity.as().call(identityApi.jwks, {});
  const keys = createLocalJWKSet(body as unknown as JSONWebKeySet);
  const { payload } = await jwtVerify(token, keys, { issuer: 'rushlight-identity' });
  return { sub: '', jti: '', iat: 0, exp: 0, ...payload };
}

async function userOfToken(identity: Identity, token: string, role: 'student' | 'admin') {
  const { sub, jti, iat, exp } = await claimsOf(identity, token);
  return {
    kind: 'user' as const,
    studentId: sub,
    role,
    tokenId: jti,
    issuedAtS: iat,
    expiresAtS: exp,
  };
}

const refused = (code: ErrorCode) => expect.objectContaining({ code });

test('a student registers, logs in, and gets a token that the published keys verify', async () => {
  await using identity = await startService('identity');
  const client = identity.as();
  const account = { studentId: 'layla', password: 'dates-and-milk' };
  const made = await client.call(accountApi.register, { body: { ...account, name: 'Layla' } });
  expect(made).toEqual({ status: 201, body: { studentId: 'layla' } });
  const { body } = await client.call(accountApi.login, { body: account });
  expect(body.role).toBe('student');
  const claims = await claimsOf(identity, body.token);
  expect(claims).toMatchObject({ sub: 'layla', role: 'student', aud: 'rushlight' });
  expect(claims.exp - claims.iat).toBeCloseTo(body.expiresInS, -1);
});

test('an id is registered once, and a weak password not at all', async () => {
  await using identity = await startService('identity');
  const client = identity.as();
  const register = (studentId: string, password: string) =>
    client.call(accountApi.register, { body: { studentId, password, name: 'A' } });
  await register('omar', 'lentil-soup-9');
  await expect(register('omar', 'lentil-soup-9')).rejects.toEqual(refused('taken'));
  for (const password of ['short', 'password123', 'aaaaaaaaaa', 'yusuf-12345']) {
    await expect(register('yusuf', password)).rejects.toEqual(refused('weak_password'));
  }
});

test('the fourth try in a minute waits, from that address only, right or wrong', async () => {
  await using identity = await startService('identity');
  const client = identity.as();
  const login = async (address: string, password: string): Promise<number> => {
    const headers = { 'rushlight-client-address': address };
    const call = { headers, body: { studentId: 'student2', password } };
    return (await client.forward(accountApi.login, call)).status;
  };
  expect(await login('10.0.0.1', 'wrong')).toBe(401);
  expect(await login('10.0.0.1', 'password123')).toBe(200);
  expect(await login('10.0.0.1', 'wrong')).toBe(401);
  expect(await login('10.0.0.1', 'password123')).toBe(429);
  expect(await login('10.0.0.2', 'password123')).toBe(200);
  const told = await readMetrics(identity.url);
  const attempts = (outcome: string) => sumOf(told, 'auth_attempts_total', { outcome });
  expect([attempts('ok'), attempts('wrong'), attempts('limited')]).toEqual([2, 2, 1]);
  expect(sumOf(told, 'jwt_tokens_issued_total', { role: 'student' })).toBe(2);
});

test('an unknown user gets the same answer as a wrong password', async () => {
  await using identity = await startService('identity');
  const answer = async (studentId: string) => {
    const body = { studentId, password: 'not-the-password' };
    const { status, text } = await identity.as().forward(accountApi.login, { body });
    return { status, text };
  };
  expect(await answer('nobody-of-that-name')).toEqual(await answer('student3'));
});

test('logout and a new password end tokens, and say so to whoever asks for all of them', async () => {
  await using identity = await startService('identity');
  const client = identity.as();
  const revocations = async () => (await client.call(identityApi.revocations, {})).body.revocations;
  const first = (await client.call(accountApi.login, { body: demo })).body.token;
  const user = await userOfToken(identity, first, 'student');
  await client.call(accountApi.logout, {}, { user });
  expect(await revocations()).toEqual([expect.objectContaining({ tokenId: user.tokenId })]);

  const wrong = { password: 'not-mine', newPassword: 'apricot-juice' };
  await expect(client.call(accountApi.changePassword, { body: wrong }, { user })).rejects.toEqual(
    refused('wrong_credentials'),
  );
  const body = { password: demo.password, newPassword: 'apricot-juice' };
  await client.call(accountApi.changePassword, { body }, { user });
  const [, all] = await revocations();
  expect(all).toMatchObject({ subject: 'student1' });
  const headers = { 'rushlight-client-address': '10.0.0.9' };
  const again = await client.forward(accountApi.login, {
    headers,
    body: { ...demo, password: 'apricot-juice' },
  });
  const fresh = await claimsOf(identity, JSON.parse(again.text).token);
  expect(fresh.iat).toBeGreaterThan(all?.issuedBeforeS ?? Number.POSITIVE_INFINITY);
});

test('without the lab there are no demo logins, no crowd, and one admin from a file', async () => {
  await using identity = await startService('identity', { lab: false });
  const client = identity.as();
  await expect(client.call(accountApi.login, { body: demo })).rejects.toEqual(
    refused('wrong_credentials'),
  );
  const crowd = await client.forward(identityApi.makeCrowd, { body: { students: 1 } });
  expect(crowd.status).toBe(404);
  const password = (await readFile(`${identity.dataFolder}/first-admin-password`, 'utf8')).trim();
  const login = await client.call(accountApi.login, { body: { studentId: 'admin', password } });
  expect(login.body.role).toBe('admin');
  await identity.kill();
  await identity.start();
  const again = await identity.as().forward(accountApi.login, {
    body: { studentId: 'admin', password },
  });
  expect(again.status).toBe(200);
});

test('the first admin may be given a password of the operator, though no weak one', async () => {
  const secret = { RUSHLIGHT_IDENTITY_ADMIN_PASSWORD: 'lantern-oil-and-figs' };
  await using identity = await startService('identity', { lab: false, env: secret });
  const login = { studentId: 'admin', password: 'lantern-oil-and-figs' };
  const { body } = await identity.as().call(accountApi.login, { body: login });
  expect(body.role).toBe('admin');
  await expect(readFile(`${identity.dataFolder}/first-admin-password`)).rejects.toThrow('ENOENT');
  const weak = { RUSHLIGHT_IDENTITY_ADMIN_PASSWORD: 'adminpassword' };
  await expect(startService('identity', { lab: false, env: weak })).rejects.toThrow();
});

test('an admin makes users of any role and pages through all of them', async () => {
  await using identity = await startService('identity');
  const client = identity.as();
  const token = (
    await client.call(accountApi.login, {
      body: { studentId: 'admin', password: 'adminpassword' },
    })
  ).body.token;
  const user = await userOfToken(identity, token, 'admin');
  const cook = { studentId: 'cook', role: 'kitchen' as const, password: 'saffron-rice' };
  await client.call(adminApi.addUser, { body: cook }, { user });
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const query = { limit: '20', ...(cursor ? { cursor } : {}) };
    const { body } = await client.call(adminApi.listUsers, { query }, { user });
    seen.push(...body.items.map((item) => item.studentId));
    cursor = body.nextCursor;
  } while (cursor);
  expect(seen).toContain('cook');
  expect(seen).toHaveLength(53);
  expect(seen).toEqual([...new Set(seen)].sort());
});

test('a crowd is made at once, and asked again gives fresh tokens for the same students', async () => {
  await using identity = await startService('identity');
  const ask = async () =>
    (
      await identity
        .as()
        .call(identityApi.makeCrowd, { body: { students: 300 } }, { deadlineMs: 10_000 })
    ).body.students;
  const [first, second] = [await ask(), await ask()];
  expect(first.map((one) => one.studentId)).toEqual(second.map((one) => one.studentId));
  expect(new Set([...first, ...second].map((one) => one.token)).size).toBe(600);
  expect((await claimsOf(identity, second[7]?.token ?? '')).sub).toBe(second[7]?.studentId);
});

test('too many logins at once are told to come back, and none is left hanging', async () => {
  const env = { RUSHLIGHT_IDENTITY_HASHES_WAITING_MAX: '3' };
  await using identity = await startService('identity', { env });
  const client = identity.as();
  const answers = await Promise.all(
    Array.from({ length: 30 }, async (_, index) => {
      const body = { studentId: `student${index + 1}`, password: 'password123' };
      const { status, headers } = await client.forward(
        accountApi.login,
        { body },
        { deadlineMs: 10_000 },
      );
      return { status, retryAfter: headers['retry-after'] };
    }),
  );
  const busy = answers.filter((answer) => answer.status === 503);
  expect(busy.length).toBeGreaterThan(0);
  expect(busy.every((answer) => Number(answer.retryAfter) > 0)).toBe(true);
  expect(answers.every(({ status }) => status === 200 || status === 503)).toBe(true);
});

test('keys rotate: the new one signs, the old one still verifies', async () => {
  const env = { RUSHLIGHT_IDENTITY_KEY_SIGNS_DAYS: '0.001' };
  await using identity = await startService('identity', { env });
  const before = (await identity.as().call(accountApi.login, { body: demo })).body.token;
  await identity.kill();
  // A key signs for 86 s here; what a restart finds older than that, it replaces.
  const admin = new URL(testPostgres());
  admin.pathname = new URL(identity.databaseUrl).pathname;
  await asAdmin(admin.href, ["UPDATE signing_keys SET created_at = now() - interval '2 minutes'"]);
  await identity.start();
  const { body } = await identity.as().call(identityApi.jwks, {});
  expect(body.keys).toHaveLength(2);
  expect(body.keys.every((key) => !('d' in key))).toBe(true);
  expect((await claimsOf(identity, before)).sub).toBe('student1');
});

test('it drains on SIGTERM with exit code 0 and starts again on its data', async () => {
  await using identity = await startService('identity');
  expect(await identity.stop()).toBe(0);
  await identity.start();
  const login = await identity.as().forward(accountApi.login, { body: demo });
  expect(login.status).toBe(200);
  await until(() => identity.output().includes('"ready"'), { what: 'a log line that says ready' });
});
