// A client as an outside program would write it. What it may expect comes from the contracts, and
// every answer is held against them.

import {
  type Call,
  errors,
  isErrorCode,
  type Problem,
  pathOf,
  type Reply,
  type Route,
} from '@rushlight/contracts';
import { Agent, type Dispatcher, request } from 'undici';

export type Answer = {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
};

export type Parts = {
  params?: unknown;
  query?: unknown;
  headers?: unknown;
  /** Sent as JSON; a string or bytes as they are. */
  body?: unknown;
};

export type Sending = {
  token?: string | undefined;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  deadlineMs?: number;
};

export type Api = AsyncDisposable & {
  readonly url: string;
  send(method: string, path: string, sending?: Sending): Promise<Answer>;
  /** One route with any parts, right or wrong. */
  try(route: Route, parts: Parts, token?: string): Promise<Answer>;
  /** One route, used rightly. @throws RefusedError for a problem document */
  call<R extends Route>(route: R, parts: Call<R>, token?: string): Promise<Reply<R>>;
  /** The head of an answer whose body goes on: an event stream. */
  open(path: string, sending?: Sending): Promise<Dispatcher.ResponseData>;
};

/** An answer that was not the wished one. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly answer: Answer;
  readonly code: string;

  constructor(what: string, answer: Answer) {
    super(`${what}: ${answer.status} ${answer.text.slice(0, 500)}`);
    this.answer = answer;
    this.code = codeOf(answer);
  }
}

const answerMsMax = 20_000;

/** @param localAddress the address to call from, where it is not the usual one */
export function createApi(url: string, localAddress?: string): Api {
  const from = localAddress === undefined ? {} : { localAddress };
  const dispatcher = new Agent({ connections: 256, pipelining: 1, ...from });
  const open: Api['open'] = (path, { token, headers = {}, body, deadlineMs = answerMsMax } = {}) =>
    request(`${url}${path}`, {
      method: 'GET',
      dispatcher,
      headersTimeout: deadlineMs,
      bodyTimeout: 0,
      headers: { ...headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
      ...(body === undefined ? {} : { body }),
    });
  const send: Api['send'] = async (method, path, sending = {}) => {
    const { token, headers = {}, body, deadlineMs = answerMsMax } = sending;
    const answer = await request(`${url}${path}`, {
      method: method as Dispatcher.HttpMethod,
      dispatcher,
      headersTimeout: deadlineMs,
      bodyTimeout: deadlineMs,
      headers: { ...headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
      ...(body === undefined ? {} : { body }),
    });
    const text = await answer.body.text();
    return { status: answer.statusCode, headers: answer.headers, text };
  };
  const tryRoute: Api['try'] = async (route, parts, token) => {
    const { path, sending } = requestOf(route, parts, token);
    if (!route.stream) return send(route.method, path, sending);
    const { statusCode, headers, body } = await open(path, sending);
    if (statusCode === 200) {
      body.on('error', () => undefined).destroy();
      return { status: statusCode, headers, text: '' };
    }
    return { status: statusCode, headers, text: await body.text() };
  };
  return {
    url,
    send,
    open,
    try: tryRoute,
    call: async <R extends Route>(route: R, parts: Call<R>, token?: string): Promise<Reply<R>> => {
      const answer = await tryRoute(route, parts as Parts, token);
      const what = `${route.method} ${pathOf(route, (parts as { params?: object }).params as never)}`;
      const schema = route.replies[answer.status];
      if (schema === undefined) throw new RefusedError(what, answer);
      if (schema === null) return { status: answer.status, body: undefined } as Reply<R>;
      return { status: answer.status, body: schema.parse(JSON.parse(answer.text)) } as Reply<R>;
    },
    [Symbol.asyncDispose]: () => dispatcher.destroy(),
  };
}

function requestOf(route: Route, parts: Parts, token: string | undefined) {
  const query = new URLSearchParams(
    Object.entries((parts.query ?? {}) as Record<string, unknown>)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]): [string, string] => [name, String(value)]),
  ).toString();
  const path = pathOf(route, (parts.params ?? {}) as Record<string, unknown>);
  const headers: Record<string, string> = { ...(parts.headers as Record<string, string>) };
  const sending: Sending = { token, headers };
  if (parts.body !== undefined) {
    headers['content-type'] ??= 'application/json';
    const isRaw = typeof parts.body === 'string' || parts.body instanceof Uint8Array;
    sending.body = isRaw ? (parts.body as string) : JSON.stringify(parts.body);
  }
  return { path: query === '' ? path : `${path}?${query}`, sending };
}

export function jsonOf<T = Record<string, unknown>>(answer: Answer): T {
  return JSON.parse(answer.text) as T;
}

/** The code of a problem document, or what is wrong with it. */
export function codeOf(answer: Answer): string {
  try {
    return (JSON.parse(answer.text) as { code?: string }).code ?? '(no code)';
  } catch {
    return '(no JSON)';
  }
}

/**
 * Why an answer is not a proper one to bad input, or undefined when it is: a problem document with a
 * code of the table and its status; of the 5xx only 503, with Retry-After.
 */
export function faultOfProblem(answer: Answer, what = 'the request'): string | undefined {
  const said = `${what} → ${answer.status} ${answer.text.slice(0, 400)}`;
  const type = String(answer.headers['content-type'] ?? '');
  if (!type.startsWith('application/problem+json')) return `${said}: content-type is "${type}"`;
  const problem = readProblem(answer.text);
  if (problem === undefined) return `${said}: not JSON`;
  const { code, status, title, detail } = problem;
  if (!isErrorCode(code)) return `${said}: the code ${code} is not in the table`;
  const spec = errors[code];
  if (spec.http !== answer.status || status !== answer.status) return `${said}: wrong status`;
  if (answer.status >= 500 && answer.status !== 503) return `${said}: a 5xx`;
  if (title !== spec.title || typeof detail !== 'string') return `${said}: title or detail`;
  const waits = answer.status === 503 || answer.status === 429;
  const retryAfter = Number(answer.headers['retry-after']);
  if (waits && !(retryAfter >= 1)) return `${said}: no Retry-After`;
  return undefined;
}

function readProblem(text: string): Problem | undefined {
  try {
    return JSON.parse(text) as Problem;
  } catch {
    return undefined;
  }
}
