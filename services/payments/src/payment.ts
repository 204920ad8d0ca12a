// The life of one payment: one order, one payment, one payment id at the card provider.
//
//   charging → captured → refunding → refunded
//   charging → declined      charging → refunding → refunded or voided      nothing → voided
//
// P1. `charging` and `refunding` are promises: whatever happens they are driven to an end.
// P2. `voided` stands also where the end of an order came before its charge: a tombstone. The
//     charge that comes later is refused.
// P3. Nobody knows whether a payment that is `charging` was charged. So it is not voided here: the
//     provider is asked to give back what it took under this id, and to take nothing ever after.

export type DeclineReason = 'insufficient_funds' | 'payment_declined';

export type Payment =
  | { status: 'charging'; studentId: string; amountCents: number }
  | { status: 'captured'; studentId: string; amountCents: number }
  | { status: 'declined'; studentId: string; amountCents: number; reason: DeclineReason }
  | { status: 'refunding'; studentId: string; amountCents: number; captured: boolean }
  | { status: 'refunded'; studentId: string; amountCents: number }
  | { status: 'voided' };

export type PaymentEvent =
  | { type: 'verified'; studentId: string; amountCents: number }
  | { type: 'charged' }
  | { type: 'declined'; reason: DeclineReason }
  | { type: 'order_ended' }
  | { type: 'given_back' }
  | { type: 'never_taken' };

export type Step =
  | { kind: 'moved'; payment: Payment }
  | { kind: 'repeated' }
  | { kind: 'refused'; why: string };

/** What an event makes of a payment; `undefined` is one that does not exist yet. */
export function advance(payment: Payment | undefined, event: PaymentEvent): Step {
  switch (event.type) {
    case 'verified': {
      const { studentId, amountCents } = event;
      if (!payment) return moved({ status: 'charging', studentId, amountCents });
      return payment.status === 'voided' ? refused(payment, event) : { kind: 'repeated' };
    }
    case 'charged':
      if (payment?.status === 'charging') return moved({ ...payment, status: 'captured' });
      return refused(payment, event);
    case 'declined':
      if (payment?.status !== 'charging') return refused(payment, event);
      return moved({ ...payment, status: 'declined', reason: event.reason });
    case 'order_ended':
      return end(payment);
    case 'given_back': {
      if (payment?.status !== 'refunding') return refused(payment, event);
      const { studentId, amountCents } = payment;
      return moved({ status: 'refunded', studentId, amountCents });
    }
    case 'never_taken':
      return payment?.status === 'refunding'
        ? moved({ status: 'voided' })
        : refused(payment, event);
  }
}

function end(payment: Payment | undefined): Step {
  if (!payment) return moved({ status: 'voided' });
  if (payment.status !== 'charging' && payment.status !== 'captured') return { kind: 'repeated' };
  const { studentId, amountCents } = payment;
  const captured = payment.status === 'captured';
  return moved({ status: 'refunding', studentId, amountCents, captured });
}

const moved = (payment: Payment): Step => ({ kind: 'moved', payment });

function refused(payment: Payment | undefined, event: PaymentEvent): Step {
  return { kind: 'refused', why: `${payment?.status ?? 'nothing'} <- ${event.type}` };
}

/** The id under which the provider knows the payment of an order. */
export function paymentIdOf(orderId: string): string {
  return `pay_${orderId}`;
}

export function orderIdOf(paymentId: string): string {
  return paymentId.slice('pay_'.length);
}
