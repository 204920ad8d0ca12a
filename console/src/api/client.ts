// The typed client: `call(publicApi.placeOrder, {...})`. Method, path, parameters, bodies and answers
// come from the contract's route object; every failure is a CallError.

import { type Call, pathOf, type Reply, type Route } from '@rushlight/contracts';
import { CallError, readError, unreachable } from './call-error.ts';

/** How the client meets the world; tests give their own. */
export type ClientWorld = {
  readonly baseUrl: string;
  readonly fetch: typeof fetch;
  readonly token: () => string | undefined;
  /** Each call's end: whether anything of ours answered. */
  readonly onAnswer?: (reachable: boolean) => void;
  /** A token that we sent was refused. */
  readonly onUnauthorized?: (token: string) => void;
};

export type CallOptions = { readonly signal?: AbortSignal; readonly timeoutMs?: number };
export type Client = <R extends Route>(
  route: R,
  input?: Call<R>,
  options?: CallOptions,
) => Promise<Reply<R>>;

const timeoutMsDefault = 10_000;

type Parts = {
  params?: object | undefined;
  query?: object | undefined;
  headers?: object | undefined;
  body?: unknown;
};

export function createClient(world: ClientWorld): Client {
  return async <R extends Route>(route: R, input?: Call<R>, options: CallOptions = {}) => {
    const token = world.token();
    const parts: Parts = input ?? {};
    const reply = await send(world, route, parts, token, options);
    if (reply.ok) return (await readReply(reply, options)) as Reply<R>;
    const error = await readError(reply);
    if (error.code === 'unauthorized' && token !== undefined) world.onUnauthorized?.(token);
    throw error;
  };
}

async function send(
  world: ClientWorld,
  route: Route,
  parts: Parts,
  token: string | undefined,
  options: CallOptions,
): Promise<Response> {
  const timeout = AbortSignal.timeout(options.timeoutMs ?? timeoutMsDefault);
  const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
  const headers = new Headers(parts.headers as Record<string, string> | undefined);
  headers.set('accept', 'application/json');
  if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
  if (parts.body !== undefined) headers.set('content-type', 'application/json');
  const body = parts.body === undefined ? null : JSON.stringify(parts.body);
  try {
    const reply = await world.fetch(urlOf(world, route, parts), {
      method: route.method,
      headers,
      body,
      signal,
      cache: 'no-store',
    });
    world.onAnswer?.(isOurs(reply));
    return reply;
  } catch (error) {
    if (options.signal?.aborted) throw error;
    world.onAnswer?.(false);
    throw unreachable();
  }
}

/** A proxy in front that lost us answers 502 or 504 with a page of its own. */
function isOurs(reply: Response): boolean {
  const json = reply.headers.get('content-type')?.includes('json') ?? false;
  return reply.status < 500 || json;
}

function urlOf(world: ClientWorld, route: Route, parts: Parts): string {
  const path = pathOf(route, parts.params as Record<string, unknown> | undefined);
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parts.query ?? {})) {
    if (value !== undefined) query.set(name, String(value));
  }
  const search = query.size > 0 ? `?${query}` : '';
  return `${world.baseUrl}${path}${search}`;
}

async function readReply(reply: Response, options: CallOptions): Promise<unknown> {
  if (reply.status === 204) return { status: 204, body: undefined };
  try {
    return { status: reply.status, body: await reply.json() };
  } catch (error) {
    if (options.signal?.aborted) throw error;
    // Cut off in the middle: what was asked may well have been done.
    if (error instanceof SyntaxError) {
      throw new CallError('garbled', 'Rushlight gave an answer that we do not understand.');
    }
    throw unreachable();
  }
}
