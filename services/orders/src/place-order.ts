// Placing orders: who calls whom, and the way back.
//
//   price them → acceptBatch (pending, durable) → inventory decides → decideBatch (durable) → answer
//
// P1. Nothing is answered before it is committed.
// P2. A key that is known is answered from its order before anything else is looked at.
// P3. No answer from inventory is no refusal: the order is queued, and the same question goes over
//     the bus under the same order id. The call is never sent twice.
// P4. When this process dies between two steps, the order stays pending; the sweeper queues it.

import { type Environment, type Log, type Metrics, UnavailableError } from '@rushlight/chassis';
import {
  type Answer,
  ApiError,
  limits,
  type OrderLine,
  orderIdOfTrace,
} from '@rushlight/contracts';
import type { OrderEvent } from './order.ts';
import { countPlaced } from './order-counts.ts';
import { type Priced, type PriceList, priceLines } from './prices.ts';
import type { Accepted, KeyUse, Move, Moved, NewOrder, OrderStore, StoredOrder } from './store.ts';
import { answerToKey, refusal, storedAnswer } from './view.ts';

/** The order will belong to this trace. */
export type Placement = KeyUse & { lines: readonly OrderLine[]; traceId: string };

export type ReserveAnswer =
  | { orderId: string; outcome: 'reserved' | 'released' }
  | { orderId: string; outcome: 'short'; itemId: string; left: number };

/**
 * Inventory, as far as placing an order needs it. In any order, and without those that it gave no
 * answer for; throws when there is none at all.
 */
export type Reserve = (
  orders: { orderId: string; lines: OrderLine[] }[],
) => Promise<readonly ReserveAnswer[]>;

export type PlaceParts = {
  store: OrderStore;
  reserve: Reserve;
  priceList: PriceList;
  env: Environment;
  log: Log;
  metrics: Pick<Metrics, 'count' | 'observe'>;
};

/** How long to wait before asking again for an order that is still being placed. */
const inProgressWaitMs = 250;

/**
 * Places a batch. One answer each, in the same order.
 *
 * @throws UnavailableError when the outcome of all of them is unknown; asking again with the same
 *   keys tells it
 */
export async function placeOrders(
  parts: PlaceParts,
  placements: readonly Placement[],
): Promise<Answer[]> {
  const answers = new Map<Placement, Answer>();
  const priced = await priceLines(parts.priceList, placements);
  /** Answers to keys that were known. */
  const repeats = new Set<Answer>();
  await refuseUnknownItems(parts, priced, answers, repeats);

  const orders = new Map<string, Placement>();
  const wanted = priced.flatMap(({ placement, lines }) => {
    if (!lines) return [];
    const order = newOrder(parts.env, placement, lines);
    orders.set(order.orderId, placement);
    return [order];
  });
  const accepted = wanted.length === 0 ? [] : await parts.store.acceptBatch(wanted);
  const fresh = accepted.flatMap((result) => (result.kind === 'accepted' ? [result.order] : []));
  const decided = await decide(parts, fresh);
  for (const [index, result] of accepted.entries()) {
    const order = wanted[index];
    const placement = order && orders.get(order.orderId);
    if (!placement) continue;
    const answer = answerOf(result, placement, decided);
    if (result.kind !== 'accepted') repeats.add(answer);
    answers.set(placement, answer);
  }
  const given = placements.map((placement) => {
    const answer = answers.get(placement);
    if (!answer) throw new Error('an order of the batch got no answer');
    return answer;
  });
  countPlaced(parts.metrics, given, repeats);
  return given;
}

/** Unknown items are a 404, but a known key comes first (P2): its item may have left the menu since. */
async function refuseUnknownItems(
  { store }: PlaceParts,
  priced: readonly Priced<Placement>[],
  answers: Map<Placement, Answer>,
  repeats: Set<Answer>,
): Promise<void> {
  const unknown = priced.filter((one) => one.lines === undefined);
  if (unknown.length === 0) return;
  const known = await store.findByKeys(unknown.map(({ placement }) => placement));
  for (const [index, { placement, why }] of unknown.entries()) {
    const order = known[index];
    const answer = order
      ? answerToKey(order, placement.fingerprint, inProgressWaitMs)
      : refusal(why);
    if (order) repeats.add(answer);
    answers.set(placement, answer);
  }
}

function newOrder(env: Environment, placement: Placement, lines: NewOrder['lines']): NewOrder {
  const { studentId, key, fingerprint, traceId } = placement;
  const acceptedAtMs = env.nowMs();
  return {
    ...{ studentId, key, fingerprint, lines, acceptedAtMs },
    orderId: orderIdOfTrace(traceId, env.newId()),
    totalCents: lines.reduce((sum, line) => sum + line.priceCents * line.quantity, 0),
    deadlineAtMs: acceptedAtMs + limits.orderDeadlineMs,
  };
}

type Decided = { moved: Map<string, Moved>; short: Map<string, { itemId: string; left: number }> };

async function decide(parts: PlaceParts, fresh: readonly StoredOrder[]): Promise<Decided> {
  const short: Decided['short'] = new Map();
  if (fresh.length === 0) return { moved: new Map(), short };
  const told = await askInventory(parts, fresh);
  const moves = fresh.map(({ orderId }): Move => {
    const answer = told.get(orderId);
    if (answer?.outcome === 'short') short.set(orderId, answer);
    return { orderId, event: eventOf(answer) };
  });
  try {
    return { moved: await parts.store.decideBatch(moves, parts.env.nowMs(), fresh), short };
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    // They are accepted, and whether they are decided is unknown; the rest of the batch is not.
    parts.log.warn({ orders: fresh.length, error }, 'the outcome of a batch is unknown');
    return { moved: new Map(), short };
  }
}

async function askInventory(
  { reserve, log }: PlaceParts,
  fresh: readonly StoredOrder[],
): Promise<Map<string, ReserveAnswer>> {
  const asked = fresh.map(({ orderId, lines }) => ({
    orderId,
    lines: lines.map(({ itemId, quantity }) => ({ itemId, quantity })),
  }));
  try {
    const answers = await reserve(asked);
    const queued = asked.length - answers.length;
    if (queued > 0) log.warn({ orders: queued }, 'inventory gave no answer for some: queued');
    return new Map(answers.map((answer) => [answer.orderId, answer]));
  } catch (error) {
    // Whatever went wrong on this way, nothing is known of these orders (P3).
    log.warn({ orders: fresh.length, error }, 'inventory gave no answer: queued');
    return new Map();
  }
}

/**
 * `released` means that the order was ended meanwhile: its own state says how. Anything else than a
 * clear answer is none (P3).
 */
function eventOf(answer: ReserveAnswer | undefined): OrderEvent {
  if (answer?.outcome === 'reserved') return { type: 'stock.reserved' };
  if (answer?.outcome === 'short') return { type: 'stock.short', via: 'call' };
  return { type: 'stock.unknown' };
}

function answerOf(result: Accepted, placement: Placement, { moved, short }: Decided): Answer {
  switch (result.kind) {
    case 'contended':
      return refusal(new ApiError('in_progress', { waitMs: inProgressWaitMs }));
    case 'known': {
      // Its order may stand in this very batch, and be decided by now.
      const order = moved.get(result.order.orderId)?.order ?? result.order;
      return answerToKey(order, placement.fingerprint, inProgressWaitMs);
    }
    case 'accepted': {
      const now = moved.get(result.order.orderId);
      const stored = now && storedAnswer(now.order);
      if (stored) return stored;
      const missing = short.get(result.order.orderId);
      if (missing && now?.order.status === 'rejected') {
        return refusal(new ApiError('sold_out', { itemId: missing.itemId, left: missing.left }));
      }
      return refusal(new ApiError('outcome_unknown', { waitS: 1 }));
    }
  }
}

/** The stored answers to keys; null where a key is unknown. */
export async function lookUpKeys(
  store: OrderStore,
  keys: readonly KeyUse[],
): Promise<(Answer | null)[]> {
  const orders = await store.findByKeys(keys);
  return orders.map((order, index) =>
    order ? answerToKey(order, keys[index]?.fingerprint ?? '', inProgressWaitMs) : null,
  );
}
