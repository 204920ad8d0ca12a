// The simulated card provider on a database of its own. Each call is one transaction; the rows of
// all accounts concerned are locked first, in the order of their ids, so that whatever is read
// after that can no longer change.

import type { Environment, Statement, Transaction } from '@rushlight/chassis';
import { type Changes, decideCharges, decideRefunds } from './decide.ts';
import { goodNatured, type Nature, withNature } from './nature.ts';
import {
  type Balance,
  type CardProvider,
  type ChargeRecord,
  entryKinds,
  type LedgerEntry,
  type LedgerSums,
  type Opening,
  ReusedIdError,
  type TopUpAnswer,
} from './provider.ts';
import { statements } from './statements.ts';

type Env = Pick<Environment, 'nowMs' | 'random' | 'sleep'>;

/** The part of a store that the provider uses. */
export type Database = {
  transaction<T>(operation: string, work: (tx: Transaction) => Promise<T>): Promise<T>;
  query<Row extends object>(statement: Statement, values?: readonly unknown[]): Promise<Row[]>;
};

export function createPostgresProvider(
  database: Database,
  env: Env,
  nature: Nature = goodNatured,
): CardProvider {
  return withNature(new PostgresProvider(database, env, nature.declineRate), nature, env);
}

/**
 * The provider's own housekeeping: forgets the answers to keyed calls from before this instant, at
 * most `limit`. Their effects stand in the ledger for ever. Returns how many.
 */
export async function forgetAnswers(
  database: Database,
  beforeMs: number,
  limit: number,
): Promise<number> {
  return (await database.query(statements.forgetAnswers, [beforeMs, limit])).length;
}

class PostgresProvider implements CardProvider {
  readonly #database: Database;
  readonly #env: Env;
  readonly #declineRate: number;

  constructor(database: Database, env: Env, declineRate: number) {
    this.#database = database;
    this.#env = env;
    this.#declineRate = declineRate;
  }

  openAccounts(openings: readonly Opening[]) {
    return this.#database.transaction('provider_open', async (tx) => {
      await this.#open(tx, openings);
      const ids = openings.map(({ studentId }) => studentId);
      return tx.query<Opening>(statements.openings, [ids]);
    });
  }

  charge(charges: Parameters<CardProvider['charge']>[0]) {
    const declines = (): boolean => this.#declineRate > this.#env.random();
    return this.#database.transaction('provider_charge', async (tx) => {
      // Sent together; the second statement begins when the first one holds its locks.
      const [accounts, known] = await Promise.all([
        lockAccounts(tx, charges),
        knownCharges(tx, charges),
      ]);
      const plan = decideCharges(charges, accounts, known, declines);
      await this.#carryOut(tx, plan, known);
      return plan.answers;
    });
  }

  refund(refunds: Parameters<CardProvider['refund']>[0]) {
    return this.#database.transaction('provider_refund', async (tx) => {
      const [accounts, known] = await Promise.all([
        lockAccounts(tx, refunds),
        knownCharges(tx, refunds),
      ]);
      const plan = decideRefunds(refunds, accounts, known);
      await this.#carryOut(tx, plan, known);
      return plan.answers;
    });
  }

  topUp({ key, studentId, amountCents }: Parameters<CardProvider['topUp']>[0]) {
    return this.#database.transaction('provider_top_up', async (tx) => {
      const accounts = await lockAccounts(tx, [{ studentId }]);
      const asked = `${amountCents} cents for ${studentId}`;
      return this.#once(tx, key, asked, async (): Promise<TopUpAnswer> => {
        const before = accounts.get(studentId);
        if (before === undefined) return { outcome: 'unknown_account' };
        const balanceCents = before + amountCents;
        const balances = new Map([[studentId, balanceCents]]);
        const entry = { kind: 'top_up' as const, reference: key, studentId, amountCents };
        await this.#apply(tx, { balances, entries: [entry] });
        return { outcome: 'done', balanceCents };
      });
    });
  }

  setBalances({ key, studentIds, balanceCents }: Parameters<CardProvider['setBalances']>[0]) {
    return this.#database.transaction('provider_set_balances', async (tx) => {
      const openings = studentIds.map((studentId) => ({ studentId, openingCents: 0 }));
      await this.#open(tx, openings);
      const accounts = await lockAccounts(tx, openings);
      return this.#once(tx, key, `${balanceCents} cents for ${studentIds.length}`, async () => {
        const changes = studentIds.map((studentId) => ({
          studentId,
          changeCents: balanceCents - (accounts.get(studentId) ?? 0),
        }));
        const changed = changes.filter(({ changeCents }) => changeCents !== 0);
        const entries = changed.map(({ studentId, changeCents }) => ({
          kind: 'adjustment' as const,
          reference: `${key}:${studentId}`,
          studentId,
          amountCents: changeCents,
        }));
        const balances = new Map(changed.map(({ studentId }) => [studentId, balanceCents]));
        await this.#apply(tx, { balances, entries });
        return changes;
      });
    });
  }

  async balance(studentId: string) {
    const [row] = await this.#database.query<Balance>(statements.balance, [studentId]);
    return row?.balanceCents;
  }

  balances(after: string, limit: number) {
    return this.#database.query<Balance>(statements.balances, [after, limit]);
  }

  ledger(afterEntryId: number, limit: number) {
    return this.#database.query<LedgerEntry>(statements.ledger, [afterEntryId, limit]);
  }

  /** One statement, so that entries and balances are of the same instant. */
  async sums() {
    const rows = await this.#database.query<{ kind: string; cents: number }>(statements.sums);
    const of = (kind: string): number => Number(rows.find((row) => row.kind === kind)?.cents ?? 0);
    const entries = Object.fromEntries(entryKinds.map((kind) => [kind, of(kind)])) as LedgerSums;
    return { entries, balanceCents: of('balance') };
  }

  async #open(tx: Transaction, openings: readonly Opening[]): Promise<void> {
    const sorted = byStudent(openings);
    const ids = sorted.map(({ studentId }) => studentId);
    const cents = sorted.map(({ openingCents }) => openingCents);
    const opened = await tx.query<Opening>(statements.open, [ids, cents]);
    const entries = opened
      .filter(({ openingCents }) => openingCents > 0)
      .map(({ studentId, openingCents }) => ({
        kind: 'opening' as const,
        reference: studentId,
        studentId,
        amountCents: openingCents,
      }));
    await this.#apply(tx, { balances: new Map(), entries });
  }

  async #carryOut(
    tx: Transaction,
    plan: Changes & { records: ChargeRecord[] },
    known: ReadonlyMap<string, ChargeRecord>,
  ): Promise<void> {
    const records = plan.records.filter(({ paymentId }) => !known.has(paymentId));
    const refunded = plan.records.filter(({ paymentId }) => known.has(paymentId));
    const recorded =
      records.length > 0 &&
      tx.query(statements.record, [
        records.map((record) => record.paymentId),
        records.map((record) => record.studentId),
        records.map((record) => record.amountCents),
        records.map((record) => record.outcome),
        records.map((record) => record.refunded),
      ]);
    const marked =
      refunded.length > 0 &&
      tx.query(statements.markRefunded, [refunded.map(({ paymentId }) => paymentId)]);
    await Promise.all([recorded, marked, this.#apply(tx, plan)]);
  }

  async #apply(tx: Transaction, { balances, entries }: Changes): Promise<void> {
    const set =
      balances.size > 0 &&
      tx.query(statements.setBalances, [[...balances.keys()], [...balances.values()]]);
    const appended =
      entries.length > 0 &&
      tx.query(statements.append, [
        entries.map((entry) => entry.kind),
        entries.map((entry) => entry.reference),
        entries.map((entry) => entry.studentId),
        entries.map((entry) => entry.amountCents),
        this.#env.nowMs(),
      ]);
    await Promise.all([set, appended]);
  }

  async #once<A>(tx: Transaction, key: string, asked: string, work: () => Promise<A>): Promise<A> {
    const [known] = await tx.query<{ asked: string; answer: string }>(statements.answer, [key]);
    if (known && known.asked !== asked) throw new ReusedIdError(key, known.asked, asked);
    if (known) return JSON.parse(known.answer) as A;
    const answer = await work();
    const nowMs = this.#env.nowMs();
    await tx.query(statements.keepAnswer, [key, asked, JSON.stringify(answer), nowMs]);
    return answer;
  }
}

function byStudent<T extends { studentId: string }>(things: readonly T[]): T[] {
  return [...things].sort((a, b) => (a.studentId < b.studentId ? -1 : 1));
}

async function lockAccounts(
  tx: Transaction,
  things: readonly { studentId: string }[],
): Promise<Map<string, number>> {
  const ids = [...new Set(things.map(({ studentId }) => studentId))];
  const rows = await tx.query<Balance>(statements.lock, [ids]);
  return new Map(rows.map(({ studentId, balanceCents }) => [studentId, balanceCents]));
}

async function knownCharges(
  tx: Transaction,
  things: readonly { paymentId: string }[],
): Promise<Map<string, ChargeRecord>> {
  const ids = things.map(({ paymentId }) => paymentId);
  const rows = await tx.query<ChargeRecord>(statements.charges, [ids]);
  return new Map(rows.map((row) => [row.paymentId, row]));
}
