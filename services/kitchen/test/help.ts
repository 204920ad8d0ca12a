// What the tests of the kitchen share.

import { randomUUID } from 'node:crypto';
import { openPostgresBus, realEnvironment, silentLog } from '@rushlight/chassis';
import type { EventOf, Message } from '@rushlight/contracts';
import type { NewTicket } from '../src/ticket.ts';

export const cook = {
  kind: 'user',
  studentId: 'kitchen',
  role: 'kitchen',
  tokenId: 't-kitchen',
  issuedAtS: 0,
  expiresAtS: 9_999_999_999,
} as const;

const line = { itemId: 'soup', name: 'Soup', quantity: 2 };

export function newTicket(orderId: string, cookMs = 0): NewTicket {
  return { orderId, pickupNumber: 7, lines: [line], cookMs };
}

const step = (orderId: string) => ({
  orderId,
  studentId: 'student1',
  pickupNumber: 7,
  atMs: Date.now(),
});

export function paid(orderIds: readonly string[]): Message {
  const lines = [{ ...line, priceCents: 450 }];
  const events = orderIds.map((orderId) => ({ ...step(orderId), lines }));
  return { id: randomUUID(), topic: 'order.paid', atMs: Date.now(), events };
}

export function cancelled(orderIds: readonly string[]): Message {
  const events = orderIds.map((orderId) => ({
    ...step(orderId),
    release: true,
    refund: true,
    reason: 'student' as const,
  }));
  return { id: randomUUID(), topic: 'order.cancelled', atMs: Date.now(), events };
}

export type Heard = EventOf<'ticket.changed'>;

/** The bus as a neighbour sees it, and every `ticket.changed` that it heard. */
export async function openNeighbour(url: string) {
  const bus = await openPostgresBus({
    url,
    name: 'neighbour',
    env: realEnvironment,
    log: silentLog,
  });
  const heard: Heard[] = [];
  const listening = bus.consume('orders', async (message) => {
    if (message.topic === 'ticket.changed') heard.push(...message.events);
  });
  return {
    bus,
    heard,
    statuses: (orderId: string) =>
      heard.filter((change) => change.orderId === orderId).map(({ status }) => status),
    [Symbol.asyncDispose]: async () => {
      await listening.close();
      await bus.close();
    },
  };
}
