// The few calls that prepare a measurement.

type PlainRoute = { method: string; path: string };
type Parts = { body?: object; token?: string; headers?: Record<string, string> };

const answerMsMax = 30_000;

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
  throw new Error(`${route.method} ${route.path}: ${answer.status} ${await answer.text()}`);
}
