// The bus on RabbitMQ when the broker, the network or the configuration fails.

import {
  type Bus,
  createMemoryLedger,
  realEnvironment as env,
  openRabbitBus,
  type RabbitBusOptions,
  silentLog,
  startRelay,
  UnavailableError,
} from '@rushlight/chassis';
import { seededRandom, startTcpProxy, type TcpProxy, until } from '@rushlight/chassis/testing';
import type { Message } from '@rushlight/contracts';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { rabbitmqMissing, startTestRabbitmq, type TestRabbitmq } from '../src/rabbitmq.ts';
import { newSeed, report } from '../src/report.ts';

const missing = rabbitmqMissing();
if (missing !== undefined) report(`failures of RabbitMQ: not run, because ${missing}`);

const deadlineMs = 60_000;
let rabbitmq: TestRabbitmq;

const decided = (): Message<'stock.decided'> => ({
  id: env.newId(),
  topic: 'stock.decided',
  atMs: env.nowMs(),
  events: [{ orderId: env.newId(), outcome: 'short' }],
});
const revoked = (): Message<'token.revoked'> => ({
  id: env.newId(),
  topic: 'token.revoked',
  atMs: 1,
  events: [{ subject: 'ana', expiresAtS: 9 }],
});

const policy = { backoffMsMin: 5, backoffMsMax: 40 };
const common = { name: 'test', env, log: silentLog, policy };

/** A bus that is there, however slow this machine is now. */
async function open(url: string, more: Partial<RabbitBusOptions> = {}): Promise<Bus> {
  const endMs = env.monotonicMs() + deadlineMs;
  for (;;) {
    try {
      const bus = await openRabbitBus({ url, ...common, ...more });
      onTestFinished(() => bus.close());
      return bus;
    } catch (error) {
      if (!(error instanceof UnavailableError) || env.monotonicMs() > endMs) throw error;
    }
  }
}

async function proxied(url: string): Promise<{ proxy: TcpProxy; through: string }> {
  const proxy = await startTcpProxy(url);
  onTestFinished(() => proxy[Symbol.asyncDispose]());
  return { proxy, through: proxy.through(url) };
}

/** Publishes as the relay does: the same messages again until it is known that they are there. */
async function publishAtLast(bus: Bus, messages: readonly Message[]): Promise<void> {
  await until(
    () =>
      bus.publish(messages).then(
        () => true,
        () => false,
      ),
    { what: 'the bus to take messages', deadlineMs },
  );
}

describe.skipIf(missing !== undefined)('RabbitMQ', () => {
  beforeAll(async () => {
    rabbitmq = await startTestRabbitmq();
  });
  afterAll(() => rabbitmq?.[Symbol.asyncDispose]());

  test('eight processes may open an empty broker at the same time', async () => {
    const url = rabbitmq.freshUrl();
    const buses = await Promise.all(Array.from({ length: 8 }, () => open(url)));
    await Promise.all(buses.map((bus) => bus.ping()));
  });

  test('what is wrong with the URL, or with a queue, is told as what it is', async () => {
    const url = rabbitmq.freshUrl();
    const wrongPassword = url.replace(/:[^:@]+@/, ':wrong@');
    await expect(open(wrongPassword)).rejects.toThrow(/refuses user "rushlight".*ACCESS_REFUSED/);
    await expect(open(`${url}-nowhere`)).rejects.toThrow(/host\d+-nowhere.*not found/);
    const nobody = new URL(url);
    nobody.port = '1';
    const unreachable = openRabbitBus({ url: nobody.href, ...common });
    await expect(unreachable).rejects.toBeInstanceOf(UnavailableError);
    const host = new URL(url).pathname.slice(1);
    const declare = `rabbit_amqqueue:declare(rabbit_misc:r(<<"${host}">>, queue, <<"rushlight.orders">>), true, false, [], none, <<"test">>)`;
    rabbitmq.ctl('eval', `element(1, ${declare}).`);
    await expect(open(url)).rejects.toThrow(/declared otherwise.*rushlight\.orders/);
  });

  test('a bus may be opened before its broker: it works when that is there', async () => {
    const url = rabbitmq.freshUrl();
    const { proxy, through } = await proxied(url);
    proxy.setMode('refusing');
    const said: string[] = [];
    const say = (_: unknown, message: string): void => void said.push(message);
    const log = { ...silentLog, info: say, warn: say };
    const bus = await openRabbitBus({ url: through, ...common, log, connectsLater: true });
    onTestFinished(() => bus.close());
    const handled: string[] = [];
    bus.consume('orders', async ({ id }) => void handled.push(id));
    await expect(bus.publish([decided()])).rejects.toBeInstanceOf(UnavailableError);
    proxy.setMode('open');
    const message = decided();
    await publishAtLast(bus, [message]);
    await until(() => handled.includes(message.id), { what: 'the message', deadlineMs });
    // One line of each kind for each of its two connections, however often they were tried.
    expect(said.filter((line) => /is not connected/.test(line))).toHaveLength(2);
    expect(said.filter((line) => /is connected again/.test(line))).toHaveLength(2);
  });

  test('a lost connection is made again: listeners read anew, consumers go on', async () => {
    const url = rabbitmq.freshUrl();
    const { proxy, through } = await proxied(url);
    const bus = await open(through);
    const publisher = await open(url);
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
    const [missed, later, waiting] = [revoked(), revoked(), decided()];
    await publisher.publish([missed, waiting]);
    proxy.setMode('open');
    await until(() => resyncs === 2, { what: 'the second connection' });
    await publisher.publish([later]);
    await until(() => heard.length === 1 && handled.length === 1, { what: 'both messages' });
    expect([heard, handled]).toEqual([[later.id], [waiting.id]]);
    await publishAtLast(bus, [decided()]);
  });

  test('a network that swallows everything: calls end in time, and go on afterwards', async () => {
    const url = rabbitmq.freshUrl();
    const { proxy, through } = await proxied(url);
    const bus = await open(through, { answerMsMax: 1_500 });
    const message = decided();
    proxy.setMode('silent');
    const calls = [bus.publish([message]), bus.ping(), bus.depth('orders')];
    for (const call of await Promise.allSettled(calls)) {
      expect(call).toMatchObject({ status: 'rejected', reason: { name: 'UnavailableError' } });
    }
    proxy.setMode('open');
    await publishAtLast(bus, [message]);
    const handled = new Set<string>();
    bus.consume('orders', async ({ id }) => void handled.add(id));
    await until(() => handled.size === 1, { what: 'the message', deadlineMs });
    expect([...handled]).toEqual([message.id]);
  });

  test('a consumer that is frozen loses its messages to others after a while', async () => {
    const url = rabbitmq.freshUrl();
    const { proxy, through } = await proxied(url);
    const frozen = await open(through, { heartbeatS: 1 });
    const other = await open(url);
    const never = Promise.withResolvers<void>();
    onTestFinished(() => never.resolve());
    let held = 0;
    frozen.consume('orders', () => {
      held += 1;
      proxy.setMode('silent');
      return never.promise;
    });
    const message = decided();
    await other.publish([message]);
    await until(() => held > 0, { what: 'the frozen one to hold it' });
    const handled: string[] = [];
    other.consume('orders', async ({ id }) => void handled.push(id));
    await until(() => handled.length === 1, { what: 'the other to get it', deadlineMs });
    expect(handled).toEqual([message.id]);
  });

  test('close ends while the network swallows everything', async () => {
    const { proxy, through } = await proxied(rabbitmq.freshUrl());
    const bus = await open(through, { answerMsMax: 1_500 });
    const consuming = bus.consume('orders', async () => {});
    bus.listen(
      ['stock.changed'],
      () => {},
      () => {},
    );
    await publishAtLast(bus, [decided()]);
    proxy.setMode('silent');
    await consuming.close();
    await bus.close();
    await expect(bus.ping()).rejects.toThrow();
  });

  test('a broker without memory: publishing waits, then says so; consuming goes on', async () => {
    const url = rabbitmq.freshUrl();
    const bus = await open(url, { blockedMsMax: 200, answerMsMax: 1_500 });
    const handled = new Set<string>();
    const before = Array.from({ length: 10 }, () => decided());
    await publishAtLast(bus, before);
    rabbitmq.ctl('set_vm_memory_high_watermark', '0.000001');
    const [first, second] = [decided(), decided()];
    try {
      let said = '';
      await until(
        () =>
          bus.publish([first]).then(
            () => false,
            (error: Error) => {
              said = error instanceof UnavailableError ? error.message : '';
              return /takes no messages/.test(said);
            },
          ),
        { what: 'the broker to take nothing', deadlineMs },
      );
      expect(said).toMatch(/low on memory/);
      await expect(bus.ping()).rejects.toThrow(/takes no messages/);
      bus.consume('orders', async ({ id }) => void handled.add(id));
      await until(() => before.every(({ id }) => handled.has(id)), { what: 'all of before' });
    } finally {
      rabbitmq.ctl('set_vm_memory_high_watermark', '0.4');
    }
    await publishAtLast(bus, [first, second]);
    await until(() => handled.has(first.id) && handled.has(second.id), {
      what: 'what was published afterwards',
      deadlineMs,
    });
  });

  test('a queue that was deleted is made again, and nothing is confirmed without one', async () => {
    const url = rabbitmq.freshUrl();
    const bus = await open(url);
    const handled = new Set<string>();
    bus.consume('orders', async ({ id }) => void handled.add(id));
    const first = decided();
    await bus.publish([first]);
    await until(() => handled.has(first.id), { what: 'the first message' });
    const host = new URL(url).pathname.slice(1);
    rabbitmq.ctl('delete_queue', '--vhost', host, 'rushlight.orders');
    const second = decided();
    await publishAtLast(bus, [second]);
    await until(() => handled.has(second.id), { what: 'the second message', deadlineMs });
  });

  test('what is no message of ours becomes a letter and blocks nobody', async () => {
    const url = rabbitmq.freshUrl();
    const bus = await open(url);
    const host = new URL(url).pathname.slice(1);
    const put = (type: string, body: string): string =>
      `rabbit_basic:publish(rabbit_misc:r(<<"${host}">>, exchange, <<>>), <<"rushlight.orders">>,
        [{delivery_mode, 2}, {type, <<"${type}">>}], <<"${body}">>)`;
    const bodies = [put('no.such.topic', '[]'), put('toString', '[1]'), put('stock.decided', '{')];
    rabbitmq.ctl('eval', `${bodies.join(', ')}.`);
    const handled: string[] = [];
    bus.consume('orders', async ({ id }) => void handled.push(id));
    const good = decided();
    await bus.publish([good]);
    await until(() => handled.length === 1, { what: 'the good message' });
    await until(async () => (await bus.deadLetters.list()).length === 3, { what: 'three letters' });
    const errors = (await bus.deadLetters.list()).map(({ error }) => error).sort();
    expect(errors).toEqual([
      'its events are not a JSON list',
      'no such topic: no.such.topic',
      'no such topic: toString',
    ]);
  });

  test('what the broker itself gives up on is a letter like any other', async () => {
    const url = rabbitmq.freshUrl();
    const bus = await open(url);
    const host = new URL(url).pathname.slice(1);
    const short = ['expire', '^rushlight[.]orders$', '{"message-ttl":1}', '--apply-to', 'queues'];
    rabbitmq.ctl('set_policy', '--vhost', host, ...short);
    const message = decided();
    await bus.publish([message]);
    await until(async () => (await bus.deadLetters.list()).length === 1, { what: 'a letter' });
    const looks = await Promise.all([bus.deadLetters.list(), bus.deadLetters.list()]);
    for (const letters of looks) {
      expect(letters).toMatchObject([
        { queue: 'orders', topic: 'stock.decided', events: message.events },
      ]);
    }
    expect(looks[0]?.[0]?.error).toBe('the broker gave up on it: expired');
    rabbitmq.ctl('clear_policy', '--vhost', host, 'expire');
    const handled: string[] = [];
    bus.consume('orders', async ({ id }) => void handled.push(id));
    expect(await bus.deadLetters.replay(looks[0]?.[0]?.id ?? '')).toBe(true);
    await until(() => handled.length === 1, { what: 'the replayed message' });
    expect(handled).toEqual([message.id]);
  });

  test('each delivery is counted with what came of it', async () => {
    const seen: string[] = [];
    const bus = await open(rabbitmq.freshUrl(), {
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
    expect(seen.toSorted()).toEqual([
      'stock.decided dead',
      'stock.decided handled',
      'stock.decided published 1',
      'stock.decided published 1',
      'stock.decided retried',
    ]);
  });

  test('killed and restarted under load: what was committed is handled, all of it', async () => {
    const seed = newSeed('kills of RabbitMQ');
    const dice = seededRandom(seed);
    const url = rabbitmq.freshUrl();
    const one = await open(url, { answerMsMax: 1_500 });
    const two = await open(url, { answerMsMax: 1_500 });
    const { transaction, outbox } = createMemoryLedger({ env });
    const relay = startRelay({ outbox, bus: one, env, log: silentLog, pauseMs: 5 });
    onTestFinished(() => relay.close(0));
    const committed: string[] = [];
    const handled = new Set<string>();
    const take = async (messages: readonly Message[]): Promise<void> => {
      await env.sleep(dice() * 5);
      if (dice() < 0.1) throw new Error('now and then it fails');
      if (dice() < 0.1) throw new UnavailableError('store', 'store is down');
      for (const { events } of messages) {
        for (const event of events as { orderId: string }[]) handled.add(event.orderId);
      }
    };
    one.consumeBatches('orders', take, { concurrency: 2 });
    two.consumeBatches('orders', take);
    let over = false;
    const selling = (async () => {
      while (!over) {
        const events = Array.from({ length: 1 + Math.floor(dice() * 5) }, () => ({
          orderId: env.newId(),
          outcome: 'short' as const,
        }));
        await transaction('sell', (tx) => tx.emit('stock.decided', events));
        committed.push(...events.map(({ orderId }) => orderId));
        await env.sleep(dice() * 20);
      }
    })();
    for (const how of ['kill', 'restart', 'kill'] as const) {
      await env.sleep(300 + dice() * 700);
      await rabbitmq[how]();
    }
    over = true;
    await selling;
    const lost = (): string[] => committed.filter((id) => !handled.has(id));
    await until(async () => lost().length === 0 && (await outbox.depth()) === 0, {
      what: `all of ${committed.length} events (seed ${seed})`,
      deadlineMs,
    });
    expect(await one.deadLetters.counts()).toEqual([]);
    report(`${committed.length} events committed while RabbitMQ was killed twice: 0 lost`);
  });
});
