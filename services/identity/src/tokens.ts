// User tokens: signed JWTs after RFC 9068 (typ at+jwt) and RFC 8725 (one algorithm, all claims said).

import type { Environment } from '@rushlight/chassis';
import type { Role } from '@rushlight/contracts';
import { SignJWT } from 'jose';
import type { SigningKeys } from './signing-keys.ts';

export const issuer = 'rushlight-identity';
export const audience = 'rushlight';

export type Tokens = {
  livesS: number;
  issue(studentId: string, role: Role): Promise<string>;
};

export function createTokens(keys: SigningKeys, env: Environment, livesS: number): Tokens {
  return {
    livesS,
    issue: (studentId, role) => {
      const { kid, key } = keys.current();
      // With its fraction, so that a token of just after a password change is told from one before.
      const issuedAtS = env.nowMs() / 1000;
      return new SignJWT({ role })
        .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid })
        .setIssuer(issuer)
        .setAudience(audience)
        .setSubject(studentId)
        .setJti(env.newId())
        .setIssuedAt(issuedAtS)
        .setExpirationTime(Math.floor(issuedAtS) + livesS)
        .sign(key);
    },
  };
}
