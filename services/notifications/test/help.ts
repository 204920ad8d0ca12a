// What the tests of notifications share.

import { createHash, randomUUID } from 'node:crypto';
import type { User } from '@rushlight/chassis';
import type { Message, OrderStatus } from '@rushlight/contracts';

/** A UUID that is the same for the same text, in every run. */
export function idOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

export function user(studentId: string, role: User['role'] = 'student', livesS = 3_600): User {
  const nowS = Math.floor(Date.now() / 1_000);
  const token = { tokenId: randomUUID(), issuedAtS: nowS, expiresAtS: nowS + livesS };
  return { kind: 'user', studentId, role, ...token };
}

export type Told = { orderId: string; studentId: string };

/** A bus message that says that these orders reached a status. */
export function step(
  status: Exclude<OrderStatus, 'pending'>,
  orders: readonly Told[],
  messageId: string = randomUUID(),
): Message {
  const extra = {
    queued: { lines: [] },
    stock_verified: { totalCents: 1 },
    paid: { lines: [] },
    in_kitchen: { readyAtMs: 5_000 },
    ready: {},
    collected: {},
    rejected: { release: false, refund: false, reason: 'sold_out' },
    cancelled: { release: true, refund: true, reason: 'student' },
  }[status];
  const events = orders.map((order) => ({ ...order, pickupNumber: 7, atMs: 1_000, ...extra }));
  return { id: messageId, topic: `order.${status}`, atMs: 0, events } as unknown as Message;
}

export function stockChanged(itemId: string, available: number, stockVersion: number): Message {
  const events = [{ itemId, available, stockVersion }];
  return { id: randomUUID(), topic: 'stock.changed', atMs: 0, events };
}

export function itemChanged(itemId: string, version: number, removed = false): Message {
  const described = { name: `${itemId} ${version}`, category: 'mains', priceCents: version };
  const events = [{ itemId, ...described, removed, version }];
  return { id: randomUUID(), topic: 'item.changed', atMs: 0, events };
}
