import { createSecretKey, randomUUID } from 'node:crypto';
import { createMetrics, UnavailableError } from '@rushlight/chassis';
import { ApiError, limits } from '@rushlight/contracts';
import { type JSONWebKeySet, SignJWT } from 'jose';
import { beforeEach, expect, test } from 'vitest';
import { createIssuer, type TestClaims } from '../src/testing/token-issuer.ts';
import { createKeySource, type KeySource } from '../src/users/key-source.ts';
import { Revocations } from '../src/users/revocations.ts';
import { createUserTokens, type UserTokens } from '../src/users/user-tokens.ts';

const route = { who: ['student'] } as const;
const issuer = createIssuer();
const metrics = createMetrics({ service: 'gateway', instance: 'test' });
let nowMs = Date.now();
let identity: { keys: unknown[]; asked: number; down: boolean };
let revocations: Revocations;
let keys: KeySource;
let tokens: UserTokens;
let verifiedBefore = 0;

beforeEach(async () => {
  verifiedBefore = await validations('verified');
  nowMs = Date.now();
  identity = { keys: issuer.jwks.keys, asked: 0, down: false };
  revocations = new Revocations();
  tokens = makeTokens();
});

function makeTokens(tokensMax = 100): UserTokens {
  const env = { nowMs: () => nowMs, monotonicMs: () => nowMs };
  keys = createKeySource(env, async () => {
    identity.asked++;
    if (identity.down) throw new UnavailableError('identity', 'down');
    return { keys: identity.keys } as JSONWebKeySet;
  });
  return createUserTokens({ env, keys, revocations, metrics, tokensMax });
}

async function enter(token: string): Promise<string> {
  try {
    const request = { headers: { authorization: `Bearer ${token}` } };
    return (await tokens.authenticate(request, route))?.studentId ?? 'nobody';
  } catch (error) {
    return error instanceof ApiError ? error.code : (error as Error).name;
  }
}
const enterWith = async (claims: TestClaims): Promise<string> => enter(await issuer.token(claims));

test('a good token says who asks', async () => {
  const token = await issuer.token({ sub: 'student7', jti: 'j1' });
  const request = { headers: { authorization: `Bearer ${token}` } };
  expect(await tokens.authenticate(request, route)).toMatchObject({
    kind: 'user',
    studentId: 'student7',
    role: 'student',
    tokenId: 'j1',
  });
});

test('a route for anyone looks at no token', () => {
  const request = { headers: { authorization: 'Bearer nonsense' } };
  expect(tokens.authenticate(request, { who: 'anyone' })).toBeUndefined();
});

test('no token, and what is no token, is refused', async () => {
  expect(() => tokens.authenticate({ headers: {} }, route)).toThrow(ApiError);
  for (const token of ['', 'x', 'a.b.c', 'a'.repeat(5_000), '..', 'é']) {
    expect(await enter(token)).toBe('unauthorized');
  }
});

test.each([
  ['expired', { expS: Math.floor(Date.now() / 1000) - 1 }],
  ['of another issuer', { iss: 'somebody' }],
  ['for another audience', { aud: 'rushlight-internal' }],
  ['of another type', { header: { typ: 'JWT' } }],
  ['of a service', { header: { typ: 'service+jwt' } }],
  ['without a type', { header: { typ: undefined } }],
  ['of an unknown role', { role: 'root' }],
  ['for nobody', { sub: '' }],
  ['for a name with a line break', { sub: 'a\nb' }],
])('a token %s is refused', async (_, claims) => {
  expect(await enterWith(claims as TestClaims)).toBe('unauthorized');
});

test('a token that lacks a claim is refused', async () => {
  for (const missing of ['sub', 'jti', 'iat', 'exp', 'role']) {
    const nowS = Math.floor(nowMs / 1000);
    const claims: Record<string, unknown> = {
      ...{ sub: 'a', jti: 'j', iat: nowS, exp: nowS + 60, role: 'student' },
      ...{ iss: 'rushlight-identity', aud: 'rushlight' },
    };
    delete claims[missing];
    const token = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid: 'k1' })
      .sign(issuer.privateKey);
    expect(await enter(token)).toBe('unauthorized');
  }
});

test('a token of another key under the same name is refused', async () => {
  expect(await enter(await createIssuer('k1').token())).toBe('unauthorized');
});

test('a token whose payload was changed is refused', async () => {
  const [head, , signature] = (await issuer.token()).split('.');
  const [, payload] = (await issuer.token({ role: 'admin' })).split('.');
  expect(await enter(`${head}.${payload}.${signature}`)).toBe('unauthorized');
});

test('"alg": "none" is refused', async () => {
  const [, payload] = (await issuer.token()).split('.');
  for (const alg of ['none', 'None', '']) {
    const head = Buffer.from(JSON.stringify({ alg, typ: 'at+jwt', kid: 'k1' }));
    expect(await enter(`${head.toString('base64url')}.${payload}.`)).toBe('unauthorized');
  }
});

test('a token that is signed with the public key as a shared secret is refused', async () => {
  const secrets = [
    Buffer.from(String(issuer.jwks.keys[0]?.['x']), 'base64url'),
    issuer.publicKey.export({ format: 'pem', type: 'spki' }),
    Buffer.from(JSON.stringify(issuer.jwks.keys[0])),
  ];
  for (const secret of secrets) {
    const token = await new SignJWT({ role: 'admin' })
      .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: 'k1' })
      .setIssuer('rushlight-identity')
      .setAudience('rushlight')
      .setSubject('admin')
      .setJti(randomUUID())
      .setIssuedAt()
      .setExpirationTime('1h')
      .sign(createSecretKey(Buffer.from(secret)));
    expect(await enter(token)).toBe('unauthorized');
  }
});

test('what a token is refused for is not told', async () => {
  const forged = await createIssuer('k1').token();
  const expired = await issuer.token({ expS: 1_000 });
  const why = async (token: string): Promise<string> => {
    const request = { headers: { authorization: `Bearer ${token}` } };
    return Promise.resolve()
      .then(() => tokens.authenticate(request, route))
      .then(
        () => 'no error',
        (error: Error) => error.message,
      );
  };
  expect(await why(forged)).toBe(await why(expired));
});

test('an unknown key is asked for, at most once a second', async () => {
  const newer = createIssuer('k2');
  const strange = createIssuer('k3');
  expect(await enterWith({})).toBe('student1');
  expect(identity.asked).toBe(1);
  for (let i = 0; i < 5; i++) expect(await enter(await strange.token())).toBe('unauthorized');
  expect(identity.asked).toBe(1);
  nowMs += 1_001;
  identity.keys = [...issuer.jwks.keys, ...newer.jwks.keys];
  expect(await enter(await newer.token({ sub: 'new' }))).toBe('new');
  expect(identity.asked).toBe(2);
});

test('while identity is down known keys go on, and unknown ones are not called forged', async () => {
  expect(await enterWith({})).toBe('student1');
  identity.down = true;
  nowMs += 5_000;
  expect(await enterWith({ sub: 'other' })).toBe('other');
  expect(await enter(await createIssuer('k9').token())).toBe('UnavailableError');
  expect(await enter(await createIssuer('k9').token())).toBe('UnavailableError');
});

test('before any key is known the answer is "unavailable"', async () => {
  identity.down = true;
  expect(await enterWith({})).toBe('UnavailableError');
  identity.down = false;
  nowMs += 1_001;
  expect(await enterWith({})).toBe('student1');
});

test('a token is verified once, however many requests bring it together', async () => {
  const token = await issuer.token();
  const entered = await Promise.all(Array.from({ length: 50 }, () => enter(token)));
  expect(new Set(entered)).toEqual(new Set(['student1']));
  expect(await validations('verified')).toBe(1 + verifiedBefore);
});

async function validations(outcome: string): Promise<number> {
  const { text } = await metrics.expose();
  const line = new RegExp(`jwt_token_validations_total\\{.*outcome="${outcome}".*\\} (\\d+)`);
  return Number(line.exec(text)?.[1] ?? 0);
}

test('a remembered token is refused once it has expired', async () => {
  const token = await issuer.token({ expS: Math.floor(nowMs / 1000) + 10 });
  expect(await enter(token)).toBe('student1');
  nowMs += 11_000;
  expect(await enter(token)).toBe('unauthorized');
});

test('a token whose key was withdrawn is refused within a minute', async () => {
  const token = await issuer.token();
  expect(await enter(token)).toBe('student1');
  identity.keys = createIssuer('k2').jwks.keys;
  await keys.refresh();
  expect(await enter(token)).toBe('student1');
  nowMs += limits.tokenCachedMs;
  expect(await enter(token)).toBe('unauthorized');
});

test('a revoked token is refused at once, remembered or not', async () => {
  const known = await issuer.token({ jti: 'known' });
  const fresh = await issuer.token({ jti: 'fresh' });
  expect(await enter(known)).toBe('student1');
  const expiresAtS = Math.floor(nowMs / 1000) + 3_600;
  revocations.add([
    { tokenId: 'known', expiresAtS },
    { tokenId: 'fresh', expiresAtS },
  ]);
  expect(await enter(known)).toBe('unauthorized');
  expect(await enter(fresh)).toBe('unauthorized');
  expect(await enterWith({ jti: 'other' })).toBe('student1');
});

test('a password change ends the tokens of before it and not those of after', async () => {
  const nowS = nowMs / 1000;
  const before = await issuer.token({ iatS: nowS - 5 });
  expect(await enter(before)).toBe('student1');
  const expiresAtS = Math.floor(nowS) + 3_600;
  revocations.add([{ subject: 'student1', issuedBeforeS: nowS - 1, expiresAtS }]);
  revocations.add([{ subject: 'student1', issuedBeforeS: nowS - 100, expiresAtS }]);
  expect(await enter(before)).toBe('unauthorized');
  expect(await enterWith({ iatS: nowS })).toBe('student1');
  expect(await enterWith({ sub: 'student2', iatS: nowS - 5 })).toBe('student2');
});

test('revocations are forgotten when what they end has expired, and not before', () => {
  revocations.add([
    { tokenId: 'a', expiresAtS: 100 },
    { subject: 's', issuedBeforeS: 50, expiresAtS: 200 },
  ]);
  revocations.forgetExpired(99);
  expect(revocations.size).toBe(2);
  revocations.forgetExpired(101);
  expect(revocations.size).toBe(1);
});

test('the number of remembered tokens is bounded; who was forgotten is verified again', async () => {
  tokens = makeTokens(2);
  const three = await Promise.all(['a', 'b', 'c'].map((sub) => issuer.token({ sub })));
  for (const token of [...three, ...three]) expect(await enter(token)).toMatch(/^[abc]$/);
  expect((await validations('verified')) - verifiedBefore).toBe(6);
});
