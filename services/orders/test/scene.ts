// One store under test, and short ways to bring an order where a test wants it.

import type { EventOf, Message, OrderStatus, Topic } from '@rushlight/contracts';
import { beforeEach, expect } from 'vitest';
import { takeMessages } from '../src/messages.ts';
import type { OrderEvent } from '../src/order.ts';
import type { NewOrder, OrderStore } from '../src/store.ts';
import { newOrder, paymentDecided, startMs, ticketChanged } from './help.ts';

export type StoreUnderTest = {
  store: OrderStore;
  /** What was said since the last time that this was asked. */
  said: () => Promise<Message[]>;
};

const reserved: OrderEvent = { type: 'stock.reserved' };
const unknown: OrderEvent = { type: 'stock.unknown' };

export type Scene = ReturnType<typeof openScene>;

export function openScene(open: () => Promise<StoreUnderTest>) {
  let opened: StoreUnderTest | undefined;
  beforeEach(async () => {
    opened = await open();
  });
  const now = (): StoreUnderTest => {
    if (!opened) throw new Error('the store is opened before each test');
    return opened;
  };
  const said = (): Promise<Message[]> => now().said();
  /** The store of the test that runs. */
  const store = new Proxy({} as OrderStore, {
    get: (_, name: keyof OrderStore) => now().store[name].bind(now().store),
  });

  const accept = async (given: Partial<NewOrder> = {}): Promise<NewOrder> => {
    const order = newOrder(given);
    const [result] = await store.acceptBatch([order]);
    expect(result?.kind).toBe('accepted');
    return order;
  };
  const decide = async (orderId: string, event: OrderEvent, atMs = startMs + 10) =>
    (await store.decideBatch([{ orderId, event }], atMs)).get(orderId);
  const take = (message: Message, atMs = startMs + 20) => takeMessages(store, [message], atMs);
  const statusOf = async (orderId: string) => (await store.find(orderId))?.status;
  const historyOf = async (orderId: string) =>
    (await store.find(orderId))?.history.map((step) => step.status);
  const heard = async <T extends Topic>(topic: T): Promise<EventOf<T>[]> =>
    (await said()).flatMap((one) => (one.topic === topic ? (one.events as EventOf<T>[]) : []));
  /** Brings an order to this status, and forgets what was said on the way. */
  const bring = async (to: OrderStatus, given: Partial<NewOrder> = {}): Promise<string> => {
    const { orderId } = await accept(given);
    if (to === 'pending') return orderId;
    if (to === 'queued') await decide(orderId, unknown);
    else await decide(orderId, reserved);
    if (to !== 'queued' && to !== 'stock_verified') await take(paymentDecided(orderId));
    if (to === 'in_kitchen' || to === 'ready') await take(ticketChanged(orderId, 'cooking'));
    if (to === 'ready') await take(ticketChanged(orderId, 'ready'));
    expect(await statusOf(orderId)).toBe(to);
    await said();
    return orderId;
  };

  return { store, said, accept, decide, take, statusOf, historyOf, heard, bring };
}
