// Double entry: what each kind of movement takes from which account and gives to which.

import assert from 'node:assert/strict';
import type { EntryKind } from './provider/provider.ts';

/** Money that came in from outside, and what the shop has earned. */
const funds = 'funds';
const sales = 'sales';
const otherSide: Record<EntryKind, string> = {
  opening: funds,
  top_up: funds,
  adjustment: funds,
  capture: sales,
  refund: sales,
};

/** `reference` is unique within its kind, as in the provider's ledger. */
export type Posting = {
  kind: EntryKind;
  reference: string;
  studentId: string;
  debitAccount: string;
  creditAccount: string;
  amountCents: number;
  orderId?: string;
};

export function walletAccount(studentId: string): string {
  return `wallet:${studentId}`;
}

/**
 * The posting that changes a wallet by this much.
 *
 * @param changeCents what the wallet gets (above 0) or loses; never 0
 */
export function postingOf(movement: {
  kind: EntryKind;
  reference: string;
  studentId: string;
  changeCents: number;
  orderId?: string;
}): Posting {
  const { changeCents, ...rest } = movement;
  assert(changeCents !== 0, `a posting of nothing: ${rest.kind} ${rest.reference}`);
  const wallet = walletAccount(rest.studentId);
  const other = otherSide[rest.kind];
  const [debitAccount, creditAccount] = changeCents > 0 ? [other, wallet] : [wallet, other];
  return { ...rest, debitAccount, creditAccount, amountCents: Math.abs(changeCents) };
}

/** What a posting did to its student's wallet. */
export function changeOf(posting: Posting): number {
  const { studentId, creditAccount, amountCents } = posting;
  return creditAccount === walletAccount(studentId) ? amountCents : -amountCents;
}
