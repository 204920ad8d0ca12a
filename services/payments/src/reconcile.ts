// Compares our mirror with the provider's own ledger. It reports and never repairs: whoever finds
// a difference must find its cause.
//
// R1. Money under way shows on one side first. So a wallet counts as different only when nothing
//     is under way for its student and it still differs on a second look.

import type { Environment } from '@rushlight/chassis';
import type { CardProvider } from './provider/provider.ts';
import type { PaymentStore } from './store.ts';

export type Violation = { rule: string; subject: string; detail: string };

export type Reconciliation = {
  violations: Violation[];
  /** The books are in order: ours sum to 0, and nothing differs from the provider's. */
  balanced: boolean;
};

const pageSize = 5_000;
const violationsMax = 100;
const pagesMax = 1_000;
const looks = 3;
const betweenLooksMs = 100;

export async function reconcile(options: {
  store: PaymentStore;
  provider: CardProvider;
  env: Pick<Environment, 'sleep'>;
}): Promise<Reconciliation> {
  const { store, provider, env } = options;
  const [mirror, books] = await Promise.all([store.sums(), provider.sums()]);
  const violations = [
    ...unequal('double_entry_sum', 'mirror', mirror.allAccountsCents, 0),
    ...unequal('wallets_are_postings', 'mirror', mirror.walletsCents, total(mirror.entries)),
    ...unequal('balances_are_entries', 'provider', books.balanceCents, total(books.entries)),
  ];
  let suspects = await differing(store, provider);
  for (let look = 1; look < looks && suspects.size > 0; look++) {
    await env.sleep(betweenLooksMs);
    suspects = await stillDiffering(store, provider, [...suspects.keys()]);
  }
  for (const [studentId, detail] of suspects) {
    violations.push({ rule: 'mirror_equals_provider', subject: studentId, detail });
  }
  return {
    violations: violations.slice(0, violationsMax),
    balanced: violations.length === 0,
  };
}

function total(entries: Record<string, number>): number {
  return Object.values(entries).reduce((sum, cents) => sum + cents, 0);
}

function unequal(rule: string, subject: string, actual: number, wanted: number): Violation[] {
  if (actual === wanted) return [];
  return [{ rule, subject, detail: `${actual} cents instead of ${wanted}` }];
}

/** Walks both lists of balances, by student id, in step. */
async function differing(
  store: PaymentStore,
  provider: CardProvider,
): Promise<Map<string, string>> {
  const suspects = new Map<string, string>();
  let after = '';
  for (let page = 0; page < pagesMax; page++) {
    const [ours, theirs] = await Promise.all([
      store.wallets(after, pageSize),
      provider.balances(after, pageSize),
    ]);
    const full = ours.length === pageSize || theirs.length === pageSize;
    const until = full ? lastCommon(ours, theirs) : undefined;
    const inPage = ({ studentId }: { studentId: string }): boolean =>
      until === undefined || studentId <= until;
    compare(ours.filter(inPage), theirs.filter(inPage), suspects);
    if (until === undefined || suspects.size > violationsMax) break;
    after = until;
  }
  return confirm(store, suspects);
}

/** Up to where both pages are complete. */
function lastCommon(
  ours: readonly { studentId: string }[],
  theirs: readonly { studentId: string }[],
): string {
  const ends = [ours, theirs]
    .filter((page) => page.length === pageSize)
    .map((page) => page.at(-1)?.studentId ?? '');
  return ends.sort()[0] ?? '';
}

type BalanceRow = { studentId: string; balanceCents: number };

function compare(
  ours: readonly BalanceRow[],
  theirs: readonly BalanceRow[],
  into: Map<string, string>,
): void {
  const mirror = new Map(ours.map((row) => [row.studentId, row.balanceCents]));
  const books = new Map(theirs.map((row) => [row.studentId, row.balanceCents]));
  for (const studentId of new Set([...mirror.keys(), ...books.keys()])) {
    const mine = mirror.get(studentId);
    const yours = books.get(studentId);
    if (mine === yours) continue;
    const say = (cents: number | undefined): string =>
      cents === undefined ? 'no account' : `${cents} cents`;
    into.set(studentId, `mirror: ${say(mine)}, provider: ${say(yours)}`);
  }
}

async function confirm(
  store: PaymentStore,
  suspects: Map<string, string>,
): Promise<Map<string, string>> {
  if (suspects.size === 0) return suspects;
  const busy = await store.busy([...suspects.keys()]);
  return new Map([...suspects].filter(([studentId]) => !busy.has(studentId)));
}

async function stillDiffering(
  store: PaymentStore,
  provider: CardProvider,
  studentIds: readonly string[],
): Promise<Map<string, string>> {
  const suspects = new Map<string, string>();
  for (const studentId of studentIds) {
    const [wallet, balanceCents] = await Promise.all([
      store.wallet(studentId),
      provider.balance(studentId),
    ]);
    if (wallet.balanceCents === (balanceCents ?? 0)) continue;
    const detail = `mirror: ${wallet.balanceCents} cents, provider: ${balanceCents ?? 'no account'}`;
    suspects.set(studentId, detail);
  }
  return confirm(store, suspects);
}
