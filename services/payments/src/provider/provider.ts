// The campus-card provider, as everybody outside it sees it: accounts with a balance, and a ledger.
//
// V1. The ledger is append-only, and an account's balance is the sum of its entries; never below 0.
// V2. A payment id is decided once. The same id again gives the same answer, refusals too; the same
//     id with another amount or student is refused loudly. So asking again is always safe.
// V3. A refund is asked for by payment id. When nothing was charged under it, nothing ever will be.
// V4. When a call throws UnavailableError its outcome is unknown: it may have happened.

export type Opening = { studentId: string; openingCents: number };
export type Charge = { paymentId: string; studentId: string; amountCents: number };
export type ChargeOutcome = 'captured' | 'insufficient_funds' | 'declined';
/** `unknown_account` is no decision: the account may be opened later, ask again. */
export type ChargeAnswer = { paymentId: string; outcome: ChargeOutcome | 'unknown_account' };
export type Refund = { paymentId: string; studentId: string };
export type RefundAnswer =
  | { paymentId: string; outcome: 'refunded'; amountCents: number }
  | { paymentId: string; outcome: 'nothing_captured' };
export type TopUpAnswer =
  | { outcome: 'done'; balanceCents: number }
  | { outcome: 'unknown_account' };
/** What one account was changed by to reach the balance asked for. */
export type BalanceSet = { studentId: string; changeCents: number };

export const entryKinds = ['opening', 'top_up', 'adjustment', 'capture', 'refund'] as const;
export type EntryKind = (typeof entryKinds)[number];
/** `amountCents` is what the account's balance changed by. `reference` is unique within a kind. */
export type LedgerEntry = {
  entryId: number;
  kind: EntryKind;
  reference: string;
  studentId: string;
  amountCents: number;
  atMs: number;
};
export type LedgerSums = Record<EntryKind, number>;
export type Balance = { studentId: string; balanceCents: number };

export interface CardProvider {
  /** Opens the accounts that are missing. Answers what each was opened with, the first time. */
  openAccounts(openings: readonly Opening[]): Promise<Opening[]>;
  /** Decides a batch in the order given: one answer each. @throws ReusedIdError */
  charge(charges: readonly Charge[]): Promise<ChargeAnswer[]>;
  refund(refunds: readonly Refund[]): Promise<RefundAnswer[]>;
  /**
   * Once per key, refusals too: when one attempt was told that there is no account, none that comes
   * later under this key is carried out. @throws ReusedIdError
   */
  topUp(topUp: { key: string; studentId: string; amountCents: number }): Promise<TopUpAnswer>;
  /** Brings accounts to this balance, opening those that are missing; once per key. */
  setBalances(order: {
    key: string;
    studentIds: readonly string[];
    balanceCents: number;
  }): Promise<BalanceSet[]>;
  balance(studentId: string): Promise<number | undefined>;
  /** A page of balances, by student id. */
  balances(after: string, limit: number): Promise<Balance[]>;
  /** A page of the ledger, oldest first. */
  ledger(afterEntryId: number, limit: number): Promise<LedgerEntry[]>;
  /** The sum of each kind of entry, and of all balances. */
  sums(): Promise<{ entries: LedgerSums; balanceCents: number }>;
}

/** An id that stands for one thing was used for another: a mistake of ours, never retried. */
export class ReusedIdError extends Error {
  override readonly name = 'ReusedIdError';

  constructor(id: string, first: string, second: string) {
    super(`The card provider knows ${id} as ${first}; it was now sent as ${second}.`);
  }
}

/** What a charge or refund leaves behind. `declined` and `refunded`: the refund came first (V3). */
export type ChargeRecord = Charge & { outcome: ChargeOutcome; refunded: boolean };
