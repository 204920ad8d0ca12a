// The named atomic operations of payments. Each is one transaction: inbox, effect and outbox
// together. Two stores implement them, Postgres and memory, and one conformance suite holds both.
//
// S1. Work that needs the provider is written down before it is begun, as a task, and the task is
//     deleted in the transaction that writes the outcome. So whatever is killed, it is done in the
//     end; twice at times, which is safe because the provider remembers ids.
// S2. Wallets move only by postings, which always name two accounts: what one loses the other gets.

import type { EventOf } from '@rushlight/contracts';
import type { DeclineReason } from './payment.ts';
import type { EntryKind, Opening } from './provider/provider.ts';

export type ChargeRequest = { orderId: string; studentId: string; amountCents: number };

export type Task =
  | { kind: 'charge'; orderIds: string[] }
  | { kind: 'refund'; orderIds: string[] }
  | { kind: 'open'; openings: Opening[] }
  | { kind: 'fund'; studentIds: string[]; balanceCents: number }
  | { kind: 'top_up'; topUpId: string; studentId: string; amountCents: number };

/** A task and how often it was taken. */
export type Work = { workId: string; task: Task; attempts: number };

export type Outcome =
  | { orderId: string; outcome: 'captured' }
  | { orderId: string; outcome: 'declined'; reason: DeclineReason };
export type RefundOutcome = {
  orderId: string;
  outcome: 'refunded' | 'nothing_captured';
};

/** A payment that came to its end now, and what that moved. */
export type Refunded = {
  outcome: 'refunded' | 'voided';
  amountCents: number;
  /** It had been charged without our knowing: both are in the books from now on. */
  capturedUnknown: boolean;
};

export type RefundTarget = { orderId: string; studentId: string };

export type TopUp = { topUpId: string; studentId: string; amountCents: number };
export type TopUpRequest = { by: string; key: string; studentId: string; amountCents: number };
export type TopUpBegun =
  | { kind: 'begun'; work: Work; topUpId: string }
  | { kind: 'done'; balanceCents: number }
  | { kind: 'key_reused' };

export type WalletEntry = {
  atMs: number;
  kind: 'opening' | 'top_up' | 'capture' | 'refund';
  amountCents: number;
  orderId?: string;
};
export type Wallet = { balanceCents: number; entries: WalletEntry[] };
export type WalletBalance = { studentId: string; balanceCents: number };

export type AuditedStatus = 'charging' | 'captured' | 'declined' | 'refunded' | 'voided';
export type PaymentRow = {
  orderId: string;
  status: AuditedStatus;
  capturedCents: number;
  refundedCents: number;
};

/** The sum of what each kind of posting did to wallets, and of all accounts: always 0. */
export type MirrorSums = {
  entries: Record<EntryKind, number>;
  walletsCents: number;
  allAccountsCents: number;
};

/** What a message of the bus means: things of one kind. */
export type Taken<T> = { messageId: string; things: readonly T[] };

/** The new task, and until when it belongs to the one who begins it. */
export type Lease = { workId: string; nowMs: number; untilMs: number };

export interface PaymentStore {
  /**
   * Takes these messages in together, those that were seen left out, as one task. Notes payments as
   * `charging`; those that are known or voided are left as they are.
   */
  beginCharges(messages: readonly Taken<ChargeRequest>[], lease: Lease): Promise<Work | undefined>;
  /** Orders that ended: nothing → voided, charging or captured → refunding. */
  beginRefunds(messages: readonly Taken<string>[], lease: Lease): Promise<Work | undefined>;
  beginOpenings(messages: readonly Taken<Opening>[], lease: Lease): Promise<Work | undefined>;
  beginFund(studentIds: readonly string[], balanceCents: number, lease: Lease): Promise<Work>;
  beginTopUp(request: TopUpRequest, lease: Lease): Promise<TopUpBegun>;

  /** Takes tasks that are due, and keeps others off them until `untilMs`. */
  claim(nowMs: number, untilMs: number, limit: number): Promise<Work[]>;
  /** Gives a task back, to be taken when it is due. */
  postpone(workId: string, dueAtMs: number): Promise<void>;

  /** Of these orders, what is still to be charged, and to be refunded. */
  toCharge(orderIds: readonly string[]): Promise<ChargeRequest[]>;
  toRefund(orderIds: readonly string[]): Promise<RefundTarget[]>;

  /**
   * Writes what the provider said of these, posts it and emits `payment.decided`. `done` ends the
   * task; without it some are still open.
   */
  finishCharges(
    work: Work,
    outcomes: readonly Outcome[],
    done: boolean,
    nowMs: number,
  ): Promise<EventOf<'payment.decided'>[]>;
  /** Returns what it changed: nothing where it was written before. */
  finishRefunds(work: Work, outcomes: readonly RefundOutcome[], nowMs: number): Promise<Refunded[]>;
  finishOpenings(work: Work, openings: readonly Opening[], nowMs: number): Promise<void>;
  finishFund(
    work: Work,
    changes: readonly { studentId: string; changeCents: number }[],
    nowMs: number,
  ): Promise<void>;
  /** Without a balance the student is unknown, and the key is forgotten. */
  finishTopUp(
    work: Work,
    topUp: TopUp,
    balanceCents: number | undefined,
    nowMs: number,
  ): Promise<void>;

  wallet(studentId: string): Promise<Wallet>;
  /** A page of the mirror's wallets, by student id. */
  wallets(after: string, limit: number): Promise<WalletBalance[]>;
  /** Of these students, those for whom something is under way. */
  busy(studentIds: readonly string[]): Promise<Set<string>>;
  sums(): Promise<MirrorSums>;
  page(after: string | undefined, limit: number): Promise<PaymentRow[]>;
  /** Forgets payments and keys from before this instant, at most `limit` of each. */
  forget(beforeMs: number, keysBeforeMs: number, limit: number): Promise<number>;
}
