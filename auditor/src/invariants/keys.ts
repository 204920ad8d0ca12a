// I1, I4, I15: what an idempotency key promises.

import type { OrderRecord } from '../evidence.ts';
import {
  type Acknowledgement,
  type Facts,
  isFreed,
  type KeyUse,
  keyOf,
  listIn,
  wishesOf,
} from '../facts.ts';
import { fingerprint, show } from '../lines.ts';
import type { Judge, Report } from './report.ts';

/** I1. One key, one order id, and the other way round. */
export const oneOrderId: Judge = ({ acknowledgements, evidence, orders }, { violated }) => {
  const idOf = new Map<KeyUse, string>();
  const useOf = new Map<string, KeyUse>();
  for (const { orderId, use } of acknowledgements) {
    const firstId = idOf.get(use) ?? orderId;
    idOf.set(use, firstId);
    if (firstId !== orderId) {
      violated(name(use), `is answered with order ${firstId} and with ${orderId}`, 'duplicated');
    }
    const firstUse = useOf.get(orderId) ?? use;
    useOf.set(orderId, firstUse);
    if (firstUse !== use) {
      violated(orderId, `is the answer to ${name(firstUse)} and to ${name(use)}`, 'lost');
    }
  }
  if (orders.size === evidence.orders.length) return;
  const seen = new Set<string>();
  for (const { orderId } of evidence.orders) {
    if (seen.has(orderId)) violated(orderId, 'is the id of two orders', 'duplicated');
    seen.add(orderId);
  }
};

/** I4. At most one order per student and key, those whose client knows nothing of it included. */
export const oneOrder: Judge = (facts, { violated }) => {
  const keyless: OrderRecord[] = [];
  for (const order of facts.evidence.orders) {
    const { student, key, orderId } = order;
    if (key === undefined) {
      if (!isFreed(order)) keyless.push(order);
      continue;
    }
    const first = facts.orderOfKey.get(keyOf(student, key)) ?? order;
    if (first.orderId === orderId) continue;
    const orders = `${first.orderId} (${first.status}) and ${orderId} (${order.status})`;
    violated(`${student} ${key}`, `has two orders: ${orders}`, 'duplicated');
  }
  if (keyless.length > 0) countKeyless(facts, keyless, violated);
};

/** Orders whose key is not told: a student has at most as many as she asked for with these lines. */
function countKeyless(
  facts: Facts,
  keyless: readonly OrderRecord[],
  violated: Report['violated'],
): void {
  const wishes = wishesOf(facts);
  const found = new Map<string, OrderRecord[]>();
  for (const order of keyless)
    listIn(found, keyOf(order.student, fingerprint(order.lines))).push(order);
  for (const [wish, orders] of found) {
    const keys = wishes.get(wish);
    if (keys === undefined) continue; // I11 says so.
    const [{ student, lines } = { student: '', lines: [] }] = orders;
    for (const { orderId } of orders.slice(keys)) {
      const sums = `${orders.length} orders of ${show(lines)} for ${keys} keys`;
      violated(student, `has ${sums}; one too many: ${orderId}`, 'duplicated');
    }
  }
}

/** I15. The same key is answered with the same status and bytes, and from its order before all else. */
export const sameReplay: Judge = (facts, { violated }) => {
  const first = new Map<string, Acknowledgement>();
  for (const acknowledgement of facts.acknowledgements) {
    const { use } = acknowledgement;
    const id = keyOf(use.student, use.key);
    const before = first.get(id);
    if (before) compare(name(use), answerOf(before), answerOf(acknowledgement), violated);
    else first.set(id, acknowledgement);
  }
  for (const { student, key, status, body } of facts.evidence.replays ?? []) {
    const before = first.get(keyOf(student, key));
    if (before) compare(`${student} ${key}`, answerOf(before), { status, body }, violated);
  }
  for (const use of facts.uses.values()) refusedThoughKnown(facts, use, first, violated);
};

type Answer = { status: number; body: string };

function answerOf({ placement: { end } }: Acknowledgement): Answer {
  return end?.type === 'ok' ? end : { status: 0, body: '' };
}

function compare(key: string, one: Answer, other: Answer, violated: Report['violated']): void {
  if (one.status === other.status && one.body === other.body) return;
  const detail =
    one.status === other.status
      ? `is answered ${one.status} with other bytes: ${difference(one.body, other.body)}`
      : `is answered ${one.status} first and ${other.status} later`;
  violated(key, detail, 'unexpected');
}

function difference(one: string, other: string): string {
  let at = 0;
  while (at < one.length && one[at] === other[at]) at++;
  const from = Math.max(0, at - 20);
  return `from byte ${at} on "${one.slice(from, at + 20)}" became "${other.slice(from, at + 20)}"`;
}

/** "Sold out" for a key whose order was decided before it was asked for again. */
function refusedThoughKnown(
  { settings, orderOfKey }: Facts,
  use: KeyUse,
  first: ReadonlyMap<string, Acknowledgement>,
  violated: Report['violated'],
): void {
  if (use.placements.length < 2) return;
  const id = keyOf(use.student, use.key);
  const answered = first.get(id)?.placement;
  const order = orderOfKey.get(id);
  // The second step comes after the commit that made the order known; the first is stamped before.
  const decidedMs = settings.clocksShifted ? undefined : order?.history[1]?.atMs;
  for (const { invoke, invokeIndex, end } of use.placements) {
    if (end?.type !== 'fail' || (end.code !== 'sold_out' && end.code !== 'unknown_item')) continue;
    if (answered && answered.endIndex < invokeIndex) {
      const earlier = `after it was answered at ${answered.end?.t}`;
      violated(name(use), `is refused as ${end.code} at ${end.t}, ${earlier}`, 'refusedNeedlessly');
    } else if (decidedMs !== undefined && decidedMs + settings.clientGraceMs < invoke.t) {
      const earlier = `its order ${order?.orderId} was decided at ${decidedMs}`;
      violated(name(use), `is refused as ${end.code} at ${end.t}, ${earlier}`, 'refusedNeedlessly');
    }
  }
}

function name({ student, key }: KeyUse): string {
  return `${student} ${key}`;
}
