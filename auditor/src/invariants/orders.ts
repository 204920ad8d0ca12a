// I2, I3, I13: what became of orders, and what clients saw of it.

import type { OrderRecord } from '../evidence.ts';
import type { Facts, Sighting } from '../facts.ts';
import { firstStatus, hasBeen, isDead, isSold, mayFollow, rankOf } from '../life-cycle.ts';
import { sameLines, show } from '../lines.ts';
import type { Judge, Report } from './report.ts';

/** I2. Every acknowledged order exists, and is the one that was asked for. */
export const acknowledgedExists: Judge = ({ acknowledged, orders }, { violated }) => {
  for (const { orderId, use, placement, status } of acknowledged.values()) {
    const order = orders.get(orderId);
    const { t, student, key, lines } = placement.invoke;
    if (!order) {
      violated(
        orderId,
        `is answered ${status} to ${student} ${key}, asked at ${t}, and is not there`,
        'lost',
      );
      continue;
    }
    if (order.student !== student || (order.key ?? key) !== use.key) {
      const found = `${order.student} ${order.key}`;
      violated(orderId, `is answered to ${student} ${key} and belongs to ${found}`, 'lost');
    }
    if (!sameLines(order.lines, lines)) {
      violated(orderId, `was asked for as ${show(lines)} and is ${show(order.lines)}`, 'lost');
    }
  }
};

/** I3. Exactly one end state; a history never goes backwards. */
export const oneEnd: Judge = ({ evidence, settings }, { violated }) => {
  for (const order of evidence.orders) {
    const { orderId, status, history } = order;
    const wrong = wrongStep(order);
    if (wrong) violated(orderId, wrong, 'unexpected');
    const last = history.at(-1)?.status;
    if (last !== undefined && last !== status) {
      violated(orderId, `is ${status}, and its history ends with ${last}`, 'unexpected');
    }
    if (settings.drained && !isSold(status) && !isDead(status)) {
      violated(orderId, `is still ${status} after the drain`, 'unsettled');
    }
  }
};

function wrongStep({ history }: OrderRecord): string | undefined {
  const [first] = history;
  if (!first) return 'has no history';
  if (first.status !== firstStatus) return `begins as ${first.status}`;
  for (let at = 1; at < history.length; at++) {
    const before = history[at - 1];
    const after = history[at];
    if (!before || !after) continue;
    if (!mayFollow(before.status, after.status)) {
      return `goes from ${before.status} to ${after.status}`;
    }
    if (after.atMs < before.atMs) {
      return `became ${after.status} at ${after.atMs}, before it was ${before.status} at ${before.atMs}`;
    }
  }
  return undefined;
}

/** I13. What one client sees only moves on, it really was so, and what is acknowledged is found. */
export const monotonicReads: Judge = (facts, report) => {
  for (const [orderId, sightings] of facts.sightings) {
    judgeSightings(facts, orderId, sightings, report);
  }
  for (const { orderId, status } of facts.acknowledged.values()) {
    const order = facts.orders.get(orderId);
    if (order && status === 201 && !hasBeen(order, 'stock_verified')) {
      report.violated(orderId, `is answered 201, and its stock was never verified`, 'unexpected');
    }
  }
  if (facts.settings.drained) refusedMeals(facts, report);
};

function judgeSightings(
  { orders, acknowledged }: Facts,
  orderId: string,
  sightings: readonly Sighting[],
  { violated }: Report,
): void {
  const order = orders.get(orderId);
  const lastOf = new Map<string, Sighting>();
  // Known for certain from this place of the history on.
  let knownIndex = acknowledged.get(orderId)?.placement.endIndex ?? Number.POSITIVE_INFINITY;
  for (const sighting of sightings) {
    const { proc, status, invokeIndex, endIndex } = sighting;
    if (status === undefined) {
      if (knownIndex < invokeIndex)
        violated(orderId, `is not found by ${proc} once it was known`, 'lost');
      continue;
    }
    knownIndex = Math.min(knownIndex, endIndex);
    if (!order) violated(orderId, `is seen as ${status} by ${proc}, and is not there`, 'lost');
    else if (!hasBeen(order, status)) {
      violated(orderId, `is seen as ${status} by ${proc}, which it never was`, 'unexpected');
    }
    const before = lastOf.get(proc);
    if (before?.status !== undefined && before.endIndex < invokeIndex) {
      if (isBackwards(before.status, status)) {
        violated(
          orderId,
          `is seen by ${proc} as ${before.status}, then as ${status}`,
          'unexpected',
        );
      }
    }
    lastOf.set(proc, sighting);
  }
}

function isBackwards(before: string, after: string): boolean {
  if (before === after) return false;
  return (rankOf(after) ?? 0) <= (rankOf(before) ?? 0);
}

/** A refusal by the kitchen that was acknowledged. */
function refusedMeals({ interruptions, orders }: Facts, { violated }: Report): void {
  for (const [orderId, calls] of interruptions) {
    const done = calls.find(({ end }) => end?.type === 'ok' && end.op === 'refuse');
    const status = orders.get(orderId)?.status;
    if (done && status !== undefined && status !== 'cancelled') {
      violated(orderId, `was refused by ${done.invoke.proc}, and is ${status}`, 'unexpected');
    }
  }
}
