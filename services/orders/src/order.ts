// The life of an order.
//
//   pending → stock_verified → paid → in_kitchen → ready → collected
//   pending → queued → stock_verified …            any of them may be left out on the way forward
//   anything before in_kitchen → rejected | cancelled; the kitchen may refuse later, too
//
// O1. An order never moves backwards, and never leaves an end state. A late event changes nothing.
// O2. The same event again changes nothing.
// O3. Whoever ends an order says what has to be undone: `release` while stock may be held, `refund`
//     while money may have been taken. Inventory and payments leave a tombstone where there is
//     nothing to undo yet, so that what comes late is refused there (and its success, told to an
//     ended order, is refused here).
// O4. What inventory says to the call is final only while the order is pending. Once it is queued,
//     the bus carries the same question, and only the answer from there counts against it.
// O5. No hold outlives a dead order. Inventory holds only what it was asked to, by the call or by
//     `order.queued`. Every end says `release`, save `short`. To the call, that answer held
//     nothing, was asked for once, and ends a pending order only, of which the bus never heard. By
//     the bus, it left inventory's own tombstone, which refuses a call that is still on its way.
// O6. No charge outlives a dead order. Payments charges only after `order.stock_verified`, which only
//     the move to that state says. Every end from there on says `refund`, save payments' own refusal,
//     which is its last word. So a capture told to an ended order needs no answer: its refund, or
//     the tombstone that prevents it, is already on its way.

import {
  type CancelReason,
  type OrderStatus,
  orderRank,
  type RejectReason,
} from '@rushlight/contracts';

export type OrderState =
  | { status: 'pending' | 'queued' | 'stock_verified' | 'paid' | 'ready' | 'collected' }
  | { status: 'in_kitchen'; readyAtMs?: number }
  | ({ status: 'rejected'; reason: RejectReason } & Undo)
  | ({ status: 'cancelled'; reason: CancelReason } & Undo);

/** What others have to take back when an order ends. */
export type Undo = { release: boolean; refund: boolean };

export type OrderEvent =
  | { type: 'stock.reserved' }
  | { type: 'stock.short'; via: 'call' | 'bus' }
  /** Inventory gave no answer, or the process that asked is gone. */
  | { type: 'stock.unknown' }
  | { type: 'payment.captured' }
  | { type: 'payment.refused'; reason: 'insufficient_funds' | 'payment_declined' }
  | { type: 'ticket.cooking'; readyAtMs?: number }
  | { type: 'ticket.ready' }
  | { type: 'ticket.collected' }
  | { type: 'ticket.refused' }
  /** `by`: who had asked for it, as far as is known. */
  | { type: 'ticket.voided'; by?: CancelReason }
  | { type: 'cancel.asked'; by: CancelReason }
  | { type: 'deadline.passed' };

export type Step =
  | { kind: 'moved'; state: OrderState }
  | { kind: 'repeated' }
  /** Paid: only the kitchen knows whether it is too late. */
  | { kind: 'kitchen decides' }
  | { kind: 'refused'; why: string };

export function hasEnded(status: OrderStatus): boolean {
  return status === 'rejected' || status === 'cancelled' || status === 'collected';
}

/** The deadline runs until an order is paid or has ended. */
export function isUnpaid(status: OrderStatus): boolean {
  return orderRank[status] < orderRank.paid;
}

/** What becomes of an order in this status when this happens. */
export function advance(status: OrderStatus, event: OrderEvent): Step {
  switch (event.type) {
    case 'stock.reserved':
      return forward(status, 'pending', { status: 'stock_verified' });
    case 'stock.unknown':
      return forward(status, 'pending', { status: 'queued' });
    case 'stock.short':
      return afterShort(status, event.via);
    case 'payment.captured':
      return forward(status, 'stock_verified', { status: 'paid' });
    case 'payment.refused':
      return end(status, 'stock_verified', 'stock_verified', {
        status: 'rejected',
        reason: event.reason,
        release: true,
        refund: false,
      });
    case 'ticket.cooking':
      return forward(status, 'paid', {
        status: 'in_kitchen',
        ...(event.readyAtMs === undefined ? {} : { readyAtMs: event.readyAtMs }),
      });
    case 'ticket.ready':
      return forward(status, 'paid', { status: 'ready' });
    case 'ticket.collected':
      return forward(status, 'paid', { status: 'collected' });
    case 'ticket.refused':
      return end(status, 'paid', 'ready', cancelled('kitchen'));
    case 'ticket.voided':
      return end(status, 'paid', 'paid', cancelled(event.by ?? 'student'));
    case 'cancel.asked':
      return afterCancel(status, event.by);
    case 'deadline.passed':
      return end(status, 'pending', 'stock_verified', {
        status: 'rejected',
        reason: 'deadline',
        release: true,
        refund: status === 'stock_verified',
      });
  }
}

/** On to a later status, also past some that were never heard of, from `from` on. */
function forward(status: OrderStatus, from: OrderStatus, state: OrderState): Step {
  if (status === state.status) return { kind: 'repeated' };
  const isBetween =
    orderRank[from] <= orderRank[status] && orderRank[status] < orderRank[state.status];
  return isBetween ? { kind: 'moved', state } : refused(status, state.status);
}

/** To an end, from any status between the two. */
function end(status: OrderStatus, from: OrderStatus, to: OrderStatus, state: OrderState): Step {
  if (status === state.status) return { kind: 'repeated' };
  const isBetween = orderRank[from] <= orderRank[status] && orderRank[status] <= orderRank[to];
  return isBetween ? { kind: 'moved', state } : refused(status, state.status);
}

function afterShort(status: OrderStatus, via: 'call' | 'bus'): Step {
  // O4. Nothing was held by the call that said so, nor after the bus said so: there, inventory has
  // refused this order for ever.
  const last = via === 'call' ? 'pending' : 'queued';
  const reason = 'sold_out';
  return end(status, 'pending', last, {
    status: 'rejected',
    reason,
    release: false,
    refund: false,
  });
}

function afterCancel(status: OrderStatus, by: CancelReason): Step {
  if (status === 'paid') return { kind: 'kitchen decides' };
  const refund = status === 'stock_verified';
  const state = { status: 'cancelled', reason: by, release: true, refund } as const;
  return end(status, 'pending', 'stock_verified', state);
}

function cancelled(reason: CancelReason): OrderState {
  return { status: 'cancelled', reason, release: true, refund: true };
}

function refused(status: OrderStatus, wished: OrderStatus): Step {
  return { kind: 'refused', why: `${status} does not become ${wished}` };
}
