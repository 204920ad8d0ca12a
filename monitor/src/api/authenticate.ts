// Who may ask the monitor: an admin by the token that identity gave, or a service of ours.
//
// A1. What the gateway asks on behalf of a user is judged by that user's role.
// A2. A service that asks for itself may do what an admin may.
// A3. Without identity's address only services are known.

import {
  type Authenticate,
  authenticateService,
  bearerToken,
  type Principal,
  type ServiceTokens,
  type UserTokens,
} from '@rushlight/chassis';
import { ApiError } from '@rushlight/contracts';

/** @param users who knows the tokens of users, as soon as it does */
export function authenticateMonitor(
  tokens: ServiceTokens,
  users: () => UserTokens | undefined,
): Authenticate {
  const asService = authenticateService(tokens);
  return async (request, route) => {
    const token = bearerToken(request);
    if (token === undefined) throw new ApiError('unauthorized', { why: 'There is no token' });
    if ((await tokens.verify(token)) !== undefined) {
      return asAdmin(await asService(request, route));
    }
    const known = users();
    if (!known)
      throw new ApiError('unauthorized', { why: 'Only tokens of services are known here' });
    return await known.authenticate(request, route);
  };
}

function asAdmin(principal: Principal | undefined): Principal | undefined {
  if (principal?.kind !== 'service') return principal;
  const { name } = principal;
  return {
    kind: 'user',
    studentId: name,
    role: 'admin',
    tokenId: `service ${name}`,
    issuedAtS: 0,
    expiresAtS: Number.MAX_SAFE_INTEGER,
  };
}
