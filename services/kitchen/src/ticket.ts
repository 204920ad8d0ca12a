// The life of a kitchen ticket: one for each paid order.
//
//   waiting → cooking → ready → collected      waiting, cooking, ready → refused
//   nothing, waiting → voided
//
// K1. What has begun to cook is never voided by a person; it is only refused by the kitchen.
// K2. `voided` stands also where the cancel came before the ticket: a tombstone. The ticket that
//     comes later is refused.
// K3. When the order is dead, for whatever reason, its ticket is voided in any state before
//     `collected`, so that nobody cooks or waits for it.

import type { PricedLine } from '@rushlight/contracts';

export type TicketState =
  | { status: 'waiting' }
  | { status: 'cooking'; station: number; readyAtMs: number }
  | { status: 'ready'; readyAtMs: number }
  | { status: 'collected' }
  | { status: 'refused'; reason: string }
  | { status: 'voided' };

export type TicketStatus = TicketState['status'];

export type TicketLine = Pick<PricedLine, 'itemId' | 'name' | 'quantity'>;

export type NewTicket = {
  orderId: string;
  pickupNumber: number;
  lines: TicketLine[];
  cookMs: number;
};

export type Ticket = NewTicket & { arrivedAtMs: number; state: TicketState };

export type TicketEvent =
  | { type: 'start'; station: number; readyAtMs: number }
  | { type: 'finish'; atMs: number }
  | { type: 'collect' }
  | { type: 'refuse'; reason: string }
  /** A person cancels the order. */
  | { type: 'void' }
  /** The order was cancelled already. */
  | { type: 'order_dead' };

export type Step =
  | { kind: 'moved'; state: TicketState }
  | { kind: 'repeated' }
  | { kind: 'refused'; why: string };

/** What an event makes of a ticket; `undefined` is one that did not come yet. */
export function advance(state: TicketState | undefined, event: TicketEvent): Step {
  const status = state?.status;
  switch (event.type) {
    case 'start': {
      const { station, readyAtMs } = event;
      if (status === 'waiting') return moved({ status: 'cooking', station, readyAtMs });
      return again(status, event.type, 'cooking');
    }
    case 'finish':
      if (status === 'cooking') return moved({ status: 'ready', readyAtMs: event.atMs });
      return again(status, event.type, 'ready');
    case 'collect':
      if (status === 'ready') return moved({ status: 'collected' });
      return again(status, event.type, 'collected');
    case 'refuse':
      if (status === 'waiting' || status === 'cooking' || status === 'ready') {
        return moved({ status: 'refused', reason: event.reason });
      }
      return again(status, event.type, 'refused');
    case 'void':
      if (status === undefined || status === 'waiting') return moved({ status: 'voided' });
      // The kitchen refused it first: it will not be made, which is all that was asked.
      return status === 'refused' ? { kind: 'repeated' } : again(status, event.type, 'voided');
    case 'order_dead':
      if (status === 'collected' || status === 'refused' || status === 'voided') {
        return { kind: 'repeated' };
      }
      return moved({ status: 'voided' });
  }
}

const moved = (state: TicketState): Step => ({ kind: 'moved', state });

/** The same event again finds the state that it led to. */
function again(status: TicketStatus | undefined, type: string, led: TicketStatus): Step {
  if (status === led) return { kind: 'repeated' };
  return { kind: 'refused', why: `${status ?? 'nothing'} <- ${type}` };
}

/** What a person does to a ticket, as buttons and our own services name it. */
export type Action = 'ready' | 'collected' | 'refuse' | 'void';

export function eventOf(action: Action, nowMs: number, reason = ''): TicketEvent {
  switch (action) {
    case 'ready':
      return { type: 'finish', atMs: nowMs };
    case 'collected':
      return { type: 'collect' };
    case 'refuse':
      return { type: 'refuse', reason };
    case 'void':
      return { type: 'void' };
  }
}
