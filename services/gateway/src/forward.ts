// Everything that another service answers: the request goes on as it was checked, with the user in
// headers, and the answer comes back as it was given.

import { isIP } from 'node:net';
import { BreakerOpenError, type Client, type Context, type RawAnswer } from '@rushlight/chassis';
import type { Input, Route } from '@rushlight/contracts';
import { answerOf, failureOfCall, garbage, type RawAnswerOut } from './answers.ts';

const defaultDeadlineMs = 8_000;

export type ForwardOptions = {
  client: Client;
  route: Route;
  /** Believe what the proxy in front of us says of the client's address. */
  trustProxy: boolean;
  /** 8,000 unless given. */
  deadlineMs?: number;
  /** A question, though it is no GET: without an answer it is as if it had not been asked. */
  onlyReads?: boolean;
};

/** A handler that forwards one route to its owner. */
export function forwardTo(options: ForwardOptions) {
  const { client, route, trustProxy, deadlineMs = defaultDeadlineMs } = options;
  const onlyReads = options.onlyReads === true || route.method === 'GET';
  return async (input: Input<Route>, context: Context): Promise<RawAnswerOut> => {
    const call = callOf(route, input, context, trustProxy);
    const user = context.principal?.kind === 'user' ? context.principal : undefined;
    const answer = await client.forward(route, call, { user, deadlineMs }).catch((error) => {
      // While the breaker is open that has been said, and would be said for every request.
      if (!(error instanceof BreakerOpenError)) {
        context.log.warn({ route: route.path, error }, 'a part did not answer');
      }
      throw failureOfCall(error, client.target, onlyReads);
    });
    return passOn(answer, client.target, route);
  };
}

/** The parts of a request as they travel on. */
export function callOf(route: Route, input: Input<Route>, context: Context, trustProxy: boolean) {
  const headers: Record<string, string> = {
    ...(input.headers as unknown as Record<string, string>),
  };
  // Logins are limited per address, so whoever takes them must know it.
  if (route.who === 'anyone') {
    headers['rushlight-client-address'] = clientAddress(context.request, trustProxy);
  }
  return {
    params: input.params as Record<string, unknown> | undefined,
    query: input.query as Record<string, unknown> | undefined,
    body: input.body,
    headers,
  };
}

/** The last address in X-Forwarded-For is the one that our own proxy saw; those before are claims. */
export function clientAddress(
  request: {
    headers: Record<string, string | string[] | undefined>;
    socket: { remoteAddress?: string | undefined };
  },
  trustProxy: boolean,
): string {
  const socketAddress = request.socket.remoteAddress ?? 'unknown';
  const given = trustProxy ? request.headers['x-forwarded-for'] : undefined;
  const last = String(given ?? '')
    .split(',')
    .at(-1)
    ?.trim();
  return last !== undefined && isIP(last) !== 0 ? last : socketAddress;
}

function passOn(answer: RawAnswer, part: string, route: Route): RawAnswerOut {
  const { status, text } = answer;
  const type = String(answer.headers['content-type'] ?? '');
  const isJson = /^application\/(problem\+)?json\b/.test(type) && isReadable(text);
  const isKnown = status >= 400 ? isJson : status in route.replies && (text === '' || isJson);
  // That we were not let in is between us and them; the user has shown a good token.
  const isOurFault = status === 401 && text.includes('"code":"unauthorized"');
  if (!isKnown || isOurFault) {
    throw failureOfCall(garbage(part, `${status} ${type}`), part, route.method === 'GET');
  }
  const retryAfter = answer.headers['retry-after'];
  return answerOf({
    status,
    text,
    retryAfter: retryAfter === undefined ? undefined : String(retryAfter),
  });
}

function isReadable(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
