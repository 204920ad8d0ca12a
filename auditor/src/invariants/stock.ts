// I5, I6: the books of stock.

import type { ItemBooks } from '../evidence.ts';
import type { Facts } from '../facts.ts';
import { isSold } from '../life-cycle.ts';
import type { Judge, Report } from './report.ts';

/** I5. Stock is never negative, whoever looks. */
export const neverNegative: Judge = ({ evidence, stockReads }, { violated }) => {
  for (const { items, proc, t } of stockReads) {
    for (const { itemId, available } of items) {
      if (available < 0) violated(itemId, `is read as ${available} by ${proc} at ${t}`, 'oversold');
    }
  }
  for (const { itemId, sold, held, left } of evidence.items) {
    if (sold >= 0 && held >= 0 && left >= 0) continue;
    violated(itemId, `ends with sold ${sold}, held ${held}, left ${left}`, 'oversold');
  }
  const sums = new Map<string, number>();
  const accused = new Set<string>();
  for (const { itemId, by, atMs } of evidence.stockMoves ?? []) {
    const sum = (sums.get(itemId) ?? 0) + by;
    sums.set(itemId, sum);
    if (sum >= 0 || accused.has(itemId)) continue;
    accused.add(itemId);
    violated(itemId, `falls to ${sum} at ${atMs}, by ${by}`, 'oversold');
  }
};

/** I6. What was sold, is left and is held is what there ever was; nothing is held at the end. */
export const booksAddUp: Judge = (facts, report) => {
  const { evidence, settings } = facts;
  const sold = settings.drained ? soldPortions(facts) : undefined;
  const moved = settings.drained ? sumOfMoves(facts) : undefined;
  for (const item of evidence.items) {
    judgeItem(item, report);
    judgeAdded(facts, item, report);
    if (sold) judgeAtEnd(item, sold.get(item.itemId) ?? 0, report);
    if (moved) judgeMoved(item, moved.get(item.itemId) ?? 0, report);
  }
  if (settings.drained) judgeHolds(facts, report);
};

function judgeItem({ itemId, initial, added, sold, held, left }: ItemBooks, { violated }: Report) {
  if (sold + left + held === initial + added) return;
  const sums = `sold ${sold} + left ${left} + held ${held} ≠ initial ${initial} + added ${added}`;
  violated(itemId, sums, sold + held > initial + added ? 'oversold' : 'unexpected');
}

function judgeAtEnd(item: ItemBooks, sold: number, { violated }: Report): void {
  const { itemId, held, initial, added } = item;
  if (held !== 0) violated(itemId, `still holds ${held} after the drain`, 'unsettled');
  if (sold === item.sold) return;
  const detail = `sold ${item.sold} by its books, ${sold} by the orders, of ${initial + added}`;
  violated(itemId, detail, sold > initial + added ? 'oversold' : 'unexpected');
}

function judgeMoved(
  { itemId, left, removed = false }: ItemBooks,
  moved: number,
  { violated }: Report,
): void {
  if (moved === left || removed) return;
  violated(itemId, `has ${left} left, and ${moved} by the sum of all moves`, 'unexpected');
}

/** What admins added is there, whoever has no answer to it. */
function judgeAdded({ adds }: Facts, { itemId, added }: ItemBooks, { violated }: Report): void {
  let sure = 0;
  let least = 0;
  for (const { invoke, end } of adds) {
    if (invoke.itemId !== itemId) continue;
    if (end?.type === 'ok') sure += invoke.quantity;
    else if (end?.type !== 'fail') least += Math.min(0, invoke.quantity);
  }
  if (added < sure + least) {
    violated(itemId, `has ${added} added, and ${sure + least} were acknowledged`, 'lost');
  }
}

function soldPortions({ evidence }: Facts): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { status, lines } of evidence.orders) {
    if (!isSold(status)) continue;
    for (const { itemId, quantity } of lines) sums.set(itemId, (sums.get(itemId) ?? 0) + quantity);
  }
  return sums;
}

function sumOfMoves({ evidence }: Facts): Map<string, number> | undefined {
  if (!evidence.stockMoves) return undefined;
  const sums = new Map<string, number>();
  for (const { itemId, by } of evidence.stockMoves) sums.set(itemId, (sums.get(itemId) ?? 0) + by);
  return sums;
}

/** What is set aside for an order agrees with its end. */
function judgeHolds({ evidence, orders }: Facts, { violated }: Report): void {
  if (!evidence.holds) return;
  const holdOf = new Map<string, string>();
  for (const { orderId, status } of evidence.holds) holdOf.set(orderId, status);
  for (const { orderId, status } of orders.values()) {
    const hold = holdOf.get(orderId);
    if (hold === 'held')
      violated(orderId, `is ${status}, and its stock is still held`, 'unsettled');
    else if (isSold(status) && hold !== 'sold') {
      violated(orderId, `is ${status}, and its stock is ${hold ?? 'not set aside'}`, 'oversold');
    }
  }
}
