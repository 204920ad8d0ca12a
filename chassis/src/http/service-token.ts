// How services know each other: each signs short-lived tokens with its own private key, and
// everybody has the public keys of all. Nobody has to be asked, so nobody can be down.

import { type ProcessName, processNames } from '@rushlight/contracts';
import { createLocalJWKSet, errors, importJWK, type JSONWebKeySet, jwtVerify, SignJWT } from 'jose';
import type { ServiceConfig } from '../config.ts';
import type { Environment } from '../environment.ts';

const audience = 'rushlight-internal';
const typ = 'service+jwt';
const livesS = 3_600;
const renewBeforeS = 1_800;
const verifiedMax = 100;

export type ServiceTokens = {
  /** A token of our own, good for at least half an hour more. */
  sign(): Promise<string>;
  /** The service that signed it, or undefined when it is not a good token. */
  verify(token: string): Promise<ProcessName | undefined>;
};

export function createServiceTokens(
  config: Pick<ServiceConfig, 'service' | 'serviceKey' | 'serviceKeys'>,
  env: Environment,
): ServiceTokens {
  const keySet = createLocalJWKSet(config.serviceKeys as JSONWebKeySet);
  const verified = new Map<string, { name: ProcessName; expiresAtS: number }>();
  let own: { token: string; expiresAtS: number } | undefined;

  const verifyNew = async (token: string, nowS: number): Promise<ProcessName | undefined> => {
    const options = { algorithms: ['EdDSA'], audience, typ, currentDate: new Date(nowS * 1000) };
    const { payload, protectedHeader } = await jwtVerify(token, keySet, options);
    const { iss, sub, exp } = payload;
    if (iss === undefined || iss !== sub || iss !== protectedHeader.kid) return undefined;
    if (!(processNames as string[]).includes(iss) || exp === undefined) return undefined;
    if (verified.size >= verifiedMax) verified.clear();
    verified.set(token, { name: iss as ProcessName, expiresAtS: exp });
    return iss as ProcessName;
  };

  return {
    sign: async () => {
      const nowS = Math.floor(env.nowMs() / 1000);
      if (own && own.expiresAtS - nowS > renewBeforeS) return own.token;
      const expiresAtS = nowS + livesS;
      const key = await importJWK(config.serviceKey, 'EdDSA');
      const token = await new SignJWT({})
        .setProtectedHeader({ alg: 'EdDSA', typ, kid: config.service })
        .setIssuer(config.service)
        .setSubject(config.service)
        .setAudience(audience)
        .setIssuedAt(nowS)
        .setExpirationTime(expiresAtS)
        .sign(key);
      own = { token, expiresAtS };
      return token;
    },
    verify: async (token) => {
      const nowS = Math.floor(env.nowMs() / 1000);
      const known = verified.get(token);
      if (known) return known.expiresAtS > nowS ? known.name : undefined;
      try {
        return await verifyNew(token, nowS);
      } catch (error) {
        if (error instanceof errors.JOSEError) return undefined;
        throw error;
      }
    },
  };
}
