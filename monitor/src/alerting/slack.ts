// Slack's incoming webhooks: POST with a text, 200 "ok"
// (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks).

import type { Environment } from '@rushlight/chassis';
import { request } from 'undici';
import type { MessageText } from './message-text.ts';
import { type Notifier, SendError } from './notifier.ts';

const answerMsMax = 5_000;
const triesMax = 3;
const pauseMs = 500;
const pauseMsMax = 10_000;
const answerCharactersMax = 200;

type Attempt =
  | { outcome: 'sent' }
  | { outcome: 'refused'; why: string }
  | { outcome: 'again'; why: string; pauseMs?: number };

export function slackNotifier(options: { url: string; env: Pick<Environment, 'sleep'> }): Notifier {
  const { url, env } = options;
  const { host } = new URL(url);
  const abort = new AbortController();
  return {
    name: 'slack',
    send: async (text) => {
      const body = JSON.stringify({ text: slackText(text) });
      for (let tries = 1; ; tries++) {
        const attempt = await post(url, body, abort.signal);
        if (attempt.outcome === 'sent') return;
        if (attempt.outcome === 'refused' || tries === triesMax) {
          throw new SendError(`${host} did not take the message: ${attempt.why}`);
        }
        await env.sleep(attempt.pauseMs ?? pauseMs * 2 ** tries, abort.signal);
      }
    },
    close: () => abort.abort(new SendError(`${host}: the monitor stops`)),
  };
}

async function post(url: string, body: string, stopped: AbortSignal): Promise<Attempt> {
  try {
    const answer = await request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      signal: AbortSignal.any([stopped, AbortSignal.timeout(answerMsMax)]),
    });
    const { statusCode, headers } = answer;
    const said = (await readSome(answer.body)).trim();
    if (statusCode >= 200 && statusCode < 300) return { outcome: 'sent' };
    const why = `it answered ${statusCode} "${said}"`;
    if (statusCode !== 429 && statusCode < 500) return { outcome: 'refused', why };
    const retryAfterS = Number(headers['retry-after']);
    return Number.isFinite(retryAfterS) && retryAfterS > 0
      ? { outcome: 'again', why, pauseMs: Math.min(retryAfterS * 1_000, pauseMsMax) }
      : { outcome: 'again', why };
  } catch (error) {
    return { outcome: 'again', why: (error as Error).message };
  }
}

/** The beginning of an answer; the rest is not read. */
async function readSome(body: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const chunk of body) {
    text += chunk.toString('utf8');
    if (text.length >= answerCharactersMax) break;
  }
  return text.slice(0, answerCharactersMax);
}

/** The three characters that mean something to Slack are escaped, as its documentation says. */
function slackText({ subject, lines }: MessageText): string {
  const escaped = (text: string): string =>
    text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return [`*${escaped(subject)}*`, ...lines.map(escaped)].join('\n');
}
