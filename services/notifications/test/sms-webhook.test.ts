import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { realEnvironment } from '@rushlight/chassis';
import { until } from '@rushlight/chassis/testing';
import { expect, onTestFinished, test } from 'vitest';
import { smsChannel } from '../src/out/sms-webhook.ts';
import { idOf } from './help.ts';

type Told = { headers: IncomingHttpHeaders; body: unknown };
type Answer = { status: number; headers?: Record<string, string> } | 'nothing' | 'hang up';

async function webhookOf(answer: () => Answer): Promise<{ url: string; told: Told[] }> {
  const told: Told[] = [];
  const server: Server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    told.push({ headers: request.headers, body: JSON.parse(text) });
    const given = answer();
    if (given === 'hang up') request.socket.destroy();
    else if (given !== 'nothing') response.writeHead(given.status, given.headers).end('said');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/sms`, told };
}

const letter = { orderId: idOf('order'), step: 'ready', studentId: 'sara', text: 'Ready.' };

function channelTo(url: string, token?: string, answerMsMax?: number) {
  const limit = answerMsMax === undefined ? {} : { answerMsMax };
  const channel = smsChannel({ url, token, env: realEnvironment, ...limit });
  onTestFinished(() => channel.close());
  return channel;
}

test('the webhook is told whom, what and why, under a key of order and step', async () => {
  const { url, told } = await webhookOf(() => ({ status: 202 }));
  expect(await channelTo(url, 'secret-token').send(letter)).toEqual({ outcome: 'sent' });
  expect(told).toHaveLength(1);
  expect(told[0]?.body).toEqual({
    to: 'sara',
    text: 'Ready.',
    orderId: idOf('order'),
    step: 'ready',
  });
  expect(told[0]?.headers).toMatchObject({
    authorization: 'Bearer secret-token',
    'content-type': 'application/json',
    'idempotency-key': `${idOf('order')}.ready`,
  });
});

test.each([
  { status: 400, attempt: { outcome: 'refused', why: '400' } },
  { status: 404, attempt: { outcome: 'refused', why: '404' } },
  { status: 401, attempt: { outcome: 'down', why: '401' } },
  { status: 500, attempt: { outcome: 'later', why: '500' } },
  { status: 503, retryAfter: '7', attempt: { outcome: 'later', why: '503', waitMs: 7_000 } },
  { status: 429, retryAfter: '99999', attempt: { outcome: 'later', why: '429', waitMs: 600_000 } },
  { status: 429, retryAfter: 'soon', attempt: { outcome: 'later', why: '429' } },
])('$status (Retry-After: $retryAfter) is understood', async ({ status, retryAfter, attempt }) => {
  const headers: Record<string, string> = retryAfter ? { 'retry-after': retryAfter } : {};
  const { url } = await webhookOf(() => ({ status, headers }));
  expect(await channelTo(url).send(letter)).toEqual(attempt);
});

test('a redirection is not followed: the token is for one address', async () => {
  const elsewhere = await webhookOf(() => ({ status: 200 }));
  const { url } = await webhookOf(() => ({ status: 307, headers: { location: elsewhere.url } }));
  expect(await channelTo(url, 't').send(letter)).toEqual({ outcome: 'refused', why: '307' });
  expect(elsewhere.told).toEqual([]);
});

test('who is silent, hangs up or is not there is down', async () => {
  let answer: Answer = 'nothing';
  const { url } = await webhookOf(() => answer);
  const channel = channelTo(url, undefined, 300);
  expect(await channel.send(letter)).toEqual({ outcome: 'down', why: 'too_slow' });
  answer = 'hang up';
  expect(await channelTo(url).send(letter)).toMatchObject({ outcome: 'down' });
  expect(await channelTo('http://127.0.0.1:1/').send(letter)).toMatchObject({ outcome: 'down' });
});

test('what is under way when the channel closes is given up at once', async () => {
  const { url, told } = await webhookOf(() => 'nothing');
  const channel = channelTo(url);
  const sending = channel.send(letter);
  await until(() => told.length === 1, { what: 'the call to be under way' });
  channel.close();
  expect(await sending).toMatchObject({ outcome: 'down' });
});
