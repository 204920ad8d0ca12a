// What every bus promises when handlers fail and consumers die, as tests.

import { expect, onTestFinished, test } from 'vitest';
import type { Bus } from '../bus/index.ts';
import { realEnvironment as env } from '../environment.ts';
import { UnavailableError } from '../store/index.ts';
import {
  conformancePolicy,
  decided,
  emptied,
  letterCount,
  type Make,
  recorder,
} from './bus-under-test.ts';
import { until } from './until.ts';

export function failureConformance(make: Make): void {
  test('a message whose handler failed comes again; the others do not wait for it', async () => {
    const { connect } = await make();
    const bus = await connect();
    const [bad, good] = [decided(), decided()];
    const failed = new Set<string>();
    const orders = recorder(bus, 'orders', async ({ id }) => {
      if (id !== bad.id || failed.has(id)) return;
      failed.add(id);
      throw new Error('the first time fails');
    });
    await bus.publish([bad, good]);
    await until(() => orders.seen.length >= 3, { what: 'three deliveries' });
    await emptied(bus, 'orders');
    expect(orders.ids().filter((id) => id === bad.id).length).toBe(2);
    expect(orders.ids().filter((id) => id === good.id).length).toBe(1);
    expect(await bus.deadLetters.counts()).toEqual([]);
  });

  test('a neighbour that is down uses up no tries, however long it takes', async () => {
    const { connect } = await make();
    const bus = await connect();
    let tries = 0;
    const triesNeeded = conformancePolicy.attemptsMax * 4;
    bus.consume('orders', async () => {
      if (++tries < triesNeeded) throw new UnavailableError('store', 'store is down');
    });
    await bus.publish([decided(2)]);
    await until(() => tries >= triesNeeded, { what: `${triesNeeded} tries` });
    await emptied(bus, 'orders');
    expect(tries).toBe(triesNeeded);
    expect(await bus.deadLetters.counts()).toEqual([]);
  });
}

export function poisonConformance(make: Make): void {
  test('an event that always fails ends alone in the dead letters', async () => {
    const { connect } = await make();
    const bus = await connect();
    const message = decided(5);
    const poison = message.events[2]?.orderId ?? '';
    const done = new Set<string>();
    bus.consume('orders', async ({ events }) => {
      const ids = (events as { orderId: string }[]).map(({ orderId }) => orderId);
      if (ids.includes(poison)) throw new Error(`cannot take it ${'x'.repeat(2_000)}`);
      for (const id of ids) done.add(id);
    });
    const after = decided();
    await bus.publish([message, after]);
    const sound = [...message.events, ...after.events].filter(({ orderId }) => orderId !== poison);
    await until(async () => done.size >= sound.length && (await letterCount(bus)) > 0, {
      what: 'the sound events, and a letter',
    });
    await emptied(bus, 'orders');
    expect(done).toEqual(new Set(sound.map(({ orderId }) => orderId)));
    const [letter, ...others] = await bus.deadLetters.list();
    expect(others).toEqual([]);
    expect(letter).toMatchObject({
      queue: 'orders',
      topic: 'stock.decided',
      attempts: conformancePolicy.attemptsMax,
      events: [{ orderId: poison, outcome: 'short' }],
    });
    expect(letter?.error).toMatch(/^cannot take it/);
    expect(letter?.error.length).toBeLessThanOrEqual(1_000);
  });

  test('an event that does not fit its schema dies at once, the others are delivered', async () => {
    const { connect } = await make();
    const bus = await connect();
    const message = decided(3);
    const wrong = { orderId: 7, outcome: 'short' } as unknown as (typeof message.events)[number];
    const [first, second, third] = message.events;
    const events = [first, wrong, second, third] as typeof message.events;
    const orders = recorder(bus, 'orders');
    await bus.publish([
      { ...message, events },
      { ...decided(), events: [wrong] },
    ]);
    await until(async () => orders.seen.length > 0 && (await letterCount(bus)) > 1, {
      what: 'a message, and two letters',
    });
    await emptied(bus, 'orders');
    expect(orders.seen).toEqual([message]);
    const letters = await bus.deadLetters.list();
    expect(letters.map((letter) => letter.events)).toEqual([[wrong], [wrong]]);
    expect(letters[0]?.error).toMatch(/stock\.decided.*orderId/);
  });
}

export function letterConformance(make: Make): void {
  const letterIn = async (bus: Bus, fails: () => boolean) => {
    const orders = recorder(bus, 'orders', async () => {
      if (fails()) throw new Error('not today');
    });
    const message = decided();
    await bus.publish([message]);
    await until(async () => (await bus.deadLetters.list()).length === 1, { what: 'a letter' });
    const [letter] = await bus.deadLetters.list();
    return { orders, message, id: letter?.id ?? '' };
  };

  test('a replayed letter is delivered with the id of its message, with all its tries', async () => {
    const { connect } = await make();
    const bus = await connect();
    let failures = 0;
    const { orders, message, id } = await letterIn(
      bus,
      () => ++failures < conformancePolicy.attemptsMax * 2,
    );
    expect(await bus.deadLetters.counts()).toEqual([{ queue: 'orders', count: 1 }]);
    expect(await bus.deadLetters.replay(id)).toBe(true);
    await until(() => orders.seen.length >= conformancePolicy.attemptsMax * 2, {
      what: 'all its tries',
    });
    await emptied(bus, 'orders');
    expect(new Set(orders.ids())).toEqual(new Set([message.id]));
    expect(orders.seen.length).toBe(conformancePolicy.attemptsMax * 2);
    expect(await bus.deadLetters.counts()).toEqual([]);
    expect(await bus.deadLetters.replay(id)).toBe(false);
  });

  test('a dropped letter is gone; one that never was is not found', async () => {
    const { connect } = await make();
    const bus = await connect();
    const { id } = await letterIn(bus, () => true);
    expect(await bus.deadLetters.drop(env.newId())).toBe(false);
    expect(await bus.deadLetters.drop("'; DROP TABLE messages; --")).toBe(false);
    expect(await bus.deadLetters.replay('')).toBe(false);
    expect(await bus.deadLetters.drop(id)).toBe(true);
    expect(await bus.deadLetters.drop(id)).toBe(false);
    expect(await bus.deadLetters.list()).toEqual([]);
    expect(await bus.depth('orders')).toBe(0);
  });
}

export function deathConformance(make: Make): void {
  test('what a killed consumer held is handled by another', async () => {
    const { broker, connect } = await make();
    const [doomed, other] = [await connect(), await connect()];
    const never = Promise.withResolvers<void>();
    onTestFinished(() => never.resolve());
    const held = recorder(doomed, 'orders', () => never.promise);
    const message = decided();
    await other.publish([message]);
    await until(() => held.seen.length === 1, { what: 'the first delivery' });
    const heir = recorder(other, 'orders');
    await broker.kill(doomed);
    // The doomed one may connect again and take it first; then it is delivered there.
    await until(() => heir.seen.length + held.seen.length === 2, { what: 'the second delivery' });
    expect([...heir.ids(), ...held.ids()]).toEqual([message.id, message.id]);
  });

  test('a message that kills whoever takes it ends in the dead letters', async () => {
    const { broker, connect } = await make();
    const publisher = await connect();
    const message = decided();
    await publisher.publish([message]);
    for (let deaths = 0; deaths < conformancePolicy.attemptsMax; deaths++) {
      const doomed = await broker.connect();
      const never = Promise.withResolvers<void>();
      const taken = recorder(doomed, 'orders', () => never.promise);
      await until(() => taken.seen.length > 0, { what: `delivery ${deaths + 1}` });
      const closing = taken.close();
      await broker.kill(doomed);
      never.resolve();
      await closing;
      await doomed.close();
    }
    const survivor = recorder(publisher, 'orders');
    await until(async () => (await publisher.deadLetters.list()).length === 1, {
      what: 'a letter',
    });
    expect(survivor.seen).toEqual([]);
    expect(await publisher.depth('orders')).toBe(0);
  });
}

export function suspicionConformance(make: Make): void {
  test('a message that kills whoever takes it takes no other message along', async () => {
    const { broker, connect } = await make();
    const judge = await connect();
    const messages = [decided(), decided(), decided()];
    const poison = messages[1]?.id;
    await judge.publish(messages);
    const done: string[] = [];
    const isOver = async (): Promise<boolean> =>
      new Set(done).size === 2 && (await letterCount(judge)) > 0;
    for (let deaths = 0; !(await isOver()) && deaths < 12; deaths++) {
      const doomed = await broker.connect();
      const dead = Promise.withResolvers<void>();
      const handling = new Set<string>();
      const subscription = doomed.consume(
        'orders',
        async ({ id }) => {
          handling.add(id);
          await env.sleep(5); // By then the others that are handled at the same time are here.
          if (handling.has(poison ?? '')) return dead.promise;
          handling.delete(id);
          done.push(id);
        },
        { concurrency: 3 },
      );
      await until(async () => handling.has(poison ?? '') || (await isOver()), {
        what: 'the poison to be taken',
      });
      const closing = subscription.close();
      await broker.kill(doomed);
      dead.resolve();
      await closing;
      await doomed.close();
    }
    const letters = await judge.deadLetters.list();
    expect(letters.map(({ events }) => events)).toEqual([messages[1]?.events]);
    expect(new Set(done)).toEqual(new Set([messages[0]?.id, messages[2]?.id]));
  });
}

export function innocenceConformance(make: Make): void {
  test('a message that was held together with others is not blamed for the deaths', async () => {
    const { broker, connect } = await make();
    const judge = await connect();
    const messages = [decided(), decided(), decided()];
    await judge.publish(messages);
    const triesLeft = conformancePolicy.attemptsMax - 1;
    for (let deaths = 0; deaths < 2 + triesLeft; deaths++) {
      const doomed = await broker.connect();
      const dead = Promise.withResolvers<void>();
      let held = 0;
      const subscription = doomed.consume(
        'orders',
        async () => {
          held += 1;
          await dead.promise;
        },
        { concurrency: 3 },
      );
      const wanted = deaths < 2 ? 3 : 1;
      await until(() => held >= wanted, { what: `${wanted} deliveries, death ${deaths + 1}` });
      const closing = subscription.close();
      await broker.kill(doomed);
      dead.resolve();
      await closing;
      await doomed.close();
    }
    const survivor = recorder(judge, 'orders');
    await until(() => new Set(survivor.ids()).size >= 3, { what: 'all three' });
    await emptied(judge, 'orders');
    expect(new Set(survivor.ids())).toEqual(new Set(messages.map(({ id }) => id)));
    expect(await judge.deadLetters.list()).toEqual([]);
  });
}
