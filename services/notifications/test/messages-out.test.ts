// The service as a process, with a real mail server and a real webhook on the other side.

import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type Bus,
  openPostgres,
  openPostgresBus,
  type PostgresStore,
  realEnvironment,
  silentLog,
} from '@rushlight/chassis';
import { readMetrics, startService, type TestService, until } from '@rushlight/chassis/testing';
import { type Message, publicApi } from '@rushlight/contracts';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { step, type Told, user } from './help.ts';
import { type MailServer, startMailServer } from './mail-server.ts';
import { listen } from './sse.ts';

let mail: MailServer;
let service: TestService;
let bus: Bus;
let database: PostgresStore;
const webhook = { told: [] as { key: string; body: { to: string } }[], status: 200 };
const webhookServer = createServer(async (request, response) => {
  let text = '';
  for await (const chunk of request) text += chunk;
  const key = String(request.headers['idempotency-key']);
  if (webhook.status === 200) webhook.told.push({ key, body: JSON.parse(text) });
  response.writeHead(webhook.status).end();
});

beforeAll(async () => {
  mail = await startMailServer();
  await new Promise<void>((resolve) => webhookServer.listen(0, '127.0.0.1', resolve));
  const { port } = webhookServer.address() as AddressInfo;
  service = await startService('notifications', {
    env: {
      RUSHLIGHT_NOTIFICATIONS_SMTP_URL: `smtp://127.0.0.1:${mail.port}`,
      RUSHLIGHT_NOTIFICATIONS_MAIL_FROM: 'shop@campus.example',
      RUSHLIGHT_NOTIFICATIONS_MAIL_TO: '{studentId}@campus.example',
      RUSHLIGHT_NOTIFICATIONS_SMS_WEBHOOK_URL: `http://127.0.0.1:${port}/`,
      RUSHLIGHT_NOTIFICATIONS_SMS_WEBHOOK_TOKEN: 'a-token-that-nobody-may-read',
      RUSHLIGHT_NOTIFICATIONS_MESSAGES_PER_S: '200',
    },
  });
  const { env, log } = { env: realEnvironment, log: silentLog };
  bus = await openPostgresBus({ url: service.busUrl, name: 'neighbour', env, log });
  const migrations = new URL('../migrations/', import.meta.url);
  database = await openPostgres({ url: service.databaseUrl, name: 'test', env, log, migrations });
});
beforeEach(() => {
  mail.behave({ kind: 'takes' });
  webhook.status = 200;
});
afterAll(async () => {
  await bus?.close();
  await database?.close();
  await service?.[Symbol.asyncDispose]();
  await mail?.stop();
  webhookServer.close();
  webhookServer.closeAllConnections();
});

const logs: string[] = [];
const orderOf = (studentId: string): Told => ({ orderId: randomUUID(), studentId });
const publish = (...messages: Message[]) => bus.publish(messages);
const mailsTo = (studentId: string) =>
  mail.received.filter(({ to }) => to.includes(`${studentId}@campus.example`));
const smsTo = (studentId: string) => webhook.told.filter(({ body }) => body.to === studentId);
const patiently = { deadlineMs: 45_000 };

const stateOf = async (studentId: string, channel: string): Promise<string | undefined> => {
  const statement = {
    name: 'test_state',
    text: 'SELECT state FROM outgoing WHERE student_id = $1 AND channel = $2',
  };
  const [row] = await database.query<{ state: string }>(statement, [studentId, channel]);
  return row?.state;
};
const triesOf = async (studentId: string): Promise<number> => {
  const text = 'SELECT min(attempts) AS tries FROM outgoing WHERE student_id = $1';
  const [row] = await database.query<{ tries: number }>({ name: 'test_tries', text }, [studentId]);
  return row?.tries ?? 0;
};
/** As if the waits of everything were over. */
const hurry = () =>
  database.query({ name: 'test_hurry', text: 'UPDATE outgoing SET due_at = clock_timestamp()' });

test('each step that is worth a message is sent once on each channel, whatever is told twice', async () => {
  const [ready, ended] = [orderOf('mona'), orderOf('mona')];
  const messages = [step('paid', [ready]), step('ready', [ready]), step('rejected', [ended])];
  await publish(...messages);
  await publish(...messages, step('ready', [ready]));
  await until(() => mailsTo('mona').length >= 2 && smsTo('mona').length >= 2, {
    ...patiently,
    what: 'the messages',
  });
  await publish(step('ready', [orderOf('last')]));
  await until(() => mailsTo('last').length === 1, { ...patiently, what: 'a later mail' });
  const keys = [`${ready.orderId}.ready`, `${ended.orderId}.rejected`].sort();
  expect(
    mailsTo('mona')
      .map(({ messageId }) => messageId)
      .sort(),
  ).toEqual(keys.map((key) => `<${key}@campus.example>`));
  expect(
    smsTo('mona')
      .map(({ key }) => key)
      .sort(),
  ).toEqual(keys);
});

test('a mail server that is down costs nothing but the wait, and the stream does not feel it', async () => {
  await mail.stop();
  const stream = await listen(service.as(), publicApi.myEvents, user('omar'));
  onTestFinished(() => stream.close());
  const orders = Array.from({ length: 20 }, () => orderOf('omar'));
  await publish(step('ready', orders));
  const readies = () => stream.heard.filter(({ data }) => data['status'] === 'ready');
  await until(() => readies().length === orders.length, { ...patiently, what: 'the events' });
  await until(() => service.output().includes('messages out wait'), {
    ...patiently,
    what: 'the line that says so',
  });
  await until(() => smsTo('omar').length === orders.length, { ...patiently, what: 'the SMS' });
  await mail.start();
  await until(
    async () => {
      await hurry();
      return new Set(mailsTo('omar').map(({ messageId }) => messageId)).size === orders.length;
    },
    { ...patiently, what: 'the mails' },
  );
  const { series } = await readMetrics(service.url);
  const sent = series.find(({ name, labels }) => {
    return (
      name === 'messages_out_total' && labels['channel'] === 'mail' && labels['outcome'] === 'sent'
    );
  });
  expect(sent?.value).toBeGreaterThanOrEqual(orders.length);
  const waiting = series.filter(({ name }) => name === 'messages_out_waiting');
  expect(waiting.map(({ labels }) => labels['channel']).sort()).toEqual(['mail', 'sms']);
});

test('what is refused for good ends; what is put off comes again', async () => {
  mail.behave({ kind: 'answers', code: 550, to: 'recipient' });
  await publish(step('cancelled', [orderOf('gone')]));
  await until(async () => (await stateOf('gone', 'mail')) === 'refused', {
    ...patiently,
    what: 'the refusal',
  });
  mail.behave({ kind: 'answers', code: 450, to: 'recipient' });
  webhook.status = 500;
  await publish(step('cancelled', [orderOf('later')]));
  await until(async () => (await triesOf('later')) >= 1, { ...patiently, what: 'a try on both' });
  mail.behave({ kind: 'takes' });
  webhook.status = 200;
  await until(
    async () => {
      await hurry();
      return mailsTo('later').length >= 1 && smsTo('later').length >= 1;
    },
    { ...patiently, what: 'both' },
  );
  expect(mailsTo('gone')).toEqual([]);
});

test('who is killed before it knows that the mail was taken sends it again, under the same id', async () => {
  mail.behave({ kind: 'hangs' });
  await publish(step('ready', [orderOf('nour')]));
  await until(() => mailsTo('nour').length === 1, { ...patiently, what: 'the mail' });
  logs.push(service.output());
  await service.kill();
  mail.behave({ kind: 'takes' });
  await service.start();
  await until(
    async () => {
      await hurry(); // As if the lease of the dead were over.
      return (await stateOf('nour', 'mail')) === 'sent';
    },
    { ...patiently, what: 'the mail to be known as sent' },
  );
  const ids = mailsTo('nour').map(({ messageId }) => messageId);
  expect(ids.length).toBeGreaterThanOrEqual(2);
  expect(new Set(ids).size).toBe(1);
});

test('a silent mail server holds up no stop, and the log names neither students nor secrets', async () => {
  mail.behave({ kind: 'hangs' });
  await publish(step('ready', [orderOf('lina')]));
  await until(() => mailsTo('lina').length === 1, { ...patiently, what: 'the mail' });
  logs.push(service.output());
  expect(await service.stop()).toBe(0);
  const said = logs.join('\n');
  expect(said).toContain('a message out was refused for good');
  const students = ['mona', 'omar', 'gone', 'later', 'nour', 'lina'];
  for (const hidden of [...students.map((name) => `${name}@`), 'nobody-may-read', 'pick-up']) {
    expect(said).not.toContain(hidden);
  }
  await service.start();
});

test.each([
  {
    given: { RUSHLIGHT_NOTIFICATIONS_SMTP_URL: 'smtp://u:hidden-password@mail.example' },
    says: 'RUSHLIGHT_NOTIFICATIONS_MAIL_TO is missing',
  },
  {
    given: { RUSHLIGHT_NOTIFICATIONS_SMS_WEBHOOK_TOKEN: 'hidden-token' },
    says: 'RUSHLIGHT_NOTIFICATIONS_SMS_WEBHOOK_URL is missing',
  },
  {
    given: { RUSHLIGHT_NOTIFICATIONS_MAIL_TO: 'everybody@campus.example' },
    says: 'has no {studentId} in it',
  },
])('half a configuration is refused with a sentence: $says', async ({ given, says }) => {
  const starting = startService('notifications', { env: given });
  await expect(starting).rejects.toThrow(says);
  await expect(starting).rejects.not.toThrow('hidden');
});
