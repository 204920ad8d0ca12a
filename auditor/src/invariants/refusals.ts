// I12: nobody is refused needlessly, and every refusal has its true reason.
//
// N1. An order is short if any line asks for more than there was of its item at some instant between
//     a second before it was asked for (a view may be that old) and its refusal.
// N2. An item that is not in the books has nothing left.
// N3. With shifted clocks an instant is any instant of the whole run.

import type { MoneyMove, OrderRecord } from '../evidence.ts';
import { type Call, type Facts, listIn, mayHaveHappened, type Placement } from '../facts.ts';
import type { Line } from '../history.ts';
import { acceptedMs, endedMs } from '../life-cycle.ts';
import { byItem, sameLines, show } from '../lines.ts';
import { Timeline } from '../timeline.ts';
import type { Judge, Report } from './report.ts';

type Window = { fromMs: number; toMs: number };

/** What the API promises to say instead of doing it. Anything else has no reason. */
const promised: Record<Call['invoke']['op'], readonly string[]> = {
  place: ['sold_out', 'unknown_item', 'key_reused', 'in_progress', 'rate_limited'],
  cancel: ['too_late', 'order_not_found', 'rate_limited'],
  refuse: ['wrong_state', 'unknown_ticket', 'order_not_found', 'rate_limited'],
  read: ['order_not_found', 'rate_limited'],
  stock: ['rate_limited'],
  add: ['stale_version', 'stock_short', 'unknown_item', 'taken', 'rate_limited'],
};
const tryAgainStatus = 503;
/** A client that was too slow to ask. */
const tooSlowCode = 'request_timeout';

export const noNeedlessRefusal: Judge = (facts, report) => {
  const stock = facts.evidence.stockMoves && new Stock(facts);
  for (const call of facts.calls) judgeAnswer(call, report);
  for (const placement of facts.placements) judgeRefusal(facts, placement, stock, report);
  const wallets = new Wallets(facts);
  for (const order of facts.evidence.orders) {
    if (order.status === 'rejected') judgeRejected(facts, order, { stock, wallets }, report);
    else if (order.status === 'cancelled') judgeCancelled(facts, order, report);
  }
  wallets.report(report);
  if (facts.settings.clocksShifted) {
    report.unchecked('clocks were shifted: "sold out" was compared with the whole run');
  }
};

function judgeAnswer({ invoke, end }: Call, { violated }: Report): void {
  if (!end || end.type === 'ok' || end.status === undefined) return;
  if (end.status === tryAgainStatus || end.code === tooSlowCode) return;
  if (end.code !== undefined && promised[invoke.op].includes(end.code)) return;
  const detail = `is answered ${end.status} ${end.code ?? 'without a code'} at ${end.t}`;
  violated(subjectOf(invoke), `${detail}, which is not promised`, 'unexpected');
}

function subjectOf(invoke: Call['invoke']): string {
  if (invoke.op === 'place') return `${invoke.student} ${invoke.key}`;
  return 'orderId' in invoke ? invoke.orderId : `${invoke.op} by ${invoke.proc}`;
}

/** An order that was refused at once. */
function judgeRefusal(
  facts: Facts,
  placement: Placement,
  stock: Stock | undefined,
  { violated }: Report,
): void {
  const { invoke, end } = placement;
  if (end?.type !== 'fail') return;
  const subject = subjectOf(invoke);
  const { lines } = invoke;
  if (end.code === 'sold_out') {
    const why = stock?.whyNotShort(lines, windowOf(facts, invoke.t, end.t));
    if (why) violated(subject, `is refused as sold out at ${end.t}: ${why}`, 'refusedNeedlessly');
  } else if (end.code === 'unknown_item') {
    if (!stock?.areKnown(lines, invoke.t)) return;
    violated(subject, `is refused, but ${show(lines)} was on the menu`, 'refusedNeedlessly');
  } else if (end.code === 'key_reused') {
    const uses = facts.uses.get(`${invoke.student}\n${invoke.key}`)?.placements ?? [];
    if (uses.some((use) => !sameLines(use.invoke.lines, lines))) return;
    violated(subject, 'is refused as key_reused, and was only used for this', 'refusedNeedlessly');
  }
}

function windowOf({ settings }: Facts, askedMs: number, toldMs: number): Window {
  const { clocksShifted, shortBeforeMs, clientGraceMs } = settings;
  if (clocksShifted) return { fromMs: Number.NEGATIVE_INFINITY, toMs: Number.POSITIVE_INFINITY };
  return { fromMs: askedMs - shortBeforeMs - clientGraceMs, toMs: toldMs + clientGraceMs };
}

type Books = { stock: Stock | undefined; wallets: Wallets };

/** An order that was taken, and rejected later. */
function judgeRejected(
  facts: Facts,
  order: OrderRecord,
  { stock, wallets }: Books,
  report: Report,
): void {
  const { orderId, reason, totalCents } = order;
  const { deadlineMs, clocksShifted, clientGraceMs } = facts.settings;
  const needless = (why: string): void =>
    report.violated(
      orderId,
      `is rejected as ${reason} at ${endedMs(order)}: ${why}`,
      'refusedNeedlessly',
    );
  const window = windowOf(facts, acceptedMs(order), endedMs(order));
  switch (reason) {
    case 'sold_out': {
      const why = stock?.whyNotShort(order.lines, window);
      if (why && !isToldAtOnce(facts, order)) needless(why);
      return;
    }
    case 'insufficient_funds': {
      const lowest = wallets.lowest(order, window);
      if (lowest !== undefined && lowest >= totalCents) {
        needless(`${order.student} never had less than ${lowest} of ${totalCents} cents`);
      }
      return;
    }
    case 'payment_declined':
      if (wallets.wasDeclined(orderId) === false) needless('the provider did not decline it');
      return;
    case 'deadline': {
      const waitedMs = endedMs(order) - acceptedMs(order);
      if (!clocksShifted && waitedMs + clientGraceMs < deadlineMs) {
        needless(`it waited ${waitedMs} of ${deadlineMs} ms`);
      }
      return;
    }
    default:
      needless('there is no such reason');
  }
}

/** Then it is judged by that answer, and counted once. */
function isToldAtOnce({ placements }: Facts, order: OrderRecord): boolean {
  if (order.key !== undefined) return false;
  return placements.some(
    ({ invoke, end }) =>
      end?.type === 'fail' &&
      end.code === 'sold_out' &&
      invoke.student === order.student &&
      invoke.t <= endedMs(order) &&
      acceptedMs(order) <= end.t,
  );
}

/** Only a person cancels: one who may have succeeded, and asked before. */
function judgeCancelled(
  { interruptions, settings }: Facts,
  order: OrderRecord,
  { violated }: Report,
): void {
  const { orderId } = order;
  const asked = (interruptions.get(orderId) ?? []).filter(mayHaveHappened);
  const { clocksShifted, clientGraceMs } = settings;
  const inTime = asked.some(
    ({ invoke }) => clocksShifted || invoke.t <= endedMs(order) + clientGraceMs,
  );
  if (inTime) return;
  const [first] = asked;
  const when = first ? `; it was asked for at ${first.invoke.t}` : ', and nobody asked for it';
  violated(orderId, `is cancelled at ${endedMs(order)}${when}`, 'refusedNeedlessly');
}

/** What could be sold of each item, at any time. */
class Stock {
  readonly #timelines = new Map<string, Timeline>();
  readonly #bornMs = new Map<string, number>();
  readonly #removed = new Set<string>();

  constructor({ evidence }: Facts) {
    for (const { itemId, removed = false } of evidence.items)
      if (removed) this.#removed.add(itemId);
    for (const { itemId, atMs, by } of evidence.stockMoves ?? []) {
      const timeline = this.#timelines.get(itemId);
      if (timeline) timeline.add(atMs, by);
      else {
        this.#timelines.set(itemId, new Timeline(by));
        this.#bornMs.set(itemId, atMs);
      }
    }
  }

  /** Undefined when some line was short; otherwise what there was of each. */
  whyNotShort(lines: readonly Line[], window: Window): string | undefined {
    const least: string[] = [];
    for (const [itemId, quantity] of byItem(lines)) {
      const lowest = this.#lowest(itemId, window);
      if (lowest < quantity) return undefined;
      least.push(`${quantity} of ${lowest} ${itemId}`);
    }
    return `wanted ${least.join(', ')}, the least that there was from ${window.fromMs} to ${window.toMs}`;
  }

  #lowest(itemId: string, { fromMs, toMs }: Window): number {
    const timeline = this.#timelines.get(itemId);
    const bornMs = this.#bornMs.get(itemId) ?? Number.POSITIVE_INFINITY;
    // There was nothing of it before it was made; in a whole run (N3) that is no reason.
    const isBefore = fromMs < bornMs && fromMs !== Number.NEGATIVE_INFINITY;
    return timeline && !isBefore ? timeline.lowest(fromMs, toMs) : 0;
  }

  areKnown(lines: readonly Line[], atMs: number): boolean {
    return lines.every(({ itemId }) => {
      const bornMs = this.#bornMs.get(itemId);
      return bornMs !== undefined && bornMs < atMs && !this.#removed.has(itemId);
    });
  }
}

/** What students could pay, as far as the evidence knows; made when first needed. */
class Wallets {
  readonly #facts: Facts;
  readonly #timelines = new Map<string, Timeline>();
  #declines: ReadonlySet<string> | undefined;
  #isMade = false;
  #unknown = 0;

  constructor(facts: Facts) {
    this.#facts = facts;
  }

  /** Undefined when nobody knows. */
  lowest({ student }: OrderRecord, { fromMs, toMs }: Window): number | undefined {
    this.#make();
    const timeline = this.#timelines.get(student);
    if (!timeline || !this.#facts.evidence.provider) {
      this.#unknown += 1;
      return undefined;
    }
    return timeline.lowest(fromMs, toMs);
  }

  wasDeclined(orderId: string): boolean | undefined {
    this.#make();
    if (!this.#declines) this.#unknown += 1;
    return this.#declines?.has(orderId);
  }

  report({ unchecked }: Report): void {
    if (this.#unknown === 0) return;
    unchecked(`why the payment of ${this.#unknown} orders was refused: no wallets or declines`);
  }

  #make(): void {
    if (this.#isMade) return;
    this.#isMade = true;
    const { wallets = [], declines, provider = [] } = this.#facts.evidence;
    if (declines) this.#declines = new Set(declines);
    const movesOf = new Map<string, MoneyMove[]>();
    for (const move of provider) listIn(movesOf, move.student).push(move);
    for (const { student, openingCents } of wallets) {
      const timeline = new Timeline(openingCents);
      for (const { kind, amountCents, atMs = Number.NEGATIVE_INFINITY } of movesOf.get(student) ??
        []) {
        timeline.add(atMs, kind === 'capture' ? -amountCents : amountCents);
      }
      this.#timelines.set(student, timeline);
    }
  }
}
