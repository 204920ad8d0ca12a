import { realEnvironment } from '@rushlight/chassis';
import { until } from '@rushlight/chassis/testing';
import { expect, onTestFinished, test } from 'vitest';
import type { Letter } from '../src/out/channel.ts';
import { addressOf, type MailOptions, mailChannel } from '../src/out/mail.ts';
import { idOf } from './help.ts';
import { type MailServer, startMailServer, testCertificate } from './mail-server.ts';

const letter = (more: Partial<Letter> = {}): Letter => ({
  orderId: idOf('order'),
  step: 'ready',
  studentId: 'sara',
  text: 'Your meal is ready. Your pick-up number is 7.',
  ...more,
});

async function serverOf(options: Parameters<typeof startMailServer>[0] = {}): Promise<MailServer> {
  const server = await startMailServer(options);
  onTestFinished(() => server.stop());
  return server;
}

function channelTo(url: string, more: Partial<MailOptions> = {}) {
  const channel = mailChannel({
    url,
    from: 'shop@campus.example',
    to: '{studentId}@campus.example',
    env: realEnvironment,
    ...more,
  });
  onTestFinished(() => channel.close());
  return channel;
}

const urlOf = (server: MailServer): string => `smtp://127.0.0.1:${server.port}`;

test('a mail goes to the student of the order, under an id of order and step', async () => {
  const server = await serverOf();
  const channel = channelTo(urlOf(server));
  expect(await channel.send(letter())).toEqual({ outcome: 'sent' });
  expect(await channel.send(letter({ step: 'cancelled' }))).toEqual({ outcome: 'sent' });
  const [ready, cancelled] = server.received;
  expect(ready?.to).toEqual(['sara@campus.example']);
  expect(ready?.messageId).toBe(`<${idOf('order')}.ready@campus.example>`);
  expect(ready?.text).toContain('Subject: Your meal is ready');
  expect(ready?.text).toContain('Auto-Submitted: auto-generated');
  expect(ready?.text).toContain('pick-up number is 7');
  expect(cancelled?.messageId).toBe(`<${idOf('order')}.cancelled@campus.example>`);
  expect(server.connections()).toBe(1);
});

test.each([
  { code: 450, to: 'recipient', outcome: 'later' },
  { code: 550, to: 'recipient', outcome: 'refused' },
  { code: 452, to: 'message', outcome: 'later' },
  { code: 554, to: 'message', outcome: 'refused' },
  { code: 421, to: 'message', outcome: 'down' },
] as const)('$code to the $to means: $outcome', async ({ code, to, outcome }) => {
  const server = await serverOf();
  const channel = channelTo(urlOf(server));
  server.behave({ kind: 'answers', code, to });
  expect(await channel.send(letter())).toEqual({ outcome, why: String(code) });
  server.behave({ kind: 'takes' });
  await until(async () => (await channel.send(letter())).outcome === 'sent', { what: 'the mail' });
});

test('a server that is not there, hangs up or says nothing is down; none is waited for long', async () => {
  const server = await serverOf();
  const limits = { connectMs: 500, silenceMs: 300, sendMs: 5_000 };
  const channel = channelTo(urlOf(server), { limits });
  for (const kind of ['closes', 'hangs'] as const) {
    server.behave({ kind });
    expect(await channel.send(letter())).toMatchObject({ outcome: 'down' });
  }
  await server.stop();
  expect(await channel.send(letter())).toMatchObject({ outcome: 'down' });
  server.behave({ kind: 'takes' });
  await server.start();
  await until(async () => (await channel.send(letter())).outcome === 'sent', { what: 'the mail' });
});

test('a server that never comes to an end is given up', async () => {
  const server = await serverOf();
  server.behave({ kind: 'hangs' });
  const limits = { silenceMs: 60_000, sendMs: 300 };
  const channel = channelTo(urlOf(server), { limits });
  expect(await channel.send(letter())).toEqual({ outcome: 'down', why: 'too_slow' });
});

test('what is being sent when the channel closes is given up at once', async () => {
  const server = await serverOf();
  server.behave({ kind: 'hangs' });
  const channel = channelTo(urlOf(server));
  const sending = channel.send(letter());
  await until(() => server.received.length === 1, { what: 'the mail to be under way' });
  channel.close();
  expect(await sending).toMatchObject({ outcome: 'down' });
});

test('smtps is spoken, and a certificate of a stranger is not taken', async () => {
  const server = await serverOf({ secure: true, ...testCertificate });
  const url = `smtps://127.0.0.1:${server.port}`;
  const known = channelTo(url, { ca: testCertificate.cert });
  expect(await known.send(letter())).toEqual({ outcome: 'sent' });
  expect(await channelTo(url).send(letter())).toMatchObject({ outcome: 'down' });
  expect(server.received).toHaveLength(1);
});

test('STARTTLS is used where the server has it; a wrong password is no fault of the message', async () => {
  const logins: string[] = [];
  const server = await serverOf({
    ...testCertificate,
    authOptional: false,
    onAuth: ({ username, password }, session, callback) => {
      logins.push(`${username} ${session.secure}`);
      if (password === 'p@ss/word') return callback(null, { user: 'shop' });
      callback(new Error('no such login'));
    },
  });
  const url = (password: string): string =>
    `smtp://shop:${encodeURIComponent(password)}@localhost:${server.port}`;
  const { cert: ca } = testCertificate;
  expect(await channelTo(url('p@ss/word'), { ca }).send(letter())).toEqual({ outcome: 'sent' });
  const wrong = await channelTo(url('guess'), { ca }).send(letter());
  expect(wrong).toMatchObject({ outcome: 'down' });
  expect(JSON.stringify(wrong)).not.toContain('guess');
  expect(logins).toEqual(['shop true', 'shop true']);
});

test('an id that makes no plain address gets no mail', async () => {
  const server = await serverOf();
  const channel = channelTo(urlOf(server));
  const wrong = [
    'eve@evil.example',
    'eve\r\nBcc: all@campus.example',
    'eve, all@campus.example',
    'eve <all>',
    '"eve"',
    'eve\u0000',
    'é',
    'x'.repeat(65),
    '',
  ];
  for (const studentId of wrong) {
    expect(await channel.send(letter({ studentId }))).toEqual({
      outcome: 'refused',
      why: 'no_address',
    });
  }
  expect(server.connections()).toBe(0);
  expect(addressOf('{studentId}', 'sara@campus.example')).toBe('sara@campus.example');
  expect(addressOf('{studentId}@x.example', '$&')).toBe('$&@x.example');
});
