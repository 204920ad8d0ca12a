// The operations of payments in memory: each is one step that nothing can interrupt. The
// simulation runs the protocol on it.

import assert from 'node:assert/strict';
import type { EventOf } from '@rushlight/contracts';
import { advance, type Payment, type PaymentEvent } from './payment.ts';
import { auditedPayment, capturePosting, refundPosting, walletEntry } from './postgres-store.ts';
import { changeOf, type Posting, postingOf, walletAccount } from './postings.ts';
import { entryKinds, type Opening } from './provider/provider.ts';
import type {
  ChargeRequest,
  Lease,
  MirrorSums,
  Outcome,
  PaymentStore,
  Refunded,
  RefundOutcome,
  Taken,
  Task,
  TopUp,
  TopUpBegun,
  TopUpRequest,
  Work,
} from './store.ts';

type Emit = (topic: 'payment.decided', events: EventOf<'payment.decided'>[]) => void;
type Entry = Posting & { atMs: number };
type KnownTopUp = TopUp & { balanceCents: number | undefined; createdAtMs: number };

export class MemoryPaymentStore implements PaymentStore {
  readonly #emit: Emit;
  readonly #inbox = new Set<string>();
  readonly #payments = new Map<string, { payment: Payment; createdAtMs: number }>();
  readonly #work = new Map<string, Work & { dueAtMs: number }>();
  readonly #topUps = new Map<string, KnownTopUp>();
  readonly #postings = new Map<string, Entry>();
  readonly #accounts = new Map<string, number>();

  /** `emit` is called where the transaction would commit its outbox rows. */
  constructor(emit: Emit) {
    this.#emit = emit;
  }

  async beginCharges(messages: readonly Taken<ChargeRequest>[], lease: Lease) {
    const begun = this.#newThings(messages).filter(({ orderId, studentId, amountCents }) =>
      this.#move(orderId, { type: 'verified', studentId, amountCents }, lease.nowMs),
    );
    const orderIds = begun.map(({ orderId }) => orderId);
    return orderIds.length > 0 ? this.#addWork({ kind: 'charge', orderIds }, lease) : undefined;
  }

  async beginRefunds(messages: readonly Taken<string>[], lease: Lease) {
    const orderIds = this.#newThings(messages).filter((orderId) => {
      const moved = this.#move(orderId, { type: 'order_ended' }, lease.nowMs);
      return moved && this.#payments.get(orderId)?.payment.status === 'refunding';
    });
    return orderIds.length > 0 ? this.#addWork({ kind: 'refund', orderIds }, lease) : undefined;
  }

  async beginOpenings(messages: readonly Taken<Opening>[], lease: Lease) {
    const openings = this.#newThings(messages);
    return openings.length > 0 ? this.#addWork({ kind: 'open', openings }, lease) : undefined;
  }

  async beginFund(studentIds: readonly string[], balanceCents: number, lease: Lease) {
    return this.#addWork({ kind: 'fund', studentIds: [...studentIds], balanceCents }, lease);
  }

  async beginTopUp(request: TopUpRequest, lease: Lease): Promise<TopUpBegun> {
    const { by, key, studentId, amountCents } = request;
    const name = JSON.stringify([by, key]);
    const known = this.#topUps.get(name);
    const topUpId = known?.topUpId ?? lease.workId;
    if (known && (known.studentId !== studentId || known.amountCents !== amountCents)) {
      return { kind: 'key_reused' };
    }
    if (known?.balanceCents !== undefined) {
      return { kind: 'done', balanceCents: known.balanceCents };
    }
    const task: Task = { kind: 'top_up', topUpId, studentId, amountCents };
    if (known) return { kind: 'begun', topUpId, work: { workId: topUpId, task, attempts: 1 } };
    const topUp = { topUpId, studentId, amountCents, createdAtMs: lease.nowMs };
    this.#topUps.set(name, { ...topUp, balanceCents: undefined });
    return { kind: 'begun', topUpId, work: this.#addWork(task, lease) };
  }

  async claim(nowMs: number, untilMs: number, limit: number): Promise<Work[]> {
    const due = [...this.#work.values()].filter(({ dueAtMs }) => dueAtMs <= nowMs);
    due.sort((a, b) => a.dueAtMs - b.dueAtMs);
    return due.slice(0, limit).map((work) => {
      work.dueAtMs = untilMs;
      work.attempts += 1;
      return { workId: work.workId, task: work.task, attempts: work.attempts };
    });
  }

  async postpone(workId: string, dueAtMs: number): Promise<void> {
    const work = this.#work.get(workId);
    if (work) work.dueAtMs = dueAtMs;
  }

  async toCharge(orderIds: readonly string[]): Promise<ChargeRequest[]> {
    return orderIds.flatMap((orderId) => {
      const payment = this.#payments.get(orderId)?.payment;
      if (payment?.status !== 'charging') return [];
      const { studentId, amountCents } = payment;
      return [{ orderId, studentId, amountCents }];
    });
  }

  async toRefund(orderIds: readonly string[]) {
    return orderIds.flatMap((orderId) => {
      const payment = this.#payments.get(orderId)?.payment;
      return payment?.status === 'refunding' ? [{ orderId, studentId: payment.studentId }] : [];
    });
  }

  async finishCharges(work: Work, outcomes: readonly Outcome[], done: boolean, nowMs: number) {
    const events: EventOf<'payment.decided'>[] = [];
    for (const decided of outcomes) {
      const { orderId } = decided;
      const event: PaymentEvent =
        decided.outcome === 'captured'
          ? { type: 'charged' }
          : { type: 'declined', reason: decided.reason };
      if (!this.#move(orderId, event, nowMs)) continue;
      const payment = this.#payments.get(orderId)?.payment;
      if (payment?.status === 'captured')
        this.#post(capturePosting({ orderId, ...payment }), nowMs);
      const outcome = decided.outcome === 'captured' ? decided.outcome : decided.reason;
      events.push({ orderId, outcome });
    }
    if (events.length > 0) this.#emit('payment.decided', events);
    if (done) this.#work.delete(work.workId);
    return events;
  }

  async finishRefunds(work: Work, outcomes: readonly RefundOutcome[], nowMs: number) {
    const finished: Refunded[] = [];
    for (const { orderId, outcome } of outcomes) {
      const type = outcome === 'refunded' ? 'given_back' : 'never_taken';
      const before = this.#payments.get(orderId)?.payment;
      if (before?.status !== 'refunding' || !this.#move(orderId, { type }, nowMs)) continue;
      const payment = this.#payments.get(orderId)?.payment;
      const isRefunded = payment?.status === 'refunded';
      finished.push({
        outcome: isRefunded ? 'refunded' : 'voided',
        amountCents: before.amountCents,
        capturedUnknown: isRefunded && !before.captured,
      });
      if (!isRefunded) continue;
      const paid = { orderId, ...payment };
      this.#post([...capturePosting(paid), ...refundPosting(paid)], nowMs);
    }
    this.#work.delete(work.workId);
    return finished;
  }

  async finishOpenings(work: Work, openings: readonly Opening[], nowMs: number) {
    for (const { studentId, openingCents: changeCents } of openings) {
      this.#openWallet(studentId);
      if (changeCents === 0) continue;
      const kind = 'opening' as const;
      this.#post([postingOf({ kind, reference: studentId, studentId, changeCents })], nowMs);
    }
    this.#work.delete(work.workId);
  }

  async finishFund(
    work: Work,
    changes: readonly { studentId: string; changeCents: number }[],
    nowMs: number,
  ) {
    for (const { studentId, changeCents } of changes) {
      this.#openWallet(studentId);
      if (changeCents === 0) continue;
      const reference = `${work.workId}:${studentId}`;
      this.#post([postingOf({ kind: 'adjustment', reference, studentId, changeCents })], nowMs);
    }
    this.#work.delete(work.workId);
  }

  async finishTopUp(work: Work, topUp: TopUp, balanceCents: number | undefined, nowMs: number) {
    const { topUpId, studentId, amountCents: changeCents } = topUp;
    for (const [name, known] of this.#topUps) {
      if (known.topUpId !== topUpId || known.balanceCents !== undefined) continue;
      if (balanceCents === undefined) this.#topUps.delete(name);
      else known.balanceCents = balanceCents;
    }
    if (balanceCents !== undefined) {
      this.#post(
        [postingOf({ kind: 'top_up', reference: topUpId, studentId, changeCents })],
        nowMs,
      );
    }
    this.#work.delete(work.workId);
  }

  async wallet(studentId: string) {
    const own = [...this.#postings.values()].filter((posting) => posting.studentId === studentId);
    const entries = own
      .reverse()
      .slice(0, 50)
      .map(({ kind, atMs, orderId, ...rest }) =>
        walletEntry({ kind, atMs, orderId, amountCents: changeOf({ kind, ...rest }) }),
      );
    return { balanceCents: this.#accounts.get(walletAccount(studentId)) ?? 0, entries };
  }

  async wallets(after: string, limit: number) {
    return [...this.#accounts]
      .filter(([account]) => account.startsWith('wallet:') && account > walletAccount(after))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .slice(0, limit)
      .map(([account, balanceCents]) => ({ studentId: account.slice(7), balanceCents }));
  }

  async busy(studentIds: readonly string[]): Promise<Set<string>> {
    const busy = new Set([...this.#work.values()].flatMap(({ task }) => this.#studentsOf(task)));
    return new Set(studentIds.filter((studentId) => busy.has(studentId)));
  }

  async sums(): Promise<MirrorSums> {
    const entries = Object.fromEntries(
      entryKinds.map((kind) => [kind, 0]),
    ) as MirrorSums['entries'];
    for (const posting of this.#postings.values()) entries[posting.kind] += changeOf(posting);
    let walletsCents = 0;
    let allAccountsCents = 0;
    for (const [account, cents] of this.#accounts) {
      allAccountsCents += cents;
      if (account.startsWith('wallet:')) walletsCents += cents;
    }
    return { entries, walletsCents, allAccountsCents };
  }

  async page(after: string | undefined, limit: number) {
    return [...this.#payments]
      .filter(([orderId]) => after === undefined || orderId > after)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .slice(0, limit)
      .map(([orderId, { payment }]) => {
        const { status } = payment;
        const captured =
          status === 'refunding' ? payment.captured : ['captured', 'refunded'].includes(status);
        const amountCents = 'amountCents' in payment ? payment.amountCents : 0;
        return auditedPayment(orderId, amountCents, status, captured);
      });
  }

  async forget(beforeMs: number, keysBeforeMs: number, limit: number): Promise<number> {
    let gone = 0;
    for (const [orderId, { payment, createdAtMs }] of this.#payments) {
      const open = payment.status === 'charging' || payment.status === 'refunding';
      if (createdAtMs >= beforeMs || open || gone >= limit) continue;
      this.#payments.delete(orderId);
      gone += 1;
    }
    for (const [name, { balanceCents, createdAtMs }] of this.#topUps) {
      if (createdAtMs >= keysBeforeMs || balanceCents === undefined) continue;
      this.#topUps.delete(name);
      gone += 1;
    }
    return gone;
  }

  /** What is in those of these messages that were not taken before. */
  #newThings<T>(messages: readonly Taken<T>[]): T[] {
    return messages
      .filter(({ messageId }) => this.#isNew(messageId))
      .flatMap(({ things }) => things);
  }

  #isNew(messageId: string): boolean {
    if (this.#inbox.has(messageId)) return false;
    this.#inbox.add(messageId);
    return true;
  }

  #move(orderId: string, event: PaymentEvent, nowMs: number): boolean {
    const known = this.#payments.get(orderId);
    const step = advance(known?.payment, event);
    if (step.kind !== 'moved') return false;
    const createdAtMs = known?.createdAtMs ?? nowMs;
    this.#payments.set(orderId, { payment: step.payment, createdAtMs });
    return true;
  }

  #addWork(task: Task, { workId, untilMs }: Lease): Work {
    this.#work.set(workId, { workId, task, attempts: 1, dueAtMs: untilMs });
    return { workId, task, attempts: 1 };
  }

  #openWallet(studentId: string): void {
    const account = walletAccount(studentId);
    this.#accounts.set(account, this.#accounts.get(account) ?? 0);
  }

  #post(postings: readonly Posting[], atMs: number): void {
    for (const posting of postings) {
      const name = JSON.stringify([posting.kind, posting.reference]);
      if (this.#postings.has(name)) continue;
      this.#postings.set(name, { ...posting, atMs });
      const { debitAccount, creditAccount, amountCents } = posting;
      assert(amountCents > 0, `a posting of ${amountCents} cents`);
      this.#add(debitAccount, -amountCents);
      this.#add(creditAccount, amountCents);
    }
  }

  #add(account: string, cents: number): void {
    this.#accounts.set(account, (this.#accounts.get(account) ?? 0) + cents);
  }

  #studentsOf(task: Task): string[] {
    switch (task.kind) {
      case 'charge':
      case 'refund':
        return task.orderIds.flatMap((orderId) => {
          const payment = this.#payments.get(orderId)?.payment;
          return payment && 'studentId' in payment ? [payment.studentId] : [];
        });
      case 'open':
        return task.openings.map(({ studentId }) => studentId);
      case 'fund':
        return task.studentIds;
      case 'top_up':
        return [task.studentId];
    }
  }
}
