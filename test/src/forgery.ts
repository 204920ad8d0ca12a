// Tokens that look right and are not. They are signed with the real key where only a claim is wrong,
// so that a refusal is for that claim and for nothing else.

import { createHmac, generateKeyPairSync } from 'node:crypto';
import { importJWK, type JWTPayload, SignJWT } from 'jose';
import pg from 'pg';
import type { Shop } from './platform.ts';
import { variableOf } from './processes.ts';

type StoredKey = { kid: string; private_jwk: { x: string; d: string } };
type Claims = { iss?: string; aud?: string; typ?: string; role?: string; kid?: string };

export type Forger = {
  /** A good token, to show that the others are bad for one reason only. */
  good(studentId: string, role: string): Promise<string>;
  /** Bad tokens by name, all for this student as an admin. */
  bad(studentId: string): Promise<Record<string, string>>;
};

const nowS = (): number => Math.floor(Date.now() / 1000);
const encoded = (value: unknown): string =>
  Buffer.from(JSON.stringify(value)).toString('base64url');

export async function createForger(shop: Shop): Promise<Forger> {
  const { kid, private_jwk } = await readKey(shop.platform.databaseUrl('identity'));
  const jwk = { kty: 'OKP', crv: 'Ed25519', ...private_jwk };
  const key = await importJWK(jwk, 'EdDSA');
  const stranger = generateKeyPairSync('ed25519').privateKey;
  const claimsOf = (studentId: string, role: string): JWTPayload => ({
    iss: 'rushlight-identity',
    aud: 'rushlight',
    sub: studentId,
    jti: crypto.randomUUID(),
    iat: nowS(),
    exp: nowS() + 600,
    role,
  });
  const sign = (
    claims: JWTPayload,
    header: Claims = {},
    by: Parameters<SignJWT['sign']>[0] = key,
  ) =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: 'EdDSA', typ: header.typ ?? 'at+jwt', kid: header.kid ?? kid })
      .sign(by);
  /** HS256 with what the server publishes, for a server that lets the token choose the algorithm. */
  const hmac = (claims: JWTPayload, secret: string | Buffer): string => {
    const text = `${encoded({ alg: 'HS256', typ: 'at+jwt', kid })}.${encoded(claims)}`;
    return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
  };
  return {
    good: (studentId, role) => sign(claimsOf(studentId, role)),
    bad: async (studentId) => {
      const admin = claimsOf(studentId, 'admin');
      const without = (name: string): JWTPayload => ({ ...admin, [name]: undefined });
      const [header = '', , signature = ''] = (await sign(claimsOf(studentId, 'student'))).split(
        '.',
      );
      return {
        expired: await sign({ ...admin, iat: nowS() - 700, exp: nowS() - 100 }),
        'not valid yet': await sign({ ...admin, nbf: nowS() + 3_600 }),
        'without an end': await sign(without('exp')),
        'without a subject': await sign(without('sub')),
        'without a role': await sign(without('role')),
        'without an id': await sign(without('jti')),
        'of an unknown role': await sign({ ...admin, role: 'root' }),
        'of many roles': await sign({ ...admin, role: ['admin'] }),
        'for another audience': await sign({ ...admin, aud: 'rushlight-internal' }),
        'of another issuer': await sign({ ...admin, iss: 'https://evil.example' }),
        'of another type': await sign(admin, { typ: 'JWT' }),
        'of a service type': await sign(admin, { typ: 'service+jwt' }),
        'signed by a stranger': await sign(admin, {}, stranger),
        'of an unknown key': await sign(admin, { kid: 'no-such-key' }, stranger),
        'with other claims': `${header}.${encoded(admin)}.${signature}`,
        'without a signature': `${header}.${encoded(admin)}.`,
        'alg none': `${encoded({ alg: 'none', typ: 'at+jwt', kid })}.${encoded(admin)}.`,
        'alg None': `${encoded({ alg: 'None', typ: 'at+jwt', kid })}.${encoded(admin)}.`,
        'HS256 with the public x': hmac(admin, private_jwk.x),
        'HS256 with the public bytes': hmac(admin, Buffer.from(private_jwk.x, 'base64url')),
        'its key inside': await withKeyInside(admin),
        garbage: 'garbage',
        'three dots': 'a.b.c.d',
        long: 'x'.repeat(5_000),
      };
    },
  };
}

/** A header that brings its own key along. */
async function withKeyInside(claims: JWTPayload): Promise<string> {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const jwk = publicKey.export({ format: 'jwk' }) as { kty: string; crv: string; x: string };
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', jwk })
    .sign(privateKey);
}

async function readKey(url: string): Promise<StoredKey> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<StoredKey>(
      'SELECT kid, private_jwk FROM signing_keys ORDER BY created_at DESC LIMIT 1',
    );
    const [key] = rows;
    if (key === undefined) throw new Error('identity has no signing key');
    return key;
  } finally {
    await client.end();
  }
}

/** A token as this service signs it for calls to others; undefined where its key cannot be seen. */
export async function serviceToken(
  shop: Shop,
  service: string,
  subject = service,
): Promise<string | undefined> {
  const pid = shop.platform.parts().find(({ name }) => name === service)?.pid ?? 0;
  const text = variableOf(pid, 'RUSHLIGHT_SERVICE_KEY');
  if (text === undefined) return undefined;
  const key = await importJWK(JSON.parse(text), 'EdDSA');
  return new SignJWT({})
    .setProtectedHeader({ alg: 'EdDSA', typ: 'service+jwt', kid: service })
    .setIssuer(service)
    .setSubject(subject)
    .setAudience('rushlight-internal')
    .setIssuedAt(nowS())
    .setExpirationTime(nowS() + 600)
    .sign(key);
}
