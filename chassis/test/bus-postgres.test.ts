import type { Message } from '@rushlight/contracts';
import { expect, onTestFinished, test } from 'vitest';
import { type Bus, openPostgresBus, type PostgresBusOptions } from '../src/bus/index.ts';
import { realEnvironment as env } from '../src/environment.ts';
import { silentLog } from '../src/log.ts';
import {
  asAdmin,
  freshDatabase,
  startTcpProxy,
  testPostgres,
  until,
} from '../src/testing/index.ts';

async function makeDatabase() {
  const database = await freshDatabase('bus');
  onTestFinished(() => database[Symbol.asyncDispose]());
  const open = async (more: Partial<PostgresBusOptions> = {}): Promise<Bus> => {
    const bus = await openPostgresBus({
      url: database.url,
      name: 'test',
      env,
      log: silentLog,
      ...more,
    });
    onTestFinished(() => bus.close());
    return bus;
  };
  const proxied = async () => {
    const proxy = await startTcpProxy(database.url);
    onTestFinished(() => proxy[Symbol.asyncDispose]());
    return { proxy, url: proxy.through(database.url) };
  };
  const sql = (...statements: string[]): Promise<void> => {
    const url = new URL(testPostgres());
    url.pathname = `/${database.name}`;
    return asAdmin(url.href, statements);
  };
  return { database, open, proxied, sql };
}

const decided = (): Message<'stock.decided'> => ({
  id: env.newId(),
  topic: 'stock.decided',
  atMs: 1,
  events: [{ orderId: env.newId(), outcome: 'short' }],
});
const revoked = (): Message<'token.revoked'> => ({
  id: env.newId(),
  topic: 'token.revoked',
  atMs: 1,
  events: [{ subject: 'ana', expiresAtS: 9 }],
});

test('eight processes may open an empty bus at the same time', async () => {
  const { open } = await makeDatabase();
  const buses = await Promise.all(Array.from({ length: 8 }, () => open()));
  await Promise.all(buses.map((bus) => bus.ping()));
});

test('a process never holds more than four connections', async () => {
  const { database, open, sql } = await makeDatabase();
  const bus = await open({ name: 'counted' });
  const queues = ['orders', 'payments', 'kitchen', 'inventory', 'notifications'] as const;
  for (const queue of queues) bus.consume(queue, async () => {}, { concurrency: 4 });
  bus.listen(
    ['stock.changed'],
    () => {},
    () => {},
  );
  await Promise.all(Array.from({ length: 50 }, () => bus.publish([decided()])));
  const say = `DO $$ BEGIN ASSERT (SELECT count(*) FROM pg_stat_activity
    WHERE datname = '${database.name}' AND application_name = 'counted') <= 4; END $$`;
  await sql(say);
});

test('a lost connection is made again: listeners read anew, consumers go on', async () => {
  const { open, proxied } = await makeDatabase();
  const { proxy, url } = await proxied();
  const bus = await open({ url });
  const publisher = await open();
  let resyncs = 0;
  const heard: string[] = [];
  const handled: string[] = [];
  bus.listen(
    ['token.revoked'],
    ({ id }) => heard.push(id),
    () => {
      resyncs += 1;
    },
  );
  bus.consume('orders', async ({ id }) => void handled.push(id));
  await until(() => resyncs === 1, { what: 'the first connection' });
  proxy.setMode('refusing');
  const [missed, later] = [revoked(), revoked()];
  const waiting = decided();
  await publisher.publish([missed, waiting]);
  proxy.setMode('open');
  await until(() => resyncs === 2, { what: 'the second connection' });
  await publisher.publish([later]);
  await until(() => heard.length === 1 && handled.length === 1, { what: 'both messages' });
  expect([heard, handled]).toEqual([[later.id], [waiting.id]]);
});

test('a consumer that is frozen loses its messages to others after a while', async () => {
  const { open, proxied } = await makeDatabase();
  const { proxy, url } = await proxied();
  const frozen = await open({ url, silenceMs: 600 });
  const other = await open({ pollMs: 50 });
  const never = Promise.withResolvers<void>();
  onTestFinished(() => never.resolve());
  let held = 0;
  frozen.consume('orders', () => {
    held += 1;
    proxy.setMode('silent'); // The server hears nothing more from it, as from a stopped process.
    return never.promise;
  });
  const message = decided();
  await other.publish([message]);
  await until(() => held === 1, { what: 'the frozen one to hold it' });
  const handled: string[] = [];
  other.consume('orders', async ({ id }) => void handled.push(id));
  await until(() => handled.length === 1, { what: 'the other to get it' });
  expect(handled).toEqual([message.id]);
  never.resolve();
});

test('what is no message at all becomes a letter and blocks nobody', async () => {
  const { open, sql } = await makeDatabase();
  const bus = await open();
  const insert = (topic: string, events: string): string =>
    `INSERT INTO messages (queue, id, topic, at_ms, events)
     VALUES ('orders', gen_random_uuid(), '${topic}', 1, '${events}')`;
  await sql(
    insert('no.such.topic', '[]'),
    insert('toString', '[]'),
    insert('stock.decided', '{broken'),
    insert('stock.decided', '{"a":1}'),
  );
  const handled: string[] = [];
  bus.consume('orders', async ({ id }) => void handled.push(id));
  const good = decided();
  await bus.publish([good]);
  await until(() => handled.length === 1, { what: 'the good message' });
  await until(async () => (await bus.deadLetters.list()).length === 4, { what: 'four letters' });
  const errors = (await bus.deadLetters.list()).map(({ error }) => error).sort();
  expect(errors).toEqual([
    'its events are not a JSON list',
    'its events are not a JSON list',
    'no such topic: no.such.topic',
    'no such topic: toString',
  ]);
});

test('close ends also while the connection is being made again', async () => {
  const { open, proxied } = await makeDatabase();
  const { proxy, url } = await proxied();
  const bus = await open({ url });
  bus.consume('orders', async () => {});
  await bus.ping();
  proxy.cut();
  await bus.close();
  await expect(bus.ping()).rejects.toThrow();
});

test('F10: a message that could not be given back is not kept: it comes again', async () => {
  const { open, sql } = await makeDatabase();
  const bus = await open({ policy: { backoffMsMin: 1, backoffMsMax: 2 } });
  // The server refuses the first attempt to put a message off, as it does when its disk is full.
  await sql(
    'CREATE SEQUENCE refusals',
    `CREATE FUNCTION refuse_once() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
     BEGIN
       IF NEW.delays > OLD.delays AND nextval('refusals') = 1 THEN
         RAISE EXCEPTION 'no room' USING ERRCODE = '53100';
       END IF;
       RETURN NEW;
     END $$`,
    `CREATE TRIGGER refuse_once BEFORE UPDATE ON messages
     FOR EACH ROW EXECUTE FUNCTION refuse_once()`,
  );
  let tries = 0;
  bus.consume('orders', async () => {
    if (++tries === 1) throw new Error('no');
  });
  await bus.publish([decided()]);
  await until(async () => (await bus.depth('orders')) === 0, { what: 'a handled message' });
  expect(tries).toBeGreaterThan(1);
});

test('each delivery is counted with what came of it', async () => {
  const { open } = await makeDatabase();
  const seen: string[] = [];
  const bus = await open({
    policy: { attemptsMax: 2, backoffMsMin: 1, backoffMsMax: 2 },
    hooks: {
      onPublished: (topic, count) => seen.push(`${topic} published ${count}`),
      onConsumed: (topic, outcome) => seen.push(`${topic} ${outcome}`),
    },
  });
  let tries = 0;
  bus.consume('orders', async () => {
    if (++tries <= 2) throw new Error('no');
  });
  await bus.publish([decided()]);
  await until(() => seen.length === 3, { what: 'a letter' });
  await bus.publish([decided()]);
  await until(() => seen.length === 5, { what: 'a handled message' });
  // A consumer may be done with a message before its publisher hears that it is durable.
  expect(seen.toSorted()).toEqual([
    'stock.decided dead',
    'stock.decided handled',
    'stock.decided published 1',
    'stock.decided published 1',
    'stock.decided retried',
  ]);
});
