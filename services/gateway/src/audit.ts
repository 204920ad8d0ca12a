// Whether the books agree: orders, holds of stock, payments and tickets, joined by order id. Pure.
//
// U1. Only orders that ended are judged for what must be there. What is not there yet is in flight
//     for a minute after the order's last step; later it is a violation.
// U2. What must never be is a violation at once: money taken twice, or without an order; stock held,
//     or a meal cooked, for an order that there is not; stock below zero.
// U3. The services are read one after the other, so any verdict may be an artefact of that. The
//     caller reads an accused order again before it believes us.

import type {
  AuditedHold,
  AuditedOrder,
  AuditedPayment,
  AuditReport,
  kitchenApi,
  OrderStatus,
  Reply,
} from '@rushlight/contracts';

export type AuditedTicket = Reply<typeof kitchenApi.auditTickets>['body']['tickets'][number];
export type Violation = AuditReport['violations'][number];
export type ItemSums = AuditReport['items'][number];

/** All that the services know of one order id. */
export type Dossier = {
  orderId: string;
  order?: AuditedOrder | undefined;
  hold?: AuditedHold | undefined;
  payment?: AuditedPayment | undefined;
  ticket?: AuditedTicket | undefined;
};
export type Verdict = { inFlight: boolean; violations: Violation[] };

const settleMsMax = 60_000;
/** Orders are kept at least this long, and may be gone after it. */
const ordersKeptMs = 24 * 3_600_000;

const fates: Record<OrderStatus, 'open' | 'served' | 'ended'> = {
  pending: 'open',
  queued: 'open',
  stock_verified: 'open',
  paid: 'served',
  in_kitchen: 'served',
  ready: 'served',
  collected: 'served',
  rejected: 'ended',
  cancelled: 'ended',
};

/** Judges one order. */
export function judgeOrder(dossier: Dossier, nowMs: number): Verdict {
  const { orderId, order } = dossier;
  if (!order) return { inFlight: false, violations: judgeOrphan(dossier, nowMs) };
  const never = [...doubleCharge(dossier, order), ...tooEarly(dossier, order)];
  const missing = notYetTrue(dossier, order);
  const age = nowMs - order.changedAtMs;
  const late = missing.length > 0 && age >= settleMsMax;
  const overdue = late
    ? missing.map(({ rule, detail }) => ({
        rule,
        subject: orderId,
        detail: `${detail}, ${Math.round(age / 1000)} s after it became ${order.status}`,
      }))
    : [];
  const inFlight = fates[order.status] === 'open' || (missing.length > 0 && !late);
  return { inFlight, violations: [...never, ...overdue] };
}

/** Effects of an order that orders does not know. */
function judgeOrphan({ orderId, hold, payment, ticket }: Dossier, nowMs: number): Violation[] {
  if (nowMs - bornMs(orderId) > ordersKeptMs) return [];
  const found: Violation[] = [];
  const accuse = (rule: string, detail: string): void => {
    found.push({ rule, subject: orderId, detail });
  };
  if (hold && hold.status !== 'released') {
    accuse('no hold without an order', `stock is ${hold.status} for it`);
  }
  const kept = payment ? payment.capturedCents - payment.refundedCents : 0;
  if (kept !== 0) accuse('no capture without an order', `${kept} cents are taken for it`);
  if (ticket && isAlive(ticket))
    accuse('no ticket without an order', `its ticket is ${ticket.status}`);
  return found;
}

function doubleCharge({ orderId, payment }: Dossier, order: AuditedOrder): Violation[] {
  if (!payment) return [];
  const { capturedCents, refundedCents } = payment;
  const sums = `captured ${capturedCents}, refunded ${refundedCents}, total ${order.totalCents}`;
  const found: Violation[] = [];
  if (capturedCents !== 0 && capturedCents !== order.totalCents) {
    const rule = capturedCents > order.totalCents ? 'charged once' : 'charged the total';
    found.push({ rule, subject: orderId, detail: sums });
  }
  if (refundedCents > capturedCents) {
    found.push({ rule: 'refunded at most what was captured', subject: orderId, detail: sums });
  }
  return found;
}

/** A meal is cooked for what was paid. */
function tooEarly({ orderId, ticket }: Dossier, order: AuditedOrder): Violation[] {
  if (fates[order.status] !== 'open' || !ticket || !isAlive(ticket)) return [];
  const detail = `its ticket is ${ticket.status} while it is ${order.status}`;
  return [{ rule: 'no ticket before payment', subject: orderId, detail }];
}

type Missing = { rule: string; detail: string };

/** What must be true of an ended order sooner or later, and is not. */
function notYetTrue(dossier: Dossier, order: AuditedOrder): Missing[] {
  switch (fates[order.status]) {
    case 'open':
      return [];
    case 'served':
      return missingWhenServed(dossier, order);
    case 'ended':
      return missingWhenEnded(dossier);
  }
}

function missingWhenServed({ hold, payment, ticket }: Dossier, order: AuditedOrder): Missing[] {
  const missing: Missing[] = [];
  if (hold?.status !== 'committed') {
    missing.push({
      rule: 'sold stock is committed',
      detail: `its hold is ${hold?.status ?? 'not there'}`,
    });
  }
  const captured = payment?.capturedCents ?? 0;
  const refunded = payment?.refundedCents ?? 0;
  if (captured !== order.totalCents || refunded !== 0) {
    const detail = `captured ${captured}, refunded ${refunded}, total ${order.totalCents}`;
    missing.push({ rule: 'a sold order is paid for', detail });
  }
  if (!ticket || !isAlive(ticket)) {
    missing.push({
      rule: 'a sold order has a ticket',
      detail: `its ticket is ${ticket?.status ?? 'not there'}`,
    });
  }
  return missing;
}

function missingWhenEnded({ hold, payment, ticket }: Dossier): Missing[] {
  const missing: Missing[] = [];
  if (hold && hold.status !== 'released') {
    missing.push({
      rule: 'stock of a dead order is given back',
      detail: `its hold is ${hold.status}`,
    });
  }
  const kept = payment ? payment.capturedCents - payment.refundedCents : 0;
  if (kept !== 0 || payment?.status === 'charging') {
    const detail = `its payment is ${payment?.status}, ${kept} cents are kept`;
    missing.push({ rule: 'money of a dead order is given back', detail });
  }
  if (ticket && isAlive(ticket)) {
    missing.push({ rule: 'a dead order is not cooked', detail: `its ticket is ${ticket.status}` });
  }
  return missing;
}

function isAlive({ status }: AuditedTicket): boolean {
  return status !== 'voided' && status !== 'refused';
}

/** Ids of orders are UUIDs of version 7: their first 48 bits are milliseconds since 1970. */
function bornMs(orderId: string): number {
  return Number.parseInt(orderId.replaceAll('-', '').slice(0, 12), 16);
}

/**
 * Judges the stock books.
 *
 * @param held portions in holds with status reserved, by item; undefined when they were not read in
 *   one quiet moment and cannot be compared
 */
export function judgeItems(
  items: readonly ItemSums[],
  held: ReadonlyMap<string, number> | undefined,
): Violation[] {
  return items.flatMap((item) => {
    const { itemId, initial, added, sold, reserved, onHand, available } = item;
    const found: Violation[] = [];
    const check = (rule: string, isKept: boolean, detail: string): void => {
      if (!isKept) found.push({ rule, subject: itemId, detail });
    };
    const sums = `${initial} + ${added} - ${sold}, on hand ${onHand}`;
    check('initial + added - sold = on hand', initial + added - sold === onHand, sums);
    const left = `on hand ${onHand}, reserved ${reserved}, available ${available}`;
    check('available = on hand - reserved', available === onHand - reserved, left);
    check('stock is never negative', available >= 0 && reserved >= 0 && onHand >= 0, left);
    if (held) {
      const sum = held.get(itemId) ?? 0;
      check('reserved = holds', sum === reserved, `reserved ${reserved}, in holds ${sum}`);
    }
    return found;
  });
}
