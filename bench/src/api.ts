// The few calls that prepare a measurement.

import { setTimeout as sleep } from 'node:timers/promises';

type PlainRoute = { method: string; path: string };
type Parts = { body?: object; token?: string; headers?: Record<string, string> };

const answerMsMax = 30_000;
const busyMsMax = 60_000;
const busyPauseMs = 100;

/** The answer's JSON. @throws Error for a refusal */
export async function call(url: string, route: PlainRoute, parts: Parts = {}): Promise<unknown> {
  const { body, token, headers = {} } = parts;
  const answer = await fetch(`${url}${route.path}`, {
    method: route.method,
    headers: {
      ...headers,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(answerMsMax),
  });
  if (answer.ok) return answer.json();
  const words = `${route.method} ${route.path}: ${answer.status} ${await answer.text()}`;
  throw answer.status === 503 ? new BusyError(words) : new Error(words);
}

/** 503: come again. */
class BusyError extends Error {
  override readonly name = 'BusyError';
}

/** Asks again while the answer is 503: a platform that has just started, or has just been busy. */
export async function untilTaken<T>(ask: () => Promise<T>): Promise<T> {
  const endMs = performance.now() + busyMsMax;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof BusyError) || performance.now() > endMs) throw error;
      await sleep(busyPauseMs);
    }
  }
}
