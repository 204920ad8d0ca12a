// Inbox and outbox in memory: the half of an in-memory store that is the same for every service.
//
// G1. An operation is one synchronous function. What it emits, marks and changes is collected and
//     applied when it returned; when it throws, nothing of it happened.
// G2. The outbox gives the promises of the one in Postgres: claimed by one relay at a time, gone
//     only after the bus confirmed, published again with the same id when its relay died.

import type { EventOf, Topic } from '@rushlight/contracts';
import type { Environment } from '../environment.ts';
import { Emitted, messageOf, type OutboxRow, rowOf } from './outbox.ts';
import { type Outbox, UnavailableError } from './store.ts';

export type MemoryTransaction = {
  /** Collects a change of the caller's own data; all are applied in order when `work` returned. */
  change(apply: () => void): void;
  emit<T extends Topic>(topic: T, events: readonly EventOf<T>[]): void;
  isNew(messageId: string): boolean;
  newOf(messageIds: readonly string[]): Set<string>;
};

export type MemoryLedgerOptions = {
  env: Environment;
  /** Runs before and after each operation, to take time or to fail; by default it does neither. */
  around?: (when: 'before' | 'after', operation: string) => Promise<void>;
};

export type MemoryLedger = {
  /** Runs `work` as one atomic operation (G1). */
  transaction<T>(operation: string, work: (tx: MemoryTransaction) => T): Promise<T>;
  readonly outbox: Outbox;
  /** Forgets messages taken in more than this long ago. Returns how many. */
  forgetInbox(olderThanMs: number): Promise<number>;
  /** What a database does when a process dies: its claims are free, what it was about to do is not done. */
  dropClaims(): void;
};

type Kept = { row: OutboxRow; claim: symbol | undefined };

export function createMemoryLedger(options: MemoryLedgerOptions): MemoryLedger {
  const { env } = options;
  const around = options.around ?? (async () => {});
  const inbox = new Map<string, number>();
  const rows: Kept[] = [];
  const wakes = new Set<() => void>();

  return {
    transaction: async (operation, work) => {
      await around('before', operation);
      const result = runOperation(work, { env, inbox, rows, wakes });
      await around('after', operation);
      return result;
    },
    outbox: memoryOutbox(rows, wakes),
    forgetInbox: async (olderThanMs) => {
      const before = env.nowMs() - olderThanMs;
      const old = [...inbox].filter(([, atMs]) => atMs < before);
      for (const [id] of old) inbox.delete(id);
      return old.length;
    },
    dropClaims: () => {
      for (const kept of rows) kept.claim = undefined;
    },
  };
}

function runOperation<T>(
  work: (tx: MemoryTransaction) => T,
  tables: {
    env: Environment;
    inbox: Map<string, number>;
    rows: Kept[];
    wakes: ReadonlySet<() => void>;
  },
): T {
  const { env, inbox, rows, wakes } = tables;
  const changes: (() => void)[] = [];
  const emitted = new Emitted(env);
  const taken = new Set<string>();
  const isNew = (messageId: string): boolean => {
    if (inbox.has(messageId) || taken.has(messageId)) return false;
    taken.add(messageId);
    return true;
  };
  const result = work({
    change: (apply) => changes.push(apply),
    emit: (topic, events) => emitted.add(topic, events),
    isNew,
    newOf: (messageIds) => new Set(messageIds.filter(isNew)),
  });
  if (result instanceof Promise) throw new Error('An operation in memory must be synchronous.');
  for (const apply of changes) apply();
  for (const id of taken) inbox.set(id, env.nowMs());
  const written = emitted.messages().map(rowOf);
  for (const row of written) rows.push({ row, claim: undefined });
  if (written.length > 0) for (const wake of wakes) wake();
  return result;
}

function memoryOutbox(rows: Kept[], wakes: Set<() => void>): Outbox {
  const relay: Outbox['relay'] = async (limit, publish) => {
    const claim = Symbol('relay');
    const claimed = rows.filter((kept) => !kept.claim).slice(0, limit);
    for (const kept of claimed) kept.claim = claim;
    const mine = (): Kept[] => claimed.filter((kept) => kept.claim === claim);
    try {
      if (claimed.length > 0) await publish(claimed.map(({ row }) => messageOf(row)));
    } catch (error) {
      for (const kept of mine()) kept.claim = undefined;
      throw error;
    }
    const confirmed = mine();
    for (const kept of confirmed) rows.splice(rows.indexOf(kept), 1);
    if (confirmed.length < claimed.length) {
      throw new UnavailableError('store', 'the relay lost its claims while it published');
    }
    return claimed.length;
  };
  return {
    relay,
    relayNew: relay,
    depth: async () => rows.length,
    onWritten: (wake) => wakes.add(wake),
  };
}
