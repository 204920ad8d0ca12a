// I7, I8, I14: money, by the ledger of the card provider and by our mirror of it.

import type { MoneyMove, OrderRecord } from '../evidence.ts';
import { isSold } from '../life-cycle.ts';
import type { Judge, Report } from './report.ts';

type Sums = {
  captures: number;
  captured: number;
  refunds: number;
  refunded: number;
  stranger: string;
};

/** I7. An order that is sold was captured once, for its total; any other one keeps no money. */
export const paidIffSold: Judge = ({ evidence, orders, settings }, report) => {
  const sums = sumsByOrder(evidence.provider ?? [], orders);
  for (const order of orders.values()) {
    const found = sums.get(order.orderId) ?? noMoney;
    const accused = judgeAlways(order, found, report);
    if (settings.drained && !accused) judgeAtEnd(order, found, report);
  }
};

const noMoney: Sums = { captures: 0, captured: 0, refunds: 0, refunded: 0, stranger: '' };

function sumsByOrder(
  moves: readonly MoneyMove[],
  orders: ReadonlyMap<string, OrderRecord>,
): Map<string, Sums> {
  const sums = new Map<string, Sums>();
  for (const { orderId, kind, amountCents, student } of moves) {
    let sum = sums.get(orderId);
    if (!sum) {
      sum = { ...noMoney };
      sums.set(orderId, sum);
    }
    if (kind === 'capture') {
      sum.captures += 1;
      sum.captured += amountCents;
    } else {
      sum.refunds += 1;
      sum.refunded += amountCents;
    }
    if (student !== orders.get(orderId)?.student) sum.stranger = student;
  }
  return sums;
}

/** What may not even be for a moment. True when something was found. */
function judgeAlways(order: OrderRecord, sums: Sums, { violated }: Report): boolean {
  const { orderId, totalCents, student } = order;
  const { captures, captured, refunds, refunded, stranger } = sums;
  if (captures > 1) {
    violated(
      orderId,
      `is captured ${captures} times: ${captured} of ${totalCents} cents`,
      'chargedTwice',
    );
  } else if (captures === 1 && captured !== totalCents) {
    const counts = captured > totalCents ? 'chargedTwice' : 'unexpected';
    violated(orderId, `costs ${totalCents} cents, and ${captured} are captured`, counts);
  } else if (refunded > captured) {
    violated(
      orderId,
      `is refunded ${refunded} of ${captured} cents in ${refunds} times`,
      'unexpected',
    );
  } else if (stranger !== '') {
    violated(orderId, `belongs to ${student}, and ${stranger} is charged`, 'chargedUnsold');
  } else return false;
  return true;
}

function judgeAtEnd(
  { orderId, status, totalCents }: OrderRecord,
  sums: Sums,
  { violated }: Report,
) {
  const { captured, refunded } = sums;
  const kept = captured - refunded;
  const figures = `captured ${captured}, refunded ${refunded}, total ${totalCents}`;
  if (isSold(status)) {
    if (kept !== totalCents)
      violated(orderId, `is ${status} and not paid: ${figures}`, 'unexpected');
  } else if (kept !== 0) {
    violated(orderId, `is ${status} and keeps ${kept} cents: ${figures}`, 'chargedUnsold');
  }
}

/** I8. Our mirror says what the provider's ledger says, move by move. */
export const mirrorIsTrue: Judge = ({ evidence }, { violated }) => {
  const open = new Map<string, number>();
  for (const move of evidence.provider ?? []) {
    const name = nameOf(move);
    open.set(name, (open.get(name) ?? 0) + 1);
  }
  for (const move of evidence.mirror ?? []) {
    const name = nameOf(move);
    const left = open.get(name) ?? 0;
    if (left > 0) open.set(name, left - 1);
    else violated(move.orderId, `has in the mirror alone: ${show(move)}`, 'unexpected');
  }
  for (const move of evidence.provider ?? []) {
    const name = nameOf(move);
    const left = open.get(name) ?? 0;
    if (left === 0) continue;
    open.set(name, left - 1);
    violated(move.orderId, `has at the provider alone: ${show(move)}`, 'unexpected');
  }
};

function nameOf({ orderId, kind, amountCents, student }: MoneyMove): string {
  return `${orderId} ${kind} ${amountCents} ${student}`;
}

function show({ kind, amountCents, student }: MoneyMove): string {
  return `${kind} of ${amountCents} cents, ${student}`;
}

/** I14. Double entry: all accounts together are 0 whenever somebody looks. */
export const sumsToZero: Judge = ({ evidence }, { violated }) => {
  for (const [at, sum] of (evidence.entrySums ?? []).entries()) {
    if (sum !== 0) violated('all accounts', `sum to ${sum} cents at look ${at + 1}`, 'unexpected');
  }
};
