// What the tests of payments share.

import { randomUUID } from 'node:crypto';
import { type Bus, openPostgresBus, realEnvironment, silentLog } from '@rushlight/chassis';
import type { Message } from '@rushlight/contracts';

export const admin = {
  kind: 'user',
  studentId: 'admin',
  role: 'admin',
  tokenId: 't-admin',
  issuedAtS: 0,
  expiresAtS: 9_999_999_999,
} as const;

export function student(studentId: string) {
  return { ...admin, studentId, role: 'student' } as const;
}

export function orderStep(orderId: string, studentId: string) {
  return { orderId, studentId, pickupNumber: 1, atMs: Date.now() };
}

export function verified(orders: { orderId: string; studentId: string; totalCents: number }[]) {
  const events = orders.map(({ totalCents, orderId, studentId }) => ({
    ...orderStep(orderId, studentId),
    totalCents,
  }));
  return message('order.stock_verified', events);
}

export function cancelled(orders: { orderId: string; studentId: string }[]) {
  const events = orders.map(({ orderId, studentId }) => ({
    ...orderStep(orderId, studentId),
    release: true,
    refund: true,
    reason: 'student' as const,
  }));
  return message('order.cancelled', events);
}

export function message<T extends Message['topic']>(
  topic: T,
  events: Message<T>['events'],
): Message {
  return { id: randomUUID(), topic, atMs: Date.now(), events } as unknown as Message;
}

/** The bus as a neighbour sees it, and every `payment.decided` that it heard. */
export async function openNeighbour(url: string) {
  const bus: Bus = await openPostgresBus({
    url,
    name: 'neighbour',
    env: realEnvironment,
    log: silentLog,
  });
  const decided = new Map<string, string[]>();
  const heard = bus.consume('orders', async (heardMessage) => {
    if (heardMessage.topic !== 'payment.decided') return;
    for (const { orderId, outcome } of heardMessage.events) {
      decided.set(orderId, [...(decided.get(orderId) ?? []), outcome]);
    }
  });
  return {
    bus,
    decided,
    [Symbol.asyncDispose]: async () => {
      await heard.close();
      await bus.close();
    },
  };
}
