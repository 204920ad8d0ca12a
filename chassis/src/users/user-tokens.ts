// Who asks: a user's token (JWT after RFC 9068), checked as RFC 8725 asks.
//
// A1. One algorithm, one issuer, one audience, one type; expiry and every claim are looked at.
// A2. A good token is verified once, however many requests bring it at the same time, and then
//     remembered for at most a minute: the next request costs one look into a map.
// A3. A revoked token is refused from the moment its revocation is heard, remembered or not.
// A4. The answer to a bad token does not tell which check it failed.

import { ApiError, limits, type Role, type Route, roles, StudentId } from '@rushlight/contracts';
import { errors, type JWTPayload, jwtVerify } from 'jose';
import type { Environment } from '../environment.ts';
import type { User } from '../http/principal.ts';
import type { Metrics } from '../metrics.ts';
import type { KeySource } from './key-source.ts';
import type { Revocations } from './revocations.ts';

const issuer = 'rushlight-identity';
const audience = 'rushlight';
const rememberedMax = 20_000;
const tokenPattern = /^Bearer ([\x21-\x7e]{1,4096})$/i;

type Remembered = { user: User; goodUntilMs: number; revision: number };
type Asking = { headers: { authorization?: string | undefined } };

export type UserTokens = {
  /**
   * @throws ApiError('unauthorized') for a bad token or none, UnavailableError when identity would
   *   have to be asked for a key and cannot be
   */
  authenticate(
    request: Asking,
    route: Pick<Route, 'who'>,
  ): Promise<User | undefined> | User | undefined;
};

export type UserTokensOptions = {
  env: Pick<Environment, 'nowMs'>;
  keys: Pick<KeySource, 'find'>;
  revocations: Revocations;
  metrics: Metrics;
  /** Tokens that are remembered at the same time; the oldest goes first. */
  tokensMax?: number;
};

export function createUserTokens(options: UserTokensOptions): UserTokens {
  const { env, keys, revocations, metrics, tokensMax = rememberedMax } = options;
  // By the whole header, so that a known one is not even taken apart.
  const remembered = new Map<string, Remembered>();
  const running = new Map<string, Promise<User>>();
  let hits = 0;
  metrics.onScrape(() => {
    metrics.count('jwt_token_validations_total', { outcome: 'remembered' }, hits);
    hits = 0;
  });

  const refuse = (why: string): never => {
    metrics.count('jwt_token_validations_total', { outcome: 'refused' });
    throw new ApiError('unauthorized', { why });
  };
  const remember = (header: string, user: User): void => {
    if (remembered.size >= tokensMax) {
      const [oldest] = remembered.keys();
      if (oldest !== undefined) remembered.delete(oldest);
    }
    const goodUntilMs = Math.min(user.expiresAtS * 1000, env.nowMs() + limits.tokenCachedMs);
    remembered.set(header, { user, goodUntilMs, revision: revocations.revision });
  };
  const verify = async (header: string): Promise<User> => {
    const token = tokenPattern.exec(header)?.[1];
    if (token === undefined) return refuse('The Authorization header holds no bearer token');
    const user = await verifyToken(token, keys, env.nowMs());
    if (!user) return refuse('The token is not valid, or no longer');
    if (revocations.isRevoked(user)) return refuse('The token was ended');
    metrics.count('jwt_token_validations_total', { outcome: 'verified' });
    remember(header, user);
    return user;
  };
  const verifyOnce = (header: string): Promise<User> => {
    const known = running.get(header);
    if (known !== undefined) return known;
    const verified = verify(header).finally(() => running.delete(header));
    running.set(header, verified);
    return verified;
  };

  return {
    authenticate: (request, route) => {
      if (route.who === 'anyone') return undefined;
      const header = request.headers.authorization;
      if (header === undefined) return refuse('There is no token');
      const known = remembered.get(header);
      if (known === undefined) return verifyOnce(header);
      if (env.nowMs() >= known.goodUntilMs) {
        remembered.delete(header);
        return verifyOnce(header);
      }
      if (known.revision !== revocations.revision) {
        if (revocations.isRevoked(known.user)) return refuse('The token was ended');
        known.revision = revocations.revision;
      }
      hits++;
      return known.user;
    },
  };
}

/** The user of a good token, or undefined for any other. */
async function verifyToken(
  token: string,
  keys: Pick<KeySource, 'find'>,
  nowMs: number,
): Promise<User | undefined> {
  try {
    const { payload } = await jwtVerify(token, keys.find, {
      algorithms: ['EdDSA'],
      issuer,
      audience,
      typ: 'at+jwt',
      requiredClaims: ['sub', 'jti', 'iat', 'exp', 'role'],
      currentDate: new Date(nowMs),
    });
    return userOf(payload);
  } catch (error) {
    if (error instanceof errors.JOSEError) return undefined;
    throw error;
  }
}

function userOf({ sub, jti, iat, exp, role }: JWTPayload): User | undefined {
  const isRole = (roles as readonly unknown[]).includes(role);
  if (!isRole || !StudentId.safeParse(sub).success) return undefined;
  if (sub === undefined || jti === undefined || !/^[\x21-\x7e]{1,100}$/.test(jti)) return undefined;
  if (iat === undefined || exp === undefined) return undefined;
  return {
    kind: 'user',
    studentId: sub,
    role: role as Role,
    tokenId: jti,
    issuedAtS: iat,
    expiresAtS: exp,
  };
}
