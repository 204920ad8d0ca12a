// What the kitchen makes of messages: paid orders become tickets, dead orders void them.

import type { Environment } from '@rushlight/chassis';
import type { Message } from '@rushlight/contracts';
import type { KitchenStore } from './store.ts';

export type CookTime = { cookMsMin: number; cookMsMax: number };

/** Resolves when the message's effect is durable. @throws UnavailableError */
export async function takeMessage(
  message: Message,
  options: { store: KitchenStore; env: Pick<Environment, 'nowMs' | 'random'> } & CookTime,
): Promise<void> {
  const { store, env, cookMsMin, cookMsMax } = options;
  switch (message.topic) {
    case 'order.paid': {
      const tickets = message.events.map(({ orderId, pickupNumber, lines }) => ({
        orderId,
        pickupNumber,
        lines: lines.map(({ itemId, name, quantity }) => ({ itemId, name, quantity })),
        cookMs: Math.round(cookMsMin + env.random() * (cookMsMax - cookMsMin)),
      }));
      return store.addTickets(message.id, tickets, env.nowMs());
    }
    case 'order.cancelled': {
      const orderIds = message.events.map(({ orderId }) => orderId);
      return store.voidDead(message.id, orderIds, env.nowMs());
    }
    default:
      throw new Error(`the kitchen does not take ${message.topic}`);
  }
}
