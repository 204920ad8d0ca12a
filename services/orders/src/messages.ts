// What the bus says of orders, as events of their lives.

import type { Message } from '@rushlight/contracts';
import type { OrderEvent } from './order.ts';
import type { Move, OrderStore } from './store.ts';

/** Takes one message of the queue: inbox, moves and what follows, in one transaction. */
export async function takeMessage(
  store: OrderStore,
  message: Message,
  atMs: number,
): Promise<void> {
  switch (message.topic) {
    case 'item.changed':
      return store.saveItems(message.id, message.events);
    case 'stock.decided':
      return store.applyMessage(
        message.id,
        message.events.map(({ orderId, outcome }): Move => {
          const event: OrderEvent =
            outcome === 'reserved'
              ? { type: 'stock.reserved' }
              : { type: 'stock.short', via: 'bus' };
          return { orderId, event };
        }),
        atMs,
      );
    case 'payment.decided':
      return store.applyMessage(
        message.id,
        message.events.map(({ orderId, outcome }): Move => {
          const event: OrderEvent =
            outcome === 'captured'
              ? { type: 'payment.captured' }
              : { type: 'payment.refused', reason: outcome };
          return { orderId, event };
        }),
        atMs,
      );
    case 'ticket.changed':
      return store.applyMessage(message.id, message.events.map(ticketMove), atMs);
    default:
      throw new Error(`${message.topic} is not bound to the queue of orders`);
  }
}

type TicketEvent = Extract<Message, { topic: 'ticket.changed' }>['events'][number];

function ticketMove({ orderId, status, readyAtMs }: TicketEvent): Move {
  switch (status) {
    case 'cooking':
      return {
        orderId,
        event: { type: 'ticket.cooking', ...(readyAtMs === undefined ? {} : { readyAtMs }) },
      };
    case 'ready':
      return { orderId, event: { type: 'ticket.ready' } };
    case 'collected':
      return { orderId, event: { type: 'ticket.collected' } };
    case 'refused':
      return { orderId, event: { type: 'ticket.refused' } };
    case 'voided':
      return { orderId, event: { type: 'ticket.voided' } };
  }
}
