// The public API as the rush uses it: what is needed before and after the crowd, asked until it is
// answered.

import { setTimeout as sleep } from 'node:timers/promises';
import { type Call, pathOf, type Reply, type Route } from '@rushlight/contracts';
import type { Answered } from '../load/connection.ts';
import { createLoadClient, type RequestParts } from '../load/load-client.ts';

export type Api = {
  /**
   * Asks until there is an answer that is not "come again".
   *
   * @throws ApiRefusal for any other answer than a 2xx, or when there is none in time
   */
  call<R extends Route>(route: R, parts: Call<R>, patienceMs?: number): Promise<Reply<R>>;
  /** One request of another user. */
  send(parts: RequestParts, patienceMs?: number): Promise<Answered>;
  /** From now on calls are made with this token. */
  useToken(token: string): void;
  readonly token: string;
  close(): void;
};

export class ApiRefusal extends Error {
  override readonly name = 'ApiRefusal';
  readonly status: number;

  constructor(what: string, status: number) {
    super(what);
    this.status = status;
  }
}

const tryMsMax = 15_000;
const patienceMsDefault = 30_000;
const pauseMs = 250;
const again = new Set([408, 429, 503]);

export function createApi(url: string): Api {
  const client = createLoadClient({ url, connectionsMax: 16 });
  let token = '';
  const send: Api['send'] = async (parts, patienceMs = patienceMsDefault) => {
    const endMs = performance.now() + patienceMs;
    for (;;) {
      const outcome = await client.request(parts, tryMsMax);
      const isAnswer = outcome.kind === 'answered' && !again.has(outcome.status);
      if (isAnswer) return outcome;
      if (performance.now() > endMs) {
        const what = outcome.kind === 'answered' ? outcome.body.slice(0, 300) : outcome.why;
        throw new ApiRefusal(`${parts.method} ${url}${parts.path}: ${what}`, 0);
      }
      await sleep(pauseMs);
    }
  };
  return {
    send,
    get token() {
      return token;
    },
    useToken: (given) => {
      token = given;
    },
    call: async (route, parts, patienceMs) => {
      const given = parts as { params?: Record<string, unknown>; query?: object; body?: unknown };
      const query = new URLSearchParams(Object.entries(given.query ?? {})).toString();
      const path = `${pathOf(route, given.params)}${query === '' ? '' : `?${query}`}`;
      const answer = await send(
        {
          method: route.method,
          path,
          headers: token === '' ? {} : { authorization: `Bearer ${token}` },
          ...(given.body === undefined ? {} : { body: JSON.stringify(given.body) }),
        },
        patienceMs,
      );
      const { status, body } = answer;
      if (status >= 300) {
        throw new ApiRefusal(`${route.method} ${url}${path}: ${body.slice(0, 500)}`, status);
      }
      return { status, body: body === '' ? undefined : JSON.parse(body) } as Reply<typeof route>;
    },
    close: () => client.close(),
  };
}
