// What every bus promises to handlers that take several messages at a time, as tests.

import type { Message } from '@rushlight/contracts';
import { expect, onTestFinished, test } from 'vitest';
import type { BatchHandler } from '../bus/index.ts';
import { realEnvironment as env } from '../environment.ts';
import { UnavailableError } from '../store/index.ts';
import { conformancePolicy, decided, emptied, letterCount, type Make } from './bus-under-test.ts';
import { until } from './until.ts';

const idsOf = (messages: readonly Message[]): string[] => messages.map(({ id }) => id);

export function batchConformance(make: Make): void {
  test('what waits is handed over together, up to the limits, each message once', async () => {
    const { connect } = await make();
    const bus = await connect();
    const messages = [3, 3, 3, 9, 1, 1, 1, 1, 1, 1].map((count) => decided(count));
    await bus.publish(messages);
    const calls: Message[][] = [];
    const take: BatchHandler = async (batch) => void calls.push([...batch]);
    bus.consumeBatches('orders', take, { messagesMax: 4, eventsMax: 6 });
    await until(() => calls.flat().length >= messages.length, { what: 'all messages' });
    await emptied(bus, 'orders');
    expect(calls.flatMap(idsOf).sort()).toEqual(idsOf(messages).sort());
    expect(calls.length).toBeLessThan(messages.length);
    for (const call of calls) {
      const events = call.reduce((sum, message) => sum + message.events.length, 0);
      expect(call.length).toBeLessThanOrEqual(4);
      expect(events <= 6 || call.length === 1).toBe(true);
    }
  });

  test('calls are as rare as the pause says, however many messages come', async () => {
    const { connect } = await make();
    const bus = await connect();
    const pauseMs = 100;
    const messages = Array.from({ length: 30 }, () => decided());
    const calls: string[][] = [];
    const startedMs = env.monotonicMs();
    const take: BatchHandler = async (batch) => void calls.push(idsOf(batch));
    bus.consumeBatches('orders', take, { pauseMs });
    for (const message of messages) await bus.publish([message]);
    await until(() => calls.flat().length >= messages.length, { what: 'all messages' });
    await emptied(bus, 'orders');
    const pauses = Math.ceil((env.monotonicMs() - startedMs) / pauseMs);
    expect(calls.length).toBeLessThanOrEqual(1 + pauses);
    expect(calls.flat().sort()).toEqual(idsOf(messages).sort());
  });

  test('close waits for the batch that runs, and takes nothing more', async () => {
    const { connect } = await make();
    const bus = await connect();
    const gate = Promise.withResolvers<void>();
    const taken: string[] = [];
    await bus.publish([decided(), decided(), decided()]);
    const take: BatchHandler = async (batch) => {
      taken.push(...idsOf(batch));
      await gate.promise;
    };
    const consuming = bus.consumeBatches('orders', take, { messagesMax: 2 });
    await until(() => taken.length === 2, { what: 'a batch' });
    const closing = consuming.close();
    gate.resolve();
    await closing;
    expect(taken.length).toBe(2);
    expect(await (await connect()).depth('orders')).toBe(1);
  });
}

export function batchFailureConformance(make: Make): void {
  test('a batch that fails is handed over one by one: the bad message fails alone', async () => {
    const { connect } = await make();
    const bus = await connect();
    const messages = [decided(), decided(), decided(), decided()];
    const poison = messages[2]?.id ?? '';
    const before = decided();
    const done: string[] = [];
    let together = 0;
    const take: BatchHandler = async (batch) => {
      together = Math.max(together, batch.length);
      if (idsOf(batch).includes(poison)) throw new Error('cannot take it');
      done.push(...idsOf(batch).filter((id) => id !== before.id));
    };
    // The pause after a first message gives the others the time to arrive.
    bus.consumeBatches('orders', take, { pauseMs: 500 });
    await bus.publish([before]);
    await until(() => together > 0, { what: 'the first call' });
    await bus.publish(messages);
    await until(async () => done.length >= 3 && (await letterCount(bus)) > 0, {
      what: 'the others, and a letter',
    });
    await emptied(bus, 'orders');
    expect(together).toBeGreaterThan(1);
    expect(done.sort()).toEqual(
      idsOf(messages)
        .filter((id) => id !== poison)
        .sort(),
    );
    const letters = await bus.deadLetters.list();
    expect(letters).toMatchObject([
      { attempts: conformancePolicy.attemptsMax, events: messages[2]?.events },
    ]);
  });

  test('a batch waits together while a neighbour is down, and no try counts', async () => {
    const { connect } = await make();
    const bus = await connect();
    const messages = [decided(2), decided(), decided()];
    await bus.publish(messages);
    const done: string[] = [];
    let refusals = 0;
    bus.consumeBatches('orders', async (batch) => {
      if (++refusals <= conformancePolicy.attemptsMax * 4) {
        throw new UnavailableError('store', 'store is down');
      }
      done.push(...idsOf(batch));
    });
    await until(() => done.length >= messages.length, { what: 'all messages' });
    await emptied(bus, 'orders');
    expect(done.sort()).toEqual(idsOf(messages).sort());
    expect(await bus.deadLetters.counts()).toEqual([]);
  });
}

export function batchDeathConformance(make: Make): void {
  test('a batch whose consumer is killed is handled by another, whole', async () => {
    const { broker, connect } = await make();
    const [doomed, other] = [await connect(), await connect()];
    const never = Promise.withResolvers<void>();
    onTestFinished(() => never.resolve());
    const messages = [decided(), decided(), decided()];
    await other.publish(messages);
    let held = 0;
    const closing = doomed.consumeBatches('orders', async (batch) => {
      held += batch.length;
      await never.promise;
    });
    await until(() => held === 3, { what: 'the first delivery' });
    void closing.close();
    const taken = new Set<string>();
    other.consumeBatches('orders', async (batch) => {
      for (const { id } of batch) taken.add(id);
    });
    await broker.kill(doomed);
    await until(() => taken.size >= messages.length, { what: 'all messages' });
    await emptied(other, 'orders');
    expect([...taken].sort()).toEqual(idsOf(messages).sort());
  });

  test('a message that kills its consumer takes no other of its batch along', async () => {
    const { broker, connect } = await make();
    const judge = await connect();
    const messages = [decided(), decided(), decided()];
    const poison = messages[1]?.id ?? '';
    await judge.publish(messages);
    const done: string[] = [];
    const isOver = async (): Promise<boolean> =>
      new Set(done).size === 2 && (await letterCount(judge)) > 0;
    for (let deaths = 0; !(await isOver()) && deaths < 12; deaths++) {
      const doomed = await broker.connect();
      const dead = Promise.withResolvers<void>();
      let dying = false;
      const consuming = doomed.consumeBatches('orders', async (batch) => {
        await env.sleep(1);
        if (idsOf(batch).includes(poison)) {
          dying = true;
          return dead.promise;
        }
        done.push(...idsOf(batch));
      });
      await until(async () => dying || (await isOver()), {
        what: 'the poison to be taken',
      });
      const closing = consuming.close();
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
