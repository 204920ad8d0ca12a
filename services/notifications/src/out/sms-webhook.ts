// Messages out by SMS: a webhook is told, and whoever owns it has a contract with a carrier.
//
//   POST URL
//   Authorization: Bearer TOKEN            where there is one
//   Idempotency-Key: ORDER.STEP            the same at every attempt
//   {"to": "student1", "text": "Your meal is ready. …", "orderId": "…", "step": "ready"}
//
// S1. 2xx: sent. 408, 425, 429 and 5xx: again later. 401, 403 and 407 are about us and not about the
//     message, as if nobody answered. Any other 4xx, and a redirection, is for good.
// S2. Redirections are not followed: the token is for this address alone.

import type { Environment } from '@rushlight/chassis';
import type { Attempt, Channel } from './channel.ts';

export type SmsOptions = {
  url: string;
  token: string | undefined;
  env: Pick<Environment, 'after'>;
  answerMsMax?: number;
};

const answerMsMaxDefault = 10_000;
const waitMsMax = 10 * 60_000;
const aboutUs = [401, 403, 407];
const laterStatuses = [408, 425, 429];

export function smsChannel(options: SmsOptions): Channel {
  const { url, token, env, answerMsMax = answerMsMaxDefault } = options;
  const stop = new AbortController();
  return {
    name: 'sms',
    host: new URL(url).hostname,
    send: async ({ orderId, step, studentId, text }) => {
      const late = new AbortController();
      const cancel = env.after(answerMsMax, () => late.abort());
      try {
        const answer = await fetch(url, {
          method: 'POST',
          redirect: 'manual', // S2
          headers: {
            'content-type': 'application/json',
            'idempotency-key': `${orderId}.${step}`,
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          },
          body: JSON.stringify({ to: studentId, text, orderId, step }),
          signal: AbortSignal.any([stop.signal, late.signal]),
        });
        await answer.body?.cancel().catch(() => undefined); // Nobody reads what it says.
        return attemptOf(answer.status, answer.headers.get('retry-after'));
      } catch (error) {
        if (late.signal.aborted) return { outcome: 'down', why: 'too_slow' };
        const { cause } = error as { cause?: { code?: string } };
        return { outcome: 'down', why: cause?.code ?? 'unknown' };
      } finally {
        cancel();
      }
    },
    close: () => stop.abort(),
  };
}

function attemptOf(status: number, retryAfter: string | null): Attempt {
  const why = String(status);
  if (status >= 200 && status < 300) return { outcome: 'sent' };
  if (aboutUs.includes(status)) return { outcome: 'down', why };
  if (status < 500 && !laterStatuses.includes(status)) return { outcome: 'refused', why };
  const seconds = Number(retryAfter ?? 0);
  if (!(seconds > 0)) return { outcome: 'later', why };
  return { outcome: 'later', why, waitMs: Math.min(seconds * 1_000, waitMsMax) };
}
