// What every outbox promises, as tests. Each store runs these same ones.

import type { EventOf, Message } from '@rushlight/contracts';
import { describe, expect, onTestFinished, test } from 'vitest';
import { realEnvironment as env } from '../environment.ts';
import { silentLog } from '../log.ts';
import { type Outbox, startRelay, UnavailableError } from '../store/index.ts';
import { decided } from './bus-under-test.ts';
import { until } from './until.ts';

type Decided = EventOf<'stock.decided'>;

export type StoreUnderTest = {
  outbox: Outbox;
  /** Runs a transaction that emits these events in one call, and commits when told to. */
  begin(events: readonly Decided[]): Promise<{ commit(): Promise<void> }>;
  /** What the store sees when the process that relays now is killed. */
  killRelays(): Promise<void>;
} & AsyncDisposable;

type Make = () => Promise<StoreUnderTest & { emit(count: number): Promise<void> }>;

/** @param makeStore a store with an empty outbox; disposed by the suite */
export function outboxConformance(name: string, makeStore: () => Promise<StoreUnderTest>): void {
  const make: Make = async () => {
    const store = await makeStore();
    onTestFinished(() => store[Symbol.asyncDispose]());
    const emit = async (count: number): Promise<void> =>
      (await store.begin(decided(count).events)).commit();
    return { ...store, emit };
  };
  describe(`${name}: outbox`, () => claimConformance(make));
  describe(`${name}: outbox, once more`, () => repeatConformance(make));
  describe(`${name}: outbox, just committed`, () => newConformance(make));
  describe(`${name}: relay`, () => relayConformance(make));
}

function claimConformance(make: Make): void {
  test('what is emitted together is one message, or several of at most 500 events', async () => {
    const store = await make();
    const { events } = decided(1_201);
    await (await store.begin(events)).commit();
    await store.emit(0);
    const published: Message[] = [];
    const count = await store.outbox.relay(10, async (all) => void published.push(...all));
    expect(count).toBe(3);
    expect(published.map((message) => message.events.length).sort()).toEqual([201, 500, 500]);
    const carried = published.flatMap((message) => message.events as Decided[]);
    const ids = (all: readonly Decided[]): string[] => all.map(({ orderId }) => orderId).sort();
    expect(ids(carried)).toEqual(ids(events));
    expect(await store.outbox.relay(10, async () => {})).toBe(0);
  });

  test('nothing is published before its transaction committed', async () => {
    const store = await make();
    const { commit } = await store.begin(decided().events);
    expect(await store.outbox.relay(10, async () => {})).toBe(0);
    await commit();
    expect(await store.outbox.relay(10, async () => {})).toBe(1);
  });

  test('ids that commit out of order lose nothing', async () => {
    const store = await make();
    const early = await store.begin(decided().events);
    await store.emit(1);
    expect(await store.outbox.relay(10, async () => {})).toBe(1);
    await early.commit();
    expect(await store.outbox.relay(10, async () => {})).toBe(1);
    expect(await store.outbox.depth()).toBe(0);
  });
}

function repeatConformance(make: Make): void {
  test('a publish that failed is made again with the same ids', async () => {
    const store = await make();
    await store.emit(1);
    const ids: string[] = [];
    const failing = store.outbox.relay(10, async (all) => {
      ids.push(...all.map(({ id }) => id));
      throw new UnavailableError('bus', 'bus: no answer');
    });
    await expect(failing).rejects.toThrow('bus: no answer');
    expect(await store.outbox.depth()).toBe(1);
    await store.outbox.relay(10, async (all) => void ids.push(...all.map(({ id }) => id)));
    expect(ids.length).toBe(2);
    expect(ids[0]).toBe(ids[1]);
  });

  test('killed between publish and delete: published again with the same id', async () => {
    const store = await make();
    await store.emit(1);
    const ids: string[] = [];
    const killed = store.outbox.relay(10, async (all) => {
      ids.push(...all.map(({ id }) => id));
      await store.killRelays();
    });
    await expect(killed).rejects.toBeInstanceOf(UnavailableError);
    await store.outbox.relay(10, async (all) => void ids.push(...all.map(({ id }) => id)));
    expect(ids.length).toBe(2);
    expect(ids[0]).toBe(ids[1]);
    expect(await store.outbox.depth()).toBe(0);
  });

  test('two relays at once share the work and lose nothing', async () => {
    const store = await make();
    for (let made = 0; made < 60; made++) await store.emit(1);
    const ids: string[] = [];
    const both = await Promise.all(
      [1, 2].map(async () => {
        let carried = 0;
        for (let now = 1; now > 0; carried += now) {
          now = await store.outbox.relay(7, async (all) => {
            ids.push(...all.map(({ id }) => id));
            await env.sleep(1);
          });
        }
        return carried;
      }),
    );
    expect(both[0]).toBeGreaterThan(0);
    expect(both[1]).toBeGreaterThan(0);
    expect(new Set(ids).size).toBe(60);
    expect(await store.outbox.depth()).toBe(0);
  });
}

function newConformance(make: Make): void {
  test('what was just committed is relayed once, and leaves nothing behind', async () => {
    const store = await make();
    await store.emit(2);
    await store.emit(3);
    const published: Message[] = [];
    const publish = async (all: Message[]): Promise<void> => void published.push(...all);
    expect(await store.outbox.relayNew(1, publish)).toBe(1);
    expect(await store.outbox.relayNew(10, publish)).toBe(1);
    expect(published.map(({ events }) => events.length)).toEqual([2, 3]);
    expect(await store.outbox.relayNew(10, publish)).toBe(0);
    expect(await store.outbox.relay(10, publish)).toBe(0);
    expect(await store.outbox.depth()).toBe(0);
  });

  test('what was just committed and could not be published is relayed later, as it is', async () => {
    const store = await make();
    await store.emit(1);
    const tried: Message[] = [];
    const refused = store.outbox.relayNew(10, async (all) => {
      tried.push(...all);
      throw new UnavailableError('bus', 'bus: no answer');
    });
    await expect(refused).rejects.toThrow('bus: no answer');
    expect(await store.outbox.depth()).toBe(1);
    const again: Message[] = [];
    await store.outbox.relay(10, async (all) => void again.push(...all));
    expect(again.map(({ id, events }) => [id, events])).toEqual(
      tried.map(({ id, events }) => [id, events]),
    );
    expect(await store.outbox.depth()).toBe(0);
  });

  test('killed after the publication of what was just committed: published again', async () => {
    const store = await make();
    await store.emit(1);
    const ids: string[] = [];
    const note = async (all: Message[]): Promise<void> => void ids.push(...all.map(({ id }) => id));
    const killed = store.outbox.relayNew(10, async (all) => {
      await note(all);
      await store.killRelays();
    });
    await killed.catch(() => {}); // Unless a sound connection was there to forget it with.
    const left = (): Promise<number> => store.outbox.relay(10, note).catch(() => -1);
    await until(async () => (await left()) === 0, { what: 'an empty outbox' });
    expect(new Set(ids).size).toBe(1);
    expect(await store.outbox.depth()).toBe(0);
  });
}

function relayConformance(make: Make): void {
  const collector = (fail: () => boolean = () => false) => {
    const published: Message[] = [];
    const publish = async (messages: readonly Message[]): Promise<void> => {
      if (fail()) throw new UnavailableError('bus', 'bus: it is down');
      published.push(...messages);
    };
    return { published, bus: { publish } };
  };

  test('a commit wakes it at once', async () => {
    const store = await make();
    const { published, bus } = collector();
    const relay = startRelay({ outbox: store.outbox, bus, env, log: silentLog, pollMs: 600_000 });
    onTestFinished(() => relay.close());
    for (let made = 1; made <= 5; made++) {
      await store.emit(1);
      await until(() => published.length === made, { what: `message ${made}` });
    }
  });

  test('while the bus is down it keeps what it has, then carries all of it', async () => {
    const store = await make();
    let failures = 0;
    const { published, bus } = collector(() => ++failures <= 3);
    await store.emit(1);
    const relay = startRelay({ outbox: store.outbox, bus, env, log: silentLog });
    onTestFinished(() => relay.close());
    await store.emit(1);
    await until(() => published.length === 2, { what: 'both messages' });
    expect(failures).toBeGreaterThan(3);
  });

  test('close carries what still waits', async () => {
    const store = await make();
    for (let made = 0; made < 30; made++) await store.emit(1);
    const { published, bus } = collector();
    const relay = startRelay({ outbox: store.outbox, bus, env, log: silentLog, messagesMax: 4 });
    await relay.close();
    expect(published.length).toBe(30);
  });

  test('close gives up after its time when the bus stays down', async () => {
    const store = await make();
    await store.emit(1);
    const { bus } = collector(() => true);
    const relay = startRelay({ outbox: store.outbox, bus, env, log: silentLog });
    await relay.close(50);
    expect(await store.outbox.depth()).toBe(1);
  });
}
