// How the provider decides, as pure functions. Both of its stores carry out what these return.

import type {
  Charge,
  ChargeAnswer,
  ChargeOutcome,
  ChargeRecord,
  LedgerEntry,
  Refund,
  RefundAnswer,
} from './provider.ts';
import { ReusedIdError } from './provider.ts';

export type NewEntry = Omit<LedgerEntry, 'entryId' | 'atMs'>;
/** `balances` holds only the accounts that changed. */
export type Changes = { balances: Map<string, number>; entries: NewEntry[] };

export type ChargePlan = Changes & { answers: ChargeAnswer[]; records: ChargeRecord[] };

/**
 * Decides charges one after the other.
 *
 * @param accounts the balances of all students concerned that have an account
 * @param known what was decided before under these payment ids
 * @param declines says whether the provider turns this one down for reasons of its own
 * @throws ReusedIdError before anything is decided
 */
export function decideCharges(
  charges: readonly Charge[],
  accounts: ReadonlyMap<string, number>,
  known: ReadonlyMap<string, ChargeRecord>,
  declines: () => boolean,
): ChargePlan {
  const decided = new Map(known);
  const plan: ChargePlan = { answers: [], records: [], balances: new Map(), entries: [] };
  for (const charge of charges) {
    const { paymentId, studentId, amountCents } = charge;
    const before = decided.get(paymentId);
    if (before) {
      refuseReuse(before, charge);
      plan.answers.push({ paymentId, outcome: before.outcome });
      continue;
    }
    const balanceCents = plan.balances.get(studentId) ?? accounts.get(studentId);
    if (balanceCents === undefined) {
      plan.answers.push({ paymentId, outcome: 'unknown_account' });
      continue;
    }
    const outcome = outcomeOf(balanceCents, amountCents, declines);
    const record = { ...charge, outcome, refunded: false };
    decided.set(paymentId, record);
    plan.records.push(record);
    plan.answers.push({ paymentId, outcome });
    if (outcome !== 'captured' || amountCents === 0) continue;
    plan.balances.set(studentId, balanceCents - amountCents);
    plan.entries.push({
      kind: 'capture',
      reference: paymentId,
      studentId,
      amountCents: -amountCents,
    });
  }
  return plan;
}

function outcomeOf(
  balanceCents: number,
  amountCents: number,
  declines: () => boolean,
): ChargeOutcome {
  if (balanceCents < amountCents) return 'insufficient_funds';
  return declines() ? 'declined' : 'captured';
}

function refuseReuse(before: ChargeRecord, charge: Charge): void {
  const { paymentId, studentId, amountCents } = charge;
  // A refund that came first left a record without an amount: it refuses every charge.
  if (before.refunded && before.outcome !== 'captured') return;
  if (before.studentId === studentId && before.amountCents === amountCents) return;
  throw new ReusedIdError(
    paymentId,
    `${before.amountCents} cents of ${before.studentId}`,
    `${amountCents} cents of ${studentId}`,
  );
}

export type RefundPlan = Changes & { answers: RefundAnswer[]; records: ChargeRecord[] };

/** Decides refunds. `records` are new or changed: a capture given back, or a refusal for ever. */
export function decideRefunds(
  refunds: readonly Refund[],
  accounts: ReadonlyMap<string, number>,
  known: ReadonlyMap<string, ChargeRecord>,
): RefundPlan {
  const decided = new Map(known);
  const plan: RefundPlan = { answers: [], records: [], balances: new Map(), entries: [] };
  for (const { paymentId, studentId } of refunds) {
    const before = decided.get(paymentId);
    if (before?.outcome !== 'captured') {
      plan.answers.push({ paymentId, outcome: 'nothing_captured' });
      if (before) continue;
      const refusal = { paymentId, studentId, amountCents: 0, refunded: true };
      decided.set(paymentId, { ...refusal, outcome: 'declined' });
      plan.records.push({ ...refusal, outcome: 'declined' });
      continue;
    }
    const { amountCents } = before;
    plan.answers.push({ paymentId, outcome: 'refunded', amountCents });
    if (before.refunded) continue;
    const record = { ...before, refunded: true };
    decided.set(paymentId, record);
    plan.records.push(record);
    if (amountCents === 0) continue;
    const balanceCents = plan.balances.get(studentId) ?? accounts.get(studentId) ?? 0;
    plan.balances.set(studentId, balanceCents + amountCents);
    plan.entries.push({ kind: 'refund', reference: paymentId, studentId, amountCents });
  }
  return plan;
}
