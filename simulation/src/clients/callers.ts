// How clients call the shop, and what they make of the answers.
//
// A 4xx says that this attempt did nothing. Anything else that is no answer, 5xx included, says
// nothing at all.

import { UnavailableError, type User } from '@rushlight/chassis';
import { ApiError, type Role, type Route } from '@rushlight/contracts';
import type { SimProcess } from '../engine/process.ts';
import { startMs } from '../engine/world.ts';
import type { SimServiceName } from '../shop/process-names.ts';
import type { Shop } from '../shop/shop.ts';
import type { Ended } from './recorder.ts';

export const clientDeadlineMs = 8_000;

export function userNamed(studentId: string, role: Role = 'student'): User {
  const issuedAtS = startMs / 1_000;
  const expiresAtS = issuedAtS + 86_400;
  return { kind: 'user', studentId, role, tokenId: studentId, issuedAtS, expiresAtS };
}

/** Calls a route of a service as the gateway would forward it. */
export function ask<B>(
  shop: Shop,
  from: SimProcess,
  to: SimServiceName,
  route: Route,
  call: object,
  user: User,
): Promise<B> {
  const { process, door } = shop.services[to];
  const what = `${route.method} ${route.path}`;
  const nowMs = (): number => shop.world.elapsedMs;
  const options = { user, deadlineAtMs: nowMs() + clientDeadlineMs };
  return shop.network.call(from, process, what, clientDeadlineMs, async () => {
    const { body } = await door.serve(route, call, options, nowMs);
    return body as B;
  });
}

/** What an error tells whoever asked. */
export function endOf(op: Ended['op'], error: unknown): Ended {
  if (error instanceof ApiError) {
    const { status, code, details } = error;
    if (status < 500) return failure(op, status, code, details['itemId']);
    return { type: 'info', op, status, code, why: code };
  }
  if (error instanceof UnavailableError) return { type: 'info', op, why: error.message };
  throw error;
}

export function failure(op: Ended['op'], status: number, code: string, itemId?: unknown): Ended {
  return {
    ...{ type: 'fail', op, status, code },
    ...(typeof itemId === 'string' ? { itemId } : {}),
  } as Ended;
}
