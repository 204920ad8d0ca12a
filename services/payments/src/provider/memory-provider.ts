// The simulated card provider, in memory: each call is one atomic step.

import assert from 'node:assert/strict';
import type { Environment } from '@rushlight/chassis';
import { type Changes, decideCharges, decideRefunds } from './decide.ts';
import { goodNatured, type Nature, withNature } from './nature.ts';
import {
  type CardProvider,
  type ChargeRecord,
  entryKinds,
  type LedgerEntry,
  type LedgerSums,
  ReusedIdError,
  type TopUpAnswer,
} from './provider.ts';

type Env = Pick<Environment, 'nowMs' | 'random' | 'sleep'>;

export function createMemoryProvider(env: Env, nature: Nature = goodNatured): CardProvider {
  return withNature(new MemoryProvider(env, nature.declineRate), nature, env);
}

class MemoryProvider implements CardProvider {
  readonly #env: Env;
  readonly #declineRate: number;
  readonly #accounts = new Map<string, number>();
  readonly #opened = new Map<string, number>();
  readonly #records = new Map<string, ChargeRecord>();
  readonly #answers = new Map<string, { asked: string; answer: unknown }>();
  readonly #ledger: LedgerEntry[] = [];

  constructor(env: Env, declineRate: number) {
    this.#env = env;
    this.#declineRate = declineRate;
  }

  async openAccounts(openings: Parameters<CardProvider['openAccounts']>[0]) {
    for (const { studentId, openingCents } of openings) this.#open(studentId, openingCents);
    return openings.map(({ studentId }) => ({
      studentId,
      openingCents: this.#opened.get(studentId) ?? 0,
    }));
  }

  async charge(charges: Parameters<CardProvider['charge']>[0]) {
    const declines = (): boolean => this.#declineRate > this.#env.random();
    const plan = decideCharges(charges, this.#accounts, this.#records, declines);
    return this.#carryOut(plan);
  }

  async refund(refunds: Parameters<CardProvider['refund']>[0]) {
    return this.#carryOut(decideRefunds(refunds, this.#accounts, this.#records));
  }

  async topUp({ key, studentId, amountCents }: Parameters<CardProvider['topUp']>[0]) {
    return this.#once(key, `${amountCents} cents for ${studentId}`, (): TopUpAnswer => {
      const before = this.#accounts.get(studentId);
      if (before === undefined) return { outcome: 'unknown_account' };
      const balanceCents = before + amountCents;
      const entry = { kind: 'top_up' as const, reference: key, studentId, amountCents };
      this.#apply({ balances: new Map([[studentId, balanceCents]]), entries: [entry] });
      return { outcome: 'done', balanceCents };
    });
  }

  async setBalances(order: Parameters<CardProvider['setBalances']>[0]) {
    const { key, studentIds, balanceCents } = order;
    return this.#once(key, `${balanceCents} cents for ${studentIds.length}`, () => {
      return studentIds.map((studentId) => {
        this.#open(studentId, 0);
        const changeCents = balanceCents - (this.#accounts.get(studentId) ?? 0);
        const reference = `${key}:${studentId}`;
        const entry = {
          kind: 'adjustment' as const,
          reference,
          studentId,
          amountCents: changeCents,
        };
        const entries = changeCents === 0 ? [] : [entry];
        this.#apply({ balances: new Map([[studentId, balanceCents]]), entries });
        return { studentId, changeCents };
      });
    });
  }

  async balance(studentId: string) {
    return this.#accounts.get(studentId);
  }

  async balances(after: string, limit: number) {
    const later = [...this.#accounts].filter(([studentId]) => studentId > after);
    later.sort(([a], [b]) => (a < b ? -1 : 1));
    return later.slice(0, limit).map(([studentId, balanceCents]) => ({ studentId, balanceCents }));
  }

  async ledger(afterEntryId: number, limit: number) {
    return this.#ledger.slice(afterEntryId, afterEntryId + limit);
  }

  async sums() {
    const entries = Object.fromEntries(entryKinds.map((kind) => [kind, 0])) as LedgerSums;
    for (const { kind, amountCents } of this.#ledger) entries[kind] += amountCents;
    let balanceCents = 0;
    for (const cents of this.#accounts.values()) balanceCents += cents;
    return { entries, balanceCents };
  }

  #open(studentId: string, openingCents: number): void {
    if (this.#accounts.has(studentId)) return;
    this.#opened.set(studentId, openingCents);
    this.#accounts.set(studentId, 0);
    if (openingCents === 0) return;
    this.#apply({
      balances: new Map([[studentId, openingCents]]),
      entries: [{ kind: 'opening', reference: studentId, studentId, amountCents: openingCents }],
    });
  }

  #carryOut<A>(plan: Changes & { records: ChargeRecord[]; answers: A }): A {
    for (const record of plan.records) this.#records.set(record.paymentId, record);
    this.#apply(plan);
    return plan.answers;
  }

  #apply({ balances, entries }: Changes): void {
    for (const [studentId, balanceCents] of balances) {
      assert(balanceCents >= 0, `the account of ${studentId} would be at ${balanceCents}`);
      this.#accounts.set(studentId, balanceCents);
    }
    for (const entry of entries) {
      this.#ledger.push({ ...entry, entryId: this.#ledger.length + 1, atMs: this.#env.nowMs() });
    }
  }

  #once<A>(key: string, asked: string, work: () => A): A {
    const known = this.#answers.get(key);
    if (known && known.asked !== asked) throw new ReusedIdError(key, known.asked, asked);
    if (known) return known.answer as A;
    const answer = work();
    this.#answers.set(key, { asked, answer });
    return answer;
  }
}
