// Slack and mail against real sockets that answer as they do, or not at all.

import {
  createServer as createHttpServer,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import {
  type AddressInfo,
  createServer as createTcpServer,
  type Server,
  type Socket,
} from 'node:net';
import { realEnvironment } from '@rushlight/chassis';
import { expect, onTestFinished, test } from 'vitest';
import { createNotifiers, notifierSettings } from '../src/alerting/notifiers.ts';
import { smtpConversation } from './smtp-server.ts';

const text = { subject: 'ServiceDown: <orders> & more', lines: ['one', 'two > three'] };
/** Pauses take no time; the limits of the sockets are real. */
const env = { sleep: async () => undefined, after: realEnvironment.after };

async function listen(server: Server): Promise<number> {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

async function slackAt(answer: (request: IncomingMessage, reply: ServerResponse) => void) {
  const bodies: unknown[] = [];
  const server = createHttpServer((request, reply) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      bodies.push(JSON.parse(body));
      answer(request, reply);
    });
  });
  const port = await listen(server);
  const [notifier] = createNotifiers(
    notifierSettings.parse({
      RUSHLIGHT_MONITOR_ALERTS_SLACK_URL: `http://127.0.0.1:${port}/services/T0/B0/hidden-part`,
    }),
    env,
  );
  if (notifier === undefined) throw new Error('no notifier was made');
  return { notifier, bodies };
}

async function mailAt(answerTo: (line: string) => string | undefined, its = env) {
  const sockets = new Set<Socket>();
  const lines: string[] = [];
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    smtpConversation(socket, lines, answerTo);
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  const port = await listen(server);
  const [notifier] = createNotifiers(
    notifierSettings.parse({
      RUSHLIGHT_MONITOR_ALERTS_SMTP_URL: `smtp://127.0.0.1:${port}?ignoreTLS=true`,
      RUSHLIGHT_MONITOR_ALERTS_MAIL_TO: 'ops@example.org, lead@example.org',
    }),
    its,
  );
  if (notifier === undefined) throw new Error('no notifier was made');
  return { notifier, lines };
}

test('nothing is configured, and nobody is told', () => {
  expect(createNotifiers(notifierSettings.parse({}), realEnvironment)).toEqual([]);
});

test.each([
  [{ RUSHLIGHT_MONITOR_ALERTS_SLACK_URL: 'ftp://example.org' }],
  [{ RUSHLIGHT_MONITOR_ALERTS_SMTP_URL: 'example.org:25' }],
  [{ RUSHLIGHT_MONITOR_ALERTS_MAIL_TO: 'ops@example.org, nobody' }],
  [{ RUSHLIGHT_MONITOR_ALERTS_REPEAT_S: '1' }],
])('%j is refused at the door', (given) => {
  expect(notifierSettings.safeParse(given).success).toBe(false);
});

test('Slack gets one text, with its own characters escaped', async () => {
  const { notifier, bodies } = await slackAt((_, reply) => reply.end('ok'));
  await notifier.send(text);
  expect(bodies).toEqual([
    { text: '*ServiceDown: &lt;orders&gt; &amp; more*\none\ntwo &gt; three' },
  ]);
});

test('Slack is asked again when it has trouble, and not when it refuses', async () => {
  const answers = [503, 429, 200];
  const busy = await slackAt((_, reply) => {
    reply.writeHead(answers.shift() ?? 500, { 'retry-after': '1' }).end('later');
  });
  await busy.notifier.send(text);
  expect(busy.bodies).toHaveLength(3);

  const strict = await slackAt((_, reply) => reply.writeHead(404).end('no_service'));
  await expect(strict.notifier.send(text)).rejects.toThrow('it answered 404 "no_service"');
  expect(strict.bodies).toHaveLength(1);
});

test('Slack is given up after a few tries, and its secret stays one', async () => {
  const broken = await slackAt((request) => request.socket.destroy());
  const error = await broken.notifier.send(text).catch((thrown: Error) => thrown);
  expect(error).toMatchObject({ name: 'SendError' });
  expect(String(error)).not.toContain('hidden-part');
  expect(broken.bodies).toHaveLength(3);
});

test('a message to a Slack that never answers ends when the monitor does', async () => {
  const heard = Promise.withResolvers<void>();
  const silent = await slackAt(() => heard.resolve());
  const sending = silent.notifier.send(text).catch((thrown: Error) => thrown);
  await heard.promise;
  silent.notifier.close();
  expect(await sending).toMatchObject({ name: 'SendError' });
});

test('mail is sent to everybody named, as text', async () => {
  const { notifier, lines } = await mailAt(() => undefined);
  await notifier.send(text);
  expect(lines).toContain('RCPT TO:<ops@example.org>');
  expect(lines).toContain('RCPT TO:<lead@example.org>');
  expect(lines).toContain('Subject: ServiceDown: <orders> & more');
  expect(lines).toContain('two > three');
});

test('a mail server that refuses is said with its answer', async () => {
  const { notifier } = await mailAt((line) =>
    line.startsWith('MAIL') ? '550 not from you' : undefined,
  );
  await expect(notifier.send(text)).rejects.toThrow('did not take the mail: 550');
});

test('a mail server that hangs up or is not there is an error, no crash', async () => {
  const { notifier } = await mailAt((line) => (line.startsWith('EHLO') ? 'hang up' : undefined));
  await expect(notifier.send(text)).rejects.toThrow('did not take the mail: E');
  const [absent] = createNotifiers(
    notifierSettings.parse({
      RUSHLIGHT_MONITOR_ALERTS_SMTP_URL: 'smtp://user:hidden-part@127.0.0.1:1',
      RUSHLIGHT_MONITOR_ALERTS_MAIL_TO: 'ops@example.org',
    }),
    env,
  );
  const error = await absent?.send(text).catch((thrown: Error) => thrown);
  expect(String(error)).toMatch(/SendError: 127\.0\.0\.1:1 did not take the mail: E/);
});

test.each(['the time is over', 'the monitor stops'])('a silent mail server: %s', async (why) => {
  const heard = Promise.withResolvers<void>();
  let giveUp: () => void = () => undefined;
  const after = (_: number, run: () => void): (() => void) => {
    giveUp = run;
    return () => undefined;
  };
  const silent = (): string => {
    heard.resolve();
    return 'say nothing';
  };
  const { notifier } = await mailAt(silent, { ...env, after });
  const sending = notifier.send(text).catch((thrown: Error) => thrown);
  await heard.promise;
  if (why === 'the time is over') giveUp();
  else notifier.close();
  expect(await sending).toMatchObject({ name: 'SendError' });
});
