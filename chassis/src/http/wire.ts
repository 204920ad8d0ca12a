// How a call is written onto the wire, and how an answer or its absence is read.

import { ApiError, type ErrorDetails, isErrorCode, pathOf, type Route } from '@rushlight/contracts';
import { type Dispatcher, errors as undiciErrors } from 'undici';
import { BreakerOpenError } from '../breaker.ts';
import { UnavailableError } from '../store/store.ts';
import { type User, userHeaders } from './principal.ts';
import type { ServiceTokens } from './service-token.ts';

export type ForwardCall = {
  params?: Record<string, unknown> | undefined;
  query?: Record<string, unknown> | undefined;
  headers?: Record<string, string> | undefined;
  body?: unknown;
};

export type RawAnswer = {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
};

/** The request of a call, signed as ours. */
export async function requestOf(
  route: Route,
  call: ForwardCall,
  tokens: Pick<ServiceTokens, 'sign'>,
  user: User | undefined,
): Promise<Dispatcher.RequestOptions> {
  const hasBody = call.body !== undefined;
  return {
    method: route.method,
    path: pathOf(route, call.params) + queryOf(call.query),
    headers: {
      ...call.headers,
      ...(hasBody ? { 'content-type': 'application/json' } : {}),
      ...(user ? userHeaders(user) : {}),
      authorization: `Bearer ${await tokens.sign()}`,
    },
    ...(hasBody ? { body: JSON.stringify(call.body) } : {}),
  };
}

function queryOf(query: Record<string, unknown> | undefined): string {
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined);
  if (given.length === 0) return '';
  return `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`;
}

/** True when the failure shows that no byte of the request can have been acted on. */
export function wasNeverSent(error: unknown): boolean {
  if (error instanceof BreakerOpenError) return true;
  const cause = error instanceof UnavailableError ? error.cause : undefined;
  if (cause instanceof undiciErrors.ConnectTimeoutError) return true;
  return (cause as { code?: string } | undefined)?.code === 'ECONNREFUSED';
}

/** A definite error answer is an ApiError; a 5xx that does not say "nothing was done" is unknown. */
export function errorOf(answer: RawAnswer, target: string): Error {
  let body: ErrorDetails & { code?: unknown } = {};
  try {
    body = JSON.parse(answer.text);
  } catch {
    // Not a problem document: judged by its status alone, below.
  }
  const { code } = body;
  if (!isErrorCode(code) || code === 'internal' || code === 'outcome_unknown') {
    return new UnavailableError(target, `${target} answered ${answer.status}`);
  }
  const standard = ['type', 'title', 'status', 'detail', 'code'];
  const details = Object.entries(body).filter(([name]) => !standard.includes(name));
  return new ApiError(code, Object.fromEntries(details) as ErrorDetails);
}
