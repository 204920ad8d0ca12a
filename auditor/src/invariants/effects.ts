// I9, I10, I11: what orders did to the rest of the world.

import type { OrderRecord } from '../evidence.ts';
import {
  type Facts,
  isFreed,
  type KeyUse,
  keyOf,
  linesOf,
  listIn,
  mayHaveHappened,
  wishesOf,
} from '../facts.ts';
import type { Notice } from '../history.ts';
import { acceptedMs, hasBeen, isSold, isTold, mayBecome } from '../life-cycle.ts';
import { fingerprint, sameLines, show } from '../lines.ts';
import type { Judge, Report } from './report.ts';

function isVoid(status: string): boolean {
  return status === 'voided' || status === 'refused';
}

/** I9. One ticket that is not void for what is sold, none for the rest. */
export const oneTicket: Judge = ({ evidence, orders, settings }, { violated }) => {
  const alive = new Map<string, number>();
  for (const { orderId, status } of evidence.tickets ?? []) {
    if (!isVoid(status)) alive.set(orderId, (alive.get(orderId) ?? 0) + 1);
  }
  for (const { orderId, status } of orders.values()) {
    const tickets = alive.get(orderId) ?? 0;
    if (tickets > 1) violated(orderId, `has ${tickets} tickets`, 'duplicated');
    else if (!settings.drained) continue;
    else if (isSold(status) && tickets === 0) {
      violated(orderId, `is ${status}, and the kitchen has no ticket for it`, 'lost');
    } else if (!isSold(status) && tickets > 0) {
      violated(orderId, `is ${status}, and the kitchen has a ticket for it`, 'unexpected');
    }
  }
};

/** I10. Every end is told: it stands in the stream, and a client hears it exactly once. */
export const toldOnce: Judge = (facts, { violated }) => {
  judgeStream(facts, violated);
  const heard = new Set<string>();
  const lastId = new Map<string, number>();
  for (const { proc, eventId, orderId, status } of facts.notices) {
    const last = lastId.get(proc);
    if (last !== undefined && eventId <= last) {
      violated(proc, `hears event ${eventId} after ${last}`, 'duplicated');
    }
    lastId.set(proc, Math.max(last ?? eventId, eventId));
    const name = heardBy(proc, orderId, status);
    if (heard.has(name)) violated(orderId, `is told to ${proc} as ${status} twice`, 'duplicated');
    heard.add(name);
  }
  if (facts.settings.drained) judgeListeners(facts, heard, violated);
};

function heardBy(proc: string, orderId: string, status: string): string {
  return `${proc}\n${orderId} ${status}`;
}

function judgeStream({ evidence, settings }: Facts, violated: Report['violated']): void {
  if (!evidence.notices) return;
  const told = new Set<string>();
  for (const { orderId, status } of evidence.notices) {
    const name = `${orderId} ${status}`;
    if (told.has(name)) violated(orderId, `stands in the stream as ${status} twice`, 'duplicated');
    told.add(name);
  }
  if (!settings.drained) return;
  for (const { orderId, history } of evidence.orders) {
    for (const { status } of history) {
      if (isTold(status) && !told.has(`${orderId} ${status}`)) {
        violated(orderId, `was ${status}, and the stream does not tell it`, 'unexpected');
      }
    }
  }
}

function judgeListeners(
  { evidence, settings }: Facts,
  heard: ReadonlySet<string>,
  violated: Report['violated'],
): void {
  if (settings.listeners.length === 0) return;
  const ofAll = settings.listeners.filter(({ student }) => student === undefined);
  const ofOne = new Map<string, typeof ofAll>();
  for (const listener of settings.listeners) {
    if (listener.student !== undefined) listIn(ofOne, listener.student).push(listener);
  }
  for (const { orderId, student, history } of evidence.orders) {
    const listeners = [...ofAll, ...(ofOne.get(student) ?? [])];
    for (const { status } of history) {
      if (!isTold(status)) continue;
      for (const { proc } of listeners) {
        if (heard.has(heardBy(proc, orderId, status))) continue;
        violated(orderId, `was ${status}, and ${proc} never hears it`, 'unexpected');
      }
    }
  }
}

/** I11. No effect without a cause. */
export const nothingFromNowhere: Judge = (facts, report) => {
  for (const order of facts.evidence.orders) judgeCause(facts, order, report);
  judgeKeyless(facts, report);
  judgeEffects(facts, report);
  judgeSteps(facts, facts.evidence.notices ?? [], report);
  judgeSteps(facts, facts.notices, report);
  judgeAdded(facts, report);
};

/** An order was asked for, as it is, and whoever asked was not told that nothing happened. */
function judgeCause(facts: Facts, order: OrderRecord, { violated }: Report): void {
  const { orderId, student, key, lines, status } = order;
  const known =
    key === undefined ? facts.acknowledged.get(orderId)?.use : facts.uses.get(keyOf(student, key));
  if (!known) {
    if (key !== undefined)
      violated(orderId, `was never asked for by ${student} ${key}`, 'unexpected');
    return;
  }
  const isRefusal = status === 'rejected' && order.reason === 'sold_out';
  if (!isRefusal && !known.placements.some(mayHaveHappened)) {
    const codes = known.placements.map(({ end }) => (end?.type === 'fail' ? end.code : '?'));
    violated(orderId, `is ${status}, and its client was told: ${codes.join(', ')}`, 'unexpected');
  }
  if (!linesOf(known).some((asked) => sameLines(asked, lines))) {
    violated(orderId, `is of ${show(lines)}, which nobody asked for`, 'unexpected');
  }
  judgeAge(facts, order, known, violated);
}

/** Orders whose key is not told, nor their id to any client: at least somebody asked for the same. */
function judgeKeyless(facts: Facts, { violated }: Report): void {
  const keyless = facts.evidence.orders.filter(
    (order) => order.key === undefined && !isFreed(order) && !facts.acknowledged.has(order.orderId),
  );
  const wishes = keyless.length > 0 ? wishesOf(facts) : undefined;
  for (const { orderId, student, lines } of keyless) {
    if (wishes?.has(keyOf(student, fingerprint(lines)))) continue;
    violated(orderId, `is of ${show(lines)}, which ${student} did not ask for`, 'unexpected');
  }
}

function judgeAge(
  { settings }: Facts,
  order: OrderRecord,
  { placements }: KeyUse,
  violated: Report['violated'],
): void {
  const askedMs = placements[0]?.invoke.t ?? 0;
  const { clocksShifted, clientGraceMs } = settings;
  if (clocksShifted || acceptedMs(order) + clientGraceMs >= askedMs) return;
  violated(
    order.orderId,
    `is of ${acceptedMs(order)}, first asked for at ${askedMs}`,
    'unexpected',
  );
}

/** Money, stock and meals belong to an order that there is, and stock is sold for what is sold. */
function judgeEffects({ evidence, orders, settings }: Facts, { violated }: Report): void {
  for (const { orderId, kind, amountCents } of evidence.provider ?? []) {
    if (orders.has(orderId)) continue;
    violated(orderId, `is no order, and has a ${kind} of ${amountCents} cents`, 'chargedUnsold');
  }
  for (const { orderId, status } of evidence.tickets ?? []) {
    if (orders.has(orderId) || isVoid(status)) continue;
    violated(orderId, `is no order, and has a ticket that is ${status}`, 'unexpected');
  }
  for (const { orderId, status } of evidence.holds ?? []) {
    if (status === 'released') continue;
    const order = orders.get(orderId);
    if (!order) violated(orderId, `is no order, and its stock is ${status}`, 'unexpected');
    else if (settings.drained && status === 'sold' && !isSold(order.status)) {
      violated(orderId, `is ${order.status}, and its stock is sold`, 'unexpected');
    }
  }
}

/** Nobody is told of a step that an order never took, nor took after it was read. */
function judgeSteps(
  { orders }: Facts,
  steps: readonly Pick<Notice, 'orderId' | 'status'>[],
  { violated }: Report,
): void {
  for (const { orderId, status } of steps) {
    const order = orders.get(orderId);
    if (!order) violated(orderId, `is no order, and is told to be ${status}`, 'unexpected');
    else if (!hasBeen(order, status) && !mayBecome(order.status, status)) {
      violated(orderId, `is told to be ${status}, which it never was`, 'unexpected');
    }
  }
}

/** No more is added to an item than somebody asked for. */
function judgeAdded({ adds, evidence }: Facts, { violated }: Report): void {
  const most = new Map<string, number>();
  for (const { invoke, end } of adds) {
    const by = end?.type === 'ok' ? invoke.quantity : Math.max(0, invoke.quantity);
    if (end?.type !== 'fail') most.set(invoke.itemId, (most.get(invoke.itemId) ?? 0) + by);
  }
  for (const { itemId, added } of evidence.items) {
    const asked = most.get(itemId) ?? 0;
    if (added > asked)
      violated(itemId, `has ${added} added, ${asked} were asked for`, 'unexpected');
  }
}
