// Tokens as identity issues them, and as nobody should.

import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { type JWTHeaderParameters, SignJWT } from 'jose';

export type TestIssuer = {
  jwks: { keys: Record<string, unknown>[] };
  privateKey: KeyObject;
  publicKey: KeyObject;
  token(claims?: TestClaims): Promise<string>;
};
export type TestClaims = {
  sub?: string;
  role?: string;
  jti?: string;
  iss?: string;
  aud?: string;
  iatS?: number;
  expS?: number;
  header?: Partial<JWTHeaderParameters>;
};

export function createIssuer(kid = 'k1'): TestIssuer {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid, alg: 'EdDSA', use: 'sig' };
  return {
    jwks: { keys: [jwk] },
    privateKey,
    publicKey,
    token: (claims = {}) => {
      const nowS = Date.now() / 1000;
      const header = { alg: 'EdDSA', typ: 'at+jwt', kid, ...claims.header };
      return new SignJWT({ role: claims.role ?? 'student' })
        .setProtectedHeader(header)
        .setIssuer(claims.iss ?? 'rushlight-identity')
        .setAudience(claims.aud ?? 'rushlight')
        .setSubject(claims.sub ?? 'student1')
        .setJti(claims.jti ?? randomUUID())
        .setIssuedAt(claims.iatS ?? nowS)
        .setExpirationTime(claims.expS ?? Math.floor(nowS) + 3_600)
        .sign(privateKey);
    },
  };
}
