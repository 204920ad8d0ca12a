// What the bus says of orders, as events of their lives.

import type { Message } from '@rushlight/contracts';
import type { OrderEvent } from './order.ts';
import type { Move, MovesOfMessage, OrderStore } from './store.ts';

/** Takes messages of the queue: inbox, moves and what follows, in one transaction for all moves. */
export async function takeMessages(
  store: OrderStore,
  messages: readonly Message[],
  atMs: number,
): Promise<void> {
  const moving: MovesOfMessage[] = [];
  for (const message of messages) {
    if (message.topic === 'item.changed') await store.saveItems(message.id, message.events);
    else moving.push({ messageId: message.id, moves: movesOf(message) });
  }
  if (moving.length > 0) await store.applyMessages(moving, atMs);
}

function movesOf(message: Message): Move[] {
  switch (message.topic) {
    case 'stock.decided':
      return message.events.map(({ orderId, outcome }): Move => {
        const event: OrderEvent =
          outcome === 'reserved' ? { type: 'stock.reserved' } : { type: 'stock.short', via: 'bus' };
        return { orderId, event };
      });
    case 'payment.decided':
      return message.events.map(({ orderId, outcome }): Move => {
        const event: OrderEvent =
          outcome === 'captured'
            ? { type: 'payment.captured' }
            : { type: 'payment.refused', reason: outcome };
        return { orderId, event };
      });
    case 'ticket.changed':
      return message.events.map(ticketMove);
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
