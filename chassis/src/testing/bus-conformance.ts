// What every bus promises, as tests. Each adapter runs these same ones.

import type { Message, Topic } from '@rushlight/contracts';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Bus } from '../bus/index.ts';
import { realEnvironment as env } from '../environment.ts';
import {
  batchConformance,
  batchDeathConformance,
  batchFailureConformance,
} from './bus-batch-conformance.ts';
import {
  deathConformance,
  failureConformance,
  innocenceConformance,
  letterConformance,
  poisonConformance,
  suspicionConformance,
} from './bus-failure-conformance.ts';
import { type BrokerUnderTest, decided, emptied, type Make, recorder } from './bus-under-test.ts';
import { until } from './until.ts';

/** @param makeBroker an empty broker; disposed by the suite */
export function busConformance(name: string, makeBroker: () => Promise<BrokerUnderTest>): void {
  const make: Make = async () => {
    const broker = await makeBroker();
    const buses: Bus[] = [];
    onTestFinished(async () => {
      await Promise.all(buses.map((bus) => bus.close()));
      await broker[Symbol.asyncDispose]();
    });
    const connect = async (): Promise<Bus> => {
      const bus = await broker.connect();
      buses.push(bus);
      return bus;
    };
    return { broker, connect };
  };
  describe(`${name}: delivery`, () => deliveryConformance(make));
  describe(`${name}: sharing`, () => sharingConformance(make));
  describe(`${name}: failing handlers`, () => failureConformance(make));
  describe(`${name}: poison`, () => poisonConformance(make));
  describe(`${name}: dead letters`, () => letterConformance(make));
  describe(`${name}: dying consumers`, () => deathConformance(make));
  describe(`${name}: deadly messages`, () => suspicionConformance(make));
  describe(`${name}: innocent messages`, () => innocenceConformance(make));
  describe(`${name}: batches`, () => batchConformance(make));
  describe(`${name}: failing batches`, () => batchFailureConformance(make));
  describe(`${name}: dying consumers of batches`, () => batchDeathConformance(make));
  describe(`${name}: broadcasts`, () => broadcastConformance(make));
}

const stockChanged = (available: number): Message<'stock.changed'> => ({
  id: env.newId(),
  topic: 'stock.changed',
  atMs: 1_000,
  events: [{ itemId: 'tea', available, stockVersion: available }],
});

function deliveryConformance(make: Make): void {
  test('a message reaches each queue that is bound to its topic, whole, and no other', async () => {
    const { connect } = await make();
    const [publisher, consumer] = [await connect(), await connect()];
    const orders = recorder(consumer, 'orders');
    const notifications = recorder(consumer, 'notifications');
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const message: Message<'item.changed'> = {
      id: env.newId(),
      topic: 'item.changed',
      atMs: 1_764_000_000_123,
      traceparent,
      events: [
        {
          itemId: 'tea',
          name: 'Tea "é"',
          category: 'x',
          priceCents: 5,
          removed: false,
          version: 1,
        },
      ],
    };
    const short = decided();
    await publisher.publish([message, short]);
    await until(() => orders.seen.length === 2, { what: 'two messages in orders' });
    await Promise.all([emptied(consumer, 'orders'), emptied(consumer, 'notifications')]);
    expect(notifications.seen).toEqual([message]);
    expect(orders.seen).toContainEqual(message);
    expect(orders.seen).toContainEqual(short);
  });

  test('a message that is published again with its id is delivered once', async () => {
    const { broker, connect } = await make();
    const bus = await connect();
    const most = broker.mayRepeat ? 3 : 1;
    const message = decided();
    expect(await bus.oldestMs('orders')).toBe(0);
    await Promise.all([bus.publish([message]), bus.publish([message]), bus.publish([message])]);
    const depth = await bus.depth('orders');
    expect(depth).toBeGreaterThanOrEqual(1);
    expect(depth).toBeLessThanOrEqual(most);
    expect(await bus.oldestMs('orders')).toBeGreaterThanOrEqual(0);
    const orders = recorder(bus, 'orders');
    await until(() => orders.seen.length > 0, { what: 'the message' });
    await emptied(bus, 'orders');
    expect(new Set(orders.ids())).toEqual(new Set([message.id]));
    expect(orders.seen.length).toBeLessThanOrEqual(most);
  });

  test('what was published while nobody listened is delivered later', async () => {
    const { connect } = await make();
    const bus = await connect();
    const messages = Array.from({ length: 120 }, () => decided());
    await bus.publish(messages);
    const orders = recorder(await connect(), 'orders');
    await until(() => orders.seen.length >= messages.length, { what: 'all messages' });
    await emptied(bus, 'orders');
    expect(new Set(orders.ids())).toEqual(new Set(messages.map(({ id }) => id)));
    expect(orders.seen.length).toBe(120);
  });
}

function sharingConformance(make: Make): void {
  test('two consumers share a queue: each message is handled once', async () => {
    const { connect } = await make();
    const [one, two] = [await connect(), await connect()];
    const both = [recorder(one, 'orders'), recorder(two, 'orders')];
    const messages = Array.from({ length: 100 }, () => decided());
    await Promise.all(messages.map((message) => one.publish([message])));
    const seen = (): string[] => both.flatMap((each) => each.ids());
    await until(() => seen().length >= messages.length, { what: 'all messages' });
    await emptied(one, 'orders');
    const ids = seen();
    expect(ids.sort()).toEqual(messages.map(({ id }) => id).sort());
  });

  test('as many messages as allowed are handled at the same time, and not one more', async () => {
    const { connect } = await make();
    const bus = await connect();
    const gate = Promise.withResolvers<void>();
    let atOnce = 0;
    let most = 0;
    let handled = 0;
    bus.consume(
      'orders',
      async () => {
        most = Math.max(most, ++atOnce);
        await gate.promise;
        atOnce -= 1;
        handled += 1;
      },
      { concurrency: 3 },
    );
    await bus.publish(Array.from({ length: 9 }, () => decided()));
    await until(() => atOnce === 3, { what: 'three handlers' });
    expect(await bus.depth('orders')).toBe(9);
    gate.resolve();
    await until(() => handled === 9, { what: 'all messages' });
    await emptied(bus, 'orders');
    expect(most).toBe(3);
  });

  test('close waits for the handler that runs, and takes nothing more', async () => {
    const { connect } = await make();
    const bus = await connect();
    const gate = Promise.withResolvers<void>();
    const orders = recorder(bus, 'orders', () => gate.promise);
    await bus.publish([decided(), decided()]);
    await until(() => orders.seen.length === 1, { what: 'a handler' });
    let closed = false;
    const closing = orders.close().then(() => {
      closed = true;
    });
    await bus.ping();
    expect(closed).toBe(false);
    gate.resolve();
    await closing;
    expect(orders.seen.length).toBe(1);
    expect(await (await connect()).depth('orders')).toBe(1);
  });
}

function broadcastConformance(make: Make): void {
  const listener = async (bus: Bus, topics: ('stock.changed' | 'token.revoked')[]) => {
    const heard: Message<Topic>[] = [];
    let resyncs = 0;
    const subscription = bus.listen(
      topics,
      (message) => heard.push(message),
      () => {
        resyncs += 1;
      },
    );
    await until(() => resyncs > 0, { what: 'the first resync' });
    return { heard, resyncs: () => resyncs, close: () => subscription.close() };
  };

  test('every listener hears, each only its topics, and nothing after it closed', async () => {
    const { connect } = await make();
    const [one, two] = [await connect(), await connect()];
    const stock = [
      await listener(one, ['stock.changed']),
      await listener(two, ['stock.changed', 'token.revoked']),
    ];
    const tokens = await listener(two, ['token.revoked']);
    const message = stockChanged(3);
    await one.publish([message, decided()]);
    await until(() => stock.every(({ heard }) => heard.length === 1), { what: 'both to hear' });
    await stock[0]?.close();
    await one.publish([stockChanged(2)]);
    await until(() => stock[1]?.heard.length === 2, { what: 'the other to hear again' });
    expect(stock.map(({ heard }) => heard[0])).toEqual([message, message]);
    expect(stock[0]?.heard.length).toBe(1);
    expect(tokens.heard).toEqual([]);
  });

  test('a broadcast of many events is heard whole', async () => {
    const { connect } = await make();
    const bus = await connect();
    const { heard } = await listener(bus, ['stock.changed']);
    const events = Array.from({ length: 500 }, (_, index) => ({
      itemId: `item-${index}`,
      available: index,
      stockVersion: index,
    }));
    await bus.publish([{ ...stockChanged(0), events }]);
    const count = (): number => heard.reduce((sum, message) => sum + message.events.length, 0);
    await until(() => count() === 500, { what: 'all events' });
    expect(heard.flatMap((message): unknown[] => message.events)).toEqual(events);
  });
}
