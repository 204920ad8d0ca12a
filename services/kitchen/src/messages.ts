// What the messages of the bus mean to the kitchen: paid orders become tickets, dead orders void
// them.

import type { Environment } from '@rushlight/chassis';
import type { Message } from '@rushlight/contracts';
import type { TakenMessage } from './store.ts';

export type CookTime = { cookMsMin: number; cookMsMax: number };

/** Draws how long each meal will cook. @throws Error for a message that is not bound to the queue */
export function meaningOf(
  message: Message,
  { cookMsMin, cookMsMax }: CookTime,
  env: Pick<Environment, 'random'>,
): TakenMessage {
  const { id: messageId } = message;
  switch (message.topic) {
    case 'order.paid': {
      const tickets = message.events.map(({ orderId, pickupNumber, lines }) => ({
        orderId,
        pickupNumber,
        lines: lines.map(({ itemId, name, quantity }) => ({ itemId, name, quantity })),
        cookMs: Math.round(cookMsMin + env.random() * (cookMsMax - cookMsMin)),
      }));
      return { messageId, tickets, dead: [] };
    }
    case 'order.cancelled':
      return { messageId, tickets: [], dead: message.events.map(({ orderId }) => orderId) };
    default:
      throw new Error(`the kitchen does not take ${message.topic}`);
  }
}
