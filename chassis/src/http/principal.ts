// Who is asking. The gateway knows it from a user's token and tells the other services, which
// believe it because only the gateway can sign the gateway's service token.

import assert from 'node:assert/strict';
import { ApiError, type ProcessName, type Role, type Route, roles } from '@rushlight/contracts';
import type { FastifyRequest } from 'fastify';
import type { ServiceTokens } from './service-token.ts';

export type User = {
  kind: 'user';
  studentId: string;
  role: Role;
  tokenId: string;
  issuedAtS: number;
  expiresAtS: number;
};
export type Principal = User | { kind: 'service'; name: ProcessName };

/** Finds out who asks, before anything else is looked at. Throws ApiError('unauthorized'). */
export type Authenticate = (
  request: FastifyRequest,
  route: Route,
) => Promise<Principal | undefined> | Principal | undefined;

const header = {
  studentId: 'rushlight-student',
  role: 'rushlight-role',
  token: 'rushlight-token',
} as const;

/** The headers that carry a user from the gateway to another service. */
export function userHeaders(user: User): Record<string, string> {
  return {
    [header.studentId]: user.studentId,
    [header.role]: user.role,
    [header.token]: `${user.tokenId} ${user.issuedAtS} ${user.expiresAtS}`,
  };
}

/** How every service but the gateway knows who asks: a service token, and behind it perhaps a user. */
export function authenticateService(tokens: ServiceTokens): Authenticate {
  return async (request, route) => {
    if (route.who === 'anyone' && !route.path.startsWith('/api/')) return undefined;
    const token = bearerToken(request);
    const name = token === undefined ? undefined : await tokens.verify(token);
    if (name === undefined)
      throw new ApiError('unauthorized', { why: 'A service token is needed' });
    return (name === 'gateway' ? userFrom(request) : undefined) ?? { kind: 'service', name };
  };
}

function userFrom(request: FastifyRequest): User | undefined {
  const studentId = request.headers[header.studentId];
  const role = request.headers[header.role];
  const token = request.headers[header.token];
  if (typeof studentId !== 'string' || typeof token !== 'string') return undefined;
  if (!(roles as readonly unknown[]).includes(role)) return undefined;
  const [tokenId = '', issuedAtS, expiresAtS] = token.split(' ');
  return {
    kind: 'user',
    studentId,
    role: role as Role,
    tokenId,
    issuedAtS: Number(issuedAtS),
    expiresAtS: Number(expiresAtS),
  };
}

export function bearerToken(request: FastifyRequest): string | undefined {
  return /^Bearer ([\x21-\x7e]{1,4096})$/i.exec(request.headers.authorization ?? '')?.[1];
}

/** Throws ApiError('forbidden') unless this principal may call this route. */
export function authorize(route: Route, principal: Principal | undefined): void {
  if (route.who === 'anyone') return;
  if (route.who === 'service') {
    if (principal?.kind === 'service') return;
    throw new ApiError('forbidden', { needed: 'service', role: principal?.role ?? 'none' });
  }
  if (principal?.kind === 'user' && route.who.includes(principal.role)) return;
  const role = principal?.kind === 'user' ? principal.role : 'none';
  throw new ApiError('forbidden', { needed: route.who.join(' or '), role });
}

/** The user behind a request whose route only users may call. */
export function userOf(context: { principal: Principal | undefined }): User {
  assert(context.principal?.kind === 'user', 'a route for users was reached without one');
  return context.principal;
}
