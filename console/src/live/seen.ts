// Events that arrive while a page is being read must not be lost under the older answer. So they are
// remembered here, and laid over every answer.

import type { MenuItem, OrderView, StreamEvent } from '@rushlight/contracts';
import { withMenuEvent } from '../domain/menu.ts';
import { withEvent } from '../domain/order-status.ts';

type OrderEvent = Extract<StreamEvent, { kind: 'order' }>['data'];
type MenuEvent = Extract<StreamEvent, { kind: 'menu' }>['data'];

const ordersMax = 500;
const menuEventsMax = 5_000;

const newestByOrder = new Map<string, OrderEvent>();
const menuReads = new Set<MenuEvent[]>();

export function rememberOrder(event: OrderEvent): void {
  newestByOrder.delete(event.orderId);
  newestByOrder.set(event.orderId, event);
  const oldest = newestByOrder.keys().next();
  if (newestByOrder.size > ordersMax && !oldest.done) newestByOrder.delete(oldest.value);
}

/** An order as read, moved on by what the stream has said since. */
export function withSeen(order: OrderView): OrderView {
  const event = newestByOrder.get(order.orderId);
  return event ? withEvent(order, event) : order;
}

export function rememberMenu(event: MenuEvent): void {
  for (const events of menuReads) if (events.length < menuEventsMax) events.push(event);
}

/** Reads the menu, and lays over it the events that arrived meanwhile. */
export async function readMenu(read: () => Promise<MenuItem[]>): Promise<MenuItem[]> {
  const meanwhile: MenuEvent[] = [];
  menuReads.add(meanwhile);
  try {
    const menu = await read();
    return meanwhile.reduce((before, event) => {
      const after = withMenuEvent(before, event);
      return after === 'unknown' ? before : after;
    }, menu);
  } finally {
    menuReads.delete(meanwhile);
  }
}
