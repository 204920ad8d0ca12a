// The operations of payments on Postgres: each is one transaction of a few statements, however
// large the batch is.

import assert from 'node:assert/strict';
import type { Statement, Transaction } from '@rushlight/chassis';
import type { EventOf } from '@rushlight/contracts';
import { paymentIdOf } from './payment.ts';
import { type Posting, postingOf, walletAccount } from './postings.ts';
import { type EntryKind, entryKinds, type Opening } from './provider/provider.ts';
import { statements } from './statements.ts';
import type {
  AuditedStatus,
  ChargeRequest,
  Lease,
  MirrorSums,
  Outcome,
  PaymentRow,
  PaymentStore,
  Refunded,
  RefundOutcome,
  RefundTarget,
  Taken,
  Task,
  TopUp,
  TopUpBegun,
  TopUpRequest,
  Wallet,
  WalletBalance,
  WalletEntry,
  Work,
} from './store.ts';

/** The part of a store of the chassis that payments uses. */
export type Database = {
  transaction<T>(operation: string, work: (tx: Transaction) => Promise<T>): Promise<T>;
  query<Row extends object>(statement: Statement, values?: readonly unknown[]): Promise<Row[]>;
};

type Finished = {
  orderId: string;
  studentId: string;
  amountCents: number;
  status: string;
  reason?: 'insufficient_funds' | 'payment_declined' | null;
  /** Whether its capture was posted before. */
  posted?: boolean;
};

export class PostgresPaymentStore implements PaymentStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  beginCharges(messages: readonly Taken<ChargeRequest>[], lease: Lease) {
    return this.#database.transaction('begin_charges', async (tx) => {
      const requests = await newThings(tx, messages);
      if (requests.length === 0) return undefined;
      const { workId, nowMs, untilMs } = lease;
      const [begun] = await tx.query<{ task: Task }>(statements.begin, [
        requests.map(({ orderId }) => orderId),
        requests.map(({ studentId }) => studentId),
        requests.map(({ amountCents }) => amountCents),
        ...[nowMs, workId, untilMs],
      ]);
      return begun && { workId, task: begun.task, attempts: 1 };
    });
  }

  beginRefunds(messages: readonly Taken<string>[], lease: Lease) {
    return this.#database.transaction('begin_refunds', async (tx) => {
      const ended = await newThings(tx, messages);
      if (ended.length === 0) return undefined;
      const rows = await tx.query<{ orderId: string; status: string }>(statements.end, [
        [...new Set(ended)],
        lease.nowMs,
      ]);
      const orderIds = rows
        .filter(({ status }) => status === 'refunding')
        .map(({ orderId }) => orderId);
      return orderIds.length > 0 ? addWork(tx, { kind: 'refund', orderIds }, lease) : undefined;
    });
  }

  beginOpenings(messages: readonly Taken<Opening>[], lease: Lease) {
    return this.#database.transaction('begin_openings', async (tx) => {
      const openings = await newThings(tx, messages);
      return openings.length > 0 ? addWork(tx, { kind: 'open', openings }, lease) : undefined;
    });
  }

  beginFund(studentIds: readonly string[], balanceCents: number, lease: Lease) {
    return this.#database.transaction('begin_fund', async (tx) =>
      addWork(tx, { kind: 'fund', studentIds: [...studentIds], balanceCents }, lease),
    );
  }

  beginTopUp(request: TopUpRequest, lease: Lease): Promise<TopUpBegun> {
    const { by, key, studentId, amountCents } = request;
    return this.#database.transaction('begin_top_up', async (tx) => {
      const [row] = await tx.query<TopUp & { balanceCents: number | null }>(statements.beginTopUp, [
        by,
        key,
        lease.workId,
        studentId,
        amountCents,
        lease.nowMs,
      ]);
      if (row?.studentId !== studentId || row.amountCents !== amountCents) {
        return { kind: 'key_reused' };
      }
      if (row.balanceCents !== null) return { kind: 'done', balanceCents: row.balanceCents };
      const { topUpId } = row;
      const task: Task = { kind: 'top_up', topUpId, studentId, amountCents };
      if (topUpId !== lease.workId) {
        return { kind: 'begun', topUpId, work: { workId: topUpId, task, attempts: 1 } };
      }
      return { kind: 'begun', topUpId, work: await addWork(tx, task, lease) };
    });
  }

  async claim(nowMs: number, untilMs: number, limit: number): Promise<Work[]> {
    return this.#database.query<Work>(statements.claim, [nowMs, untilMs, limit]);
  }

  async postpone(workId: string, dueAtMs: number): Promise<void> {
    await this.#database.query(statements.postpone, [workId, dueAtMs]);
  }

  toCharge(orderIds: readonly string[]): Promise<ChargeRequest[]> {
    return this.#database.query<ChargeRequest>(statements.toCharge, [orderIds]);
  }

  toRefund(orderIds: readonly string[]): Promise<RefundTarget[]> {
    return this.#database.query<RefundTarget>(statements.toRefund, [orderIds]);
  }

  finishCharges(work: Work, outcomes: readonly Outcome[], done: boolean, nowMs: number) {
    return this.#database.transaction('finish_charges', async (tx) => {
      const [, ...groups] = await Promise.all([
        done && endWork(tx, work),
        ...alike(outcomes).map((values) => tx.query<Finished>(statements.finishCharges, values)),
      ]);
      const finished = groups.flat();
      const captured = finished.filter(({ status }) => status === 'captured');
      await post(tx, captured.flatMap(capturePosting), nowMs);
      const events = finished.map(({ orderId, reason }) => ({
        orderId,
        outcome: reason ?? ('captured' as const),
      }));
      if (events.length > 0) await tx.emit('payment.decided', events);
      return events satisfies EventOf<'payment.decided'>[];
    });
  }

  finishRefunds(work: Work, outcomes: readonly RefundOutcome[], nowMs: number) {
    return this.#database.transaction('finish_refunds', async (tx) => {
      const finished = await tx.query<Finished>(statements.finishRefunds, [
        outcomes.map(({ orderId }) => orderId),
        outcomes.map(({ outcome }) => (outcome === 'refunded' ? 'refunded' : 'voided')),
      ]);
      const refunded = finished.filter(({ status }) => status === 'refunded');
      // It may have been charged without our knowing: then both are posted now.
      const unposted = refunded.filter(({ posted }) => !posted);
      const postings = [...unposted.flatMap(capturePosting), ...refunded.flatMap(refundPosting)];
      await endWork(tx, work);
      await post(tx, postings, nowMs);
      return finished.map(({ status, amountCents, posted }): Refunded => {
        const outcome = status === 'refunded' ? 'refunded' : 'voided';
        return { outcome, amountCents, capturedUnknown: outcome === 'refunded' && !posted };
      });
    });
  }

  finishOpenings(work: Work, openings: readonly Opening[], nowMs: number): Promise<void> {
    return this.#database.transaction('finish_openings', async (tx) => {
      if (!(await endWork(tx, work))) return;
      await openWallets(tx, openings);
      const filled = openings.filter(({ openingCents }) => openingCents > 0);
      const kind = 'opening' as const;
      const postings = filled.map(({ studentId, openingCents: changeCents }) =>
        postingOf({ kind, reference: studentId, studentId, changeCents }),
      );
      // A student who registers once may be announced twice.
      await post(tx, postings, nowMs, statements.postOnce);
    });
  }

  finishFund(
    work: Work,
    changes: readonly { studentId: string; changeCents: number }[],
    nowMs: number,
  ): Promise<void> {
    return this.#database.transaction('finish_fund', async (tx) => {
      if (!(await endWork(tx, work))) return;
      await openWallets(tx, changes);
      const changed = changes.filter(({ changeCents }) => changeCents !== 0);
      const kind = 'adjustment' as const;
      const postings = changed.map(({ studentId, changeCents }) =>
        postingOf({ kind, reference: `${work.workId}:${studentId}`, studentId, changeCents }),
      );
      await post(tx, postings, nowMs);
    });
  }

  finishTopUp(work: Work, topUp: TopUp, balanceCents: number | undefined, nowMs: number) {
    return this.#database.transaction('finish_top_up', async (tx) => {
      const { topUpId, studentId, amountCents } = topUp;
      await endWork(tx, work);
      if (balanceCents === undefined) {
        await tx.query(statements.dropTopUp, [topUpId]);
        return;
      }
      const ended = await tx.query(statements.endTopUp, [topUpId, balanceCents]);
      if (ended.length === 0) return;
      const posting = { kind: 'top_up' as const, reference: topUpId, studentId };
      await post(tx, [postingOf({ ...posting, changeCents: amountCents })], nowMs);
    });
  }

  async wallet(studentId: string): Promise<Wallet> {
    type Entry = { kind: EntryKind; atMs: number; amountCents: number; orderId: string | null };
    type Row = { balanceCents: number; entries: Entry[] };
    const [row] = await this.#database.query<Row>(statements.wallet, [studentId]);
    return {
      balanceCents: row?.balanceCents ?? 0,
      entries: (row?.entries ?? []).map(walletEntry),
    };
  }

  wallets(after: string, limit: number): Promise<WalletBalance[]> {
    return this.#database.query<WalletBalance>(statements.wallets, [after, limit]);
  }

  async busy(studentIds: readonly string[]): Promise<Set<string>> {
    type Row = { studentId: string };
    const rows = await this.#database.query<Row>(statements.busy, [studentIds]);
    return new Set(rows.map(({ studentId }) => studentId));
  }

  async sums(): Promise<MirrorSums> {
    const rows = await this.#database.query<{ kind: string; cents: number }>(statements.sums);
    const of = (kind: string): number => rows.find((row) => row.kind === kind)?.cents ?? 0;
    const entries = Object.fromEntries(entryKinds.map((kind) => [kind, of(kind)]));
    return {
      entries: entries as MirrorSums['entries'],
      walletsCents: of('wallets'),
      allAccountsCents: of('all'),
    };
  }

  async page(after: string | undefined, limit: number): Promise<PaymentRow[]> {
    type Row = { orderId: string; amountCents: number; status: string; captured: boolean };
    const rows = await this.#database.query<Row>(statements.page, [after ?? null, limit]);
    return rows.map(({ orderId, amountCents, status, captured }) =>
      auditedPayment(orderId, amountCents, status, captured),
    );
  }

  async forget(beforeMs: number, keysBeforeMs: number, limit: number): Promise<number> {
    const payments = await this.#database.query(statements.forgetPayments, [beforeMs, limit]);
    const topUps = await this.#database.query(statements.forgetTopUps, [keysBeforeMs, limit]);
    return payments.length + topUps.length;
  }
}

/** How the audit sees a payment: what is under way counts as what is known of it. */
export function auditedPayment(
  orderId: string,
  amountCents: number,
  status: string,
  captured: boolean,
): PaymentRow {
  const known = captured ? 'captured' : 'charging';
  return {
    orderId,
    status: status === 'refunding' ? known : (status as AuditedStatus),
    capturedCents: captured ? amountCents : 0,
    refundedCents: status === 'refunded' ? amountCents : 0,
  };
}

/** How a student sees a posting: an adjustment is a top-up to them, also one that takes away. */
export function walletEntry(posting: {
  kind: EntryKind;
  atMs: number;
  amountCents: number;
  orderId: string | null | undefined;
}): WalletEntry {
  const { atMs, amountCents, orderId } = posting;
  const kind = posting.kind === 'adjustment' ? 'top_up' : posting.kind;
  return { atMs, kind, amountCents, ...(orderId ? { orderId } : {}) };
}

type Paid = { orderId: string; studentId: string; amountCents: number };

/** A meal that costs nothing moves nothing. */
export function capturePosting({ orderId, studentId, amountCents }: Paid): Posting[] {
  if (amountCents === 0) return [];
  const named = { kind: 'capture' as const, reference: paymentIdOf(orderId), orderId, studentId };
  return [postingOf({ ...named, changeCents: -amountCents })];
}

export function refundPosting({ orderId, studentId, amountCents }: Paid): Posting[] {
  if (amountCents === 0) return [];
  const named = { kind: 'refund' as const, reference: paymentIdOf(orderId), orderId, studentId };
  return [postingOf({ ...named, changeCents: amountCents })];
}

/** What is in those of these messages that were not taken before. */
async function newThings<T>(tx: Transaction, messages: readonly Taken<T>[]): Promise<T[]> {
  const fresh = await tx.newOf(messages.map(({ messageId }) => messageId));
  return messages
    .filter(({ messageId }) => fresh.delete(messageId))
    .flatMap(({ things }) => things);
}

async function addWork(tx: Transaction, task: Task, lease: Lease): Promise<Work> {
  const { workId, untilMs } = lease;
  await tx.query(statements.addWork, [workId, JSON.stringify(task), untilMs]);
  return { workId, task, attempts: 1 };
}

/** True for the one who ends it; whoever comes later finds the work done. */
async function endWork(tx: Transaction, { workId }: Work): Promise<boolean> {
  return (await tx.query(statements.endWork, [workId])).length > 0;
}

/** What `finishCharges` is told: orders, status and reason, once for each pair of the latter. */
function alike(outcomes: readonly Outcome[]): [string[], string, string | null][] {
  const groups = Object.groupBy(outcomes, (one) => ('reason' in one ? one.reason : one.outcome));
  return Object.values(groups).map((group) => {
    const [first] = group;
    assert(first, 'a group has at least one outcome');
    const reason = 'reason' in first ? first.reason : null;
    return [group.map(({ orderId }) => orderId), first.outcome, reason];
  });
}

async function openWallets(
  tx: Transaction,
  students: readonly { studentId: string }[],
): Promise<void> {
  const accounts = students.map(({ studentId }) => walletAccount(studentId));
  await tx.query(statements.openWallets, [accounts]);
}

async function post(
  tx: Transaction,
  postings: readonly Posting[],
  nowMs: number,
  statement: Statement = statements.post,
): Promise<void> {
  if (postings.length === 0) return;
  await tx.query(statement, [
    postings.map((posting) => posting.kind),
    postings.map((posting) => posting.reference),
    postings.map((posting) => posting.studentId),
    postings.map((posting) => posting.debitAccount),
    postings.map((posting) => posting.creditAccount),
    postings.map((posting) => posting.amountCents),
    postings.map((posting) => posting.orderId ?? null),
    nowMs,
  ]);
}
