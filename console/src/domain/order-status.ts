// What an order's status means to the student who waits: words, steps, and how events move it.

import {
  type OrderStatus,
  type OrderView,
  orderRank,
  type StreamEvent,
} from '@rushlight/contracts';

export type Tone = 'neutral' | 'busy' | 'good' | 'bad';

type StatusText = { readonly label: string; readonly tone: Tone };

export const statusTexts: Record<OrderStatus, StatusText> = {
  pending: { label: 'Pending', tone: 'busy' },
  queued: { label: 'Queued', tone: 'busy' },
  stock_verified: { label: 'Stock verified', tone: 'busy' },
  paid: { label: 'Paid', tone: 'busy' },
  in_kitchen: { label: 'In kitchen', tone: 'busy' },
  ready: { label: 'Ready', tone: 'good' },
  collected: { label: 'Collected', tone: 'neutral' },
  rejected: { label: 'Rejected', tone: 'bad' },
  cancelled: { label: 'Cancelled', tone: 'neutral' },
};

/** The steps of the tracker, in order. Queued stands beside them: the stock is not known yet. */
export const trackerSteps = [
  'pending',
  'stock_verified',
  'paid',
  'in_kitchen',
  'ready',
  'collected',
] as const satisfies readonly OrderStatus[];

export function isEnded(status: OrderStatus): boolean {
  return status === 'collected' || status === 'rejected' || status === 'cancelled';
}

/** Whether the button is worth showing. Whether it still works is decided by the platform. */
export function mayCancel(status: OrderStatus): boolean {
  return orderRank[status] <= orderRank.paid;
}

export type StepState = 'done' | 'now' | 'next' | 'missed';

/** How a step of the tracker looks while the order is at `order.status`. */
export function stepState(
  order: Pick<OrderView, 'status' | 'history'>,
  step: (typeof trackerSteps)[number],
): StepState {
  const ended = order.status === 'rejected' || order.status === 'cancelled';
  if (ended) return order.history.some(({ status }) => status === step) ? 'done' : 'missed';
  if (order.status === 'collected') return 'done';
  const at = order.status === 'queued' ? 'pending' : order.status;
  if (step === at) return 'now';
  return orderRank[step] < orderRank[at] ? 'done' : 'next';
}

/** One sentence on where the order is and what comes next. */
export function statusSentence(order: Pick<OrderView, 'status' | 'reason'>): string {
  switch (order.status) {
    case 'pending':
      return 'We have your order and are checking the stock.';
    case 'queued':
      return 'Your order is safe. Stock is answering slowly, so it waits in line; you need not do anything.';
    case 'stock_verified':
      return 'Your meal is set aside. Now the payment.';
    case 'paid':
      return 'Paid. The kitchen has your ticket and starts as soon as a station is free.';
    case 'in_kitchen':
      return 'Your meal is being cooked.';
    case 'ready':
      return 'Your meal is ready. Show this number at the counter.';
    case 'collected':
      return 'Collected. Enjoy your meal!';
    case 'rejected':
    case 'cancelled':
      return endSentence(order.reason);
  }
}

function endSentence(reason: OrderView['reason']): string {
  switch (reason) {
    case 'sold_out':
      return 'Somebody was quicker: the last portion went before your turn. You were not charged.';
    case 'insufficient_funds':
      return 'Your wallet does not hold enough for this order. You were not charged.';
    case 'payment_declined':
      return 'The campus card declined the payment. You were not charged.';
    case 'deadline':
      return 'We could not confirm the order within a minute, so we let it go. If money was taken, it comes back.';
    case 'student':
      return 'You cancelled this order. What you paid comes back to your wallet.';
    case 'admin':
      return 'The cafeteria cancelled this order. What you paid comes back to your wallet.';
    case 'kitchen':
      return 'The kitchen could not make this meal. What you paid comes back to your wallet.';
    case undefined:
      return 'This order has ended. If money was taken, it comes back.';
  }
}

type OrderEvent = Extract<StreamEvent, { kind: 'order' }>['data'];

/**
 * The order after an event of its stream. Events repeat and can be older than what was read, so an
 * order only ever moves forward.
 */
export function withEvent(order: OrderView, event: OrderEvent): OrderView {
  if (order.orderId !== event.orderId || orderRank[event.status] < orderRank[order.status])
    return order;
  const repeated = order.history.some(({ status }) => status === event.status);
  if (isEnded(order.status) && !repeated) return order;
  const { queuePosition: _position, ...rest } = order;
  return {
    ...rest,
    status: event.status,
    ...(event.reason ? { reason: event.reason } : {}),
    ...(event.readyAt ? { readyAt: event.readyAt } : {}),
    ...(event.status === order.status && order.queuePosition !== undefined
      ? { queuePosition: order.queuePosition }
      : {}),
    history: repeated ? order.history : [...order.history, { status: event.status, at: event.at }],
  };
}

/** "2 × Chicken biryani, Lassi" */
export function linesText(lines: readonly { name: string; quantity: number }[]): string {
  return lines
    .map(({ name, quantity }) => (quantity > 1 ? `${quantity} × ${name}` : name))
    .join(', ');
}
