// Checks the token with which the gateway asks us: a compact JWT, EdDSA and nothing else.
//
// Small enough to be written here, because a key that we made ourselves is the only one there is.

import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import type { PublicJwk } from '@rushlight/setup';
import { z } from 'zod';

const audience = 'rushlight-internal';
const typ = 'service+jwt';
const clockSkewS = 5;
const tokenLengthMax = 4_096;

const Header = z.looseObject({
  alg: z.literal('EdDSA'),
  typ: z.literal(typ),
  // An extension that must be understood is one that we do not understand.
  crit: z.undefined().optional(),
});
const Claims = z.looseObject({
  iss: z.string(),
  sub: z.string(),
  aud: z.literal(audience),
  exp: z.number(),
  nbf: z.number().optional(),
});

/** Returns a check: true for a token that `caller` signed for use between services, and is valid. */
export function tokenCheck(
  caller: string,
  jwk: PublicJwk,
): (token: string, nowMs: number) => boolean {
  const key = createPublicKey({ key: jwk, format: 'jwk' });
  return (token, nowMs) => {
    const claims = readClaims(token, key);
    if (claims === undefined) return false;
    const nowS = nowMs / 1000;
    if (claims.iss !== caller || claims.sub !== caller) return false;
    return claims.exp > nowS - clockSkewS && (claims.nbf ?? 0) <= nowS + clockSkewS;
  };
}

function readClaims(token: string, key: KeyObject): z.infer<typeof Claims> | undefined {
  if (token.length > tokenLengthMax) return undefined;
  const parts = /^([\w-]+)\.([\w-]+)\.([\w-]+)$/.exec(token);
  if (parts === null) return undefined;
  const [, header = '', payload = '', signature = ''] = parts;
  if (!Header.safeParse(decoded(header)).success) return undefined;
  const signed = Buffer.from(`${header}.${payload}`);
  if (!verify(null, signed, key, Buffer.from(signature, 'base64url'))) return undefined;
  return Claims.safeParse(decoded(payload)).data;
}

function decoded(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}
