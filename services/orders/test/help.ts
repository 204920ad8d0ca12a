// What the tests of orders share.

import { realEnvironment } from '@rushlight/chassis';
import { type EventOf, type Message, newTraceId, type OrderLine } from '@rushlight/contracts';
import type { MenuItem, NewOrder } from '../src/store.ts';

export const startMs = 1_767_225_600_000;

export const item = (itemId: string, priceCents = 450, version = 1): MenuItem => ({
  ...{ itemId, priceCents, version },
  name: `The ${itemId}`,
  category: 'mains',
  removed: false,
});

export const soup: OrderLine[] = [{ itemId: 'soup', quantity: 2 }];

/** The id of a trace that is not kept. */
export const anyTrace = () => newTraceId(realEnvironment.newId(), false);

let made = 0;

/** An order of two soups, of a student and with a key of its own unless given. */
export function newOrder(given: Partial<NewOrder> = {}): NewOrder {
  made += 1;
  const acceptedAtMs = given.acceptedAtMs ?? startMs;
  return {
    orderId: realEnvironment.newId(),
    studentId: `student${made}`,
    key: `key-${made}`,
    fingerprint: 'two soups',
    lines: [{ itemId: 'soup', name: 'The soup', quantity: 2, priceCents: 450 }],
    totalCents: 900,
    acceptedAtMs,
    deadlineAtMs: acceptedAtMs + 60_000,
    ...given,
  };
}

export function stockDecided(
  orderId: string,
  outcome: EventOf<'stock.decided'>['outcome'] = 'reserved',
): Message {
  return message('stock.decided', [{ orderId, outcome }]);
}

export function paymentDecided(
  orderId: string,
  outcome: EventOf<'payment.decided'>['outcome'] = 'captured',
): Message {
  return message('payment.decided', [{ orderId, outcome }]);
}

export function ticketChanged(
  orderId: string,
  ...statuses: EventOf<'ticket.changed'>['status'][]
): Message {
  const events = statuses.map((status) => ({ orderId, status, atMs: startMs }));
  return message('ticket.changed', events);
}

export function message<T extends Message['topic']>(topic: T, events: EventOf<T>[]): Message {
  return { id: realEnvironment.newId(), topic, atMs: startMs, events } as unknown as Message;
}
