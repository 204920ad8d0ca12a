// Inventory on Postgres.
//
// P1. Every operation locks in the same order: items by id, then holds by order id. So two that meet
//     wait in a line, never in a circle, and one item's stock is decided by one transaction at a time.
// P2. What was read before a lock is read again after it, or is guarded by the write: an operation
//     that finds the world changed in between rolls back and starts anew.
// P3. The first try takes it that orders come once: an order to reserve has no hold yet, one that is
//     paid has its lines in the message. The write finds out when that is wrong; the next try looks.

import assert from 'node:assert/strict';
import type { Environment, Statement, Transaction } from '@rushlight/chassis';
import type { OrderLine } from '@rushlight/contracts';
import { findViolations } from './audit.ts';
import { addItem, type EditOutcome, editItem, type NewItem, removeItem } from './edit-item.ts';
import { type ReserveAnswer, type ReserveRequest, reserve } from './reserve.ts';
import { commit, release } from './settle.ts';
import { statements } from './statements.ts';
import { type Change, type Hold, type HoldStatus, type Item, stockEvents } from './stock.ts';
import type { OnChange } from './stock-counts.ts';
import {
  decisionsOf,
  type InventoryStore,
  itemChanged,
  type StockAudit,
  toRelease,
} from './store.ts';

/** What this store needs of the chassis' store. */
export type Database = {
  transaction<T>(operation: string, run: (tx: Transaction) => Promise<T>): Promise<T>;
  query<Row extends object>(statement: Statement, values?: readonly unknown[]): Promise<Row[]>;
};

/** Another transaction changed what this one had read; it was rolled back and may run again. */
class RacedError extends Error {
  override readonly name = 'RacedError';
}

const racesMax = 5;
const firstOrderId = '00000000-0000-0000-0000-000000000000';

type Parts = { database: Database; env: Pick<Environment, 'nowMs'>; onChange: OnChange };
/** One run of a transaction, and what it wrote so far. */
type Attempt = { race: number; env: Parts['env']; written: Change[] };

/** @param onChange told of what was written, once it is committed */
export function createPostgresStore(
  database: Database,
  env: Parts['env'],
  onChange: OnChange = () => {},
): InventoryStore {
  const parts: Parts = { database, env, onChange };
  return {
    seed: (name, items) => seed(parts, name, items),
    items: () => database.query<Item>(statements.items),
    item: async (itemId) => (await database.query<Item>(statements.item, [itemId]))[0],

    reserveBatch: (cause, requests) =>
      atomically(parts, 'reserveBatch', (tx, attempt) =>
        reserveIn(tx, attempt, { cause, requests, shortIsFinal: false, look: attempt.race > 1 }),
      ),
    reserveQueued: (message) =>
      atomically(parts, 'reserveQueued', async (tx, attempt) => {
        if (!(await tx.isNew(message.id))) return [];
        const asked = { cause: message.id, requests: message.events };
        const answers = await reserveIn(tx, attempt, { ...asked, shortIsFinal: true, look: true });
        const decisions = decisionsOf(answers);
        await tx.emit('stock.decided', decisions);
        return decisions;
      }),
    commitPaid: (messages) =>
      atomically(parts, 'commitPaid', async (tx, attempt) => {
        const fresh = await newOnes(tx, messages);
        const [first] = fresh;
        if (!first) return { unknown: [] };
        const events = fresh.flatMap((message) => message.events);
        const orderIds = events.map((event) => event.orderId);
        const lines = events.flatMap((event) => event.lines);
        const { items, holds } = await lockHolds(
          tx,
          orderIds,
          attempt.race > 1 ? undefined : lines,
        );
        const { change, unknown } = commit(items, holds, orderIds);
        await write(tx, attempt, first.id, items, change);
        return { unknown };
      }),
    releaseEnded: async (message) => {
      const orderIds = toRelease(message);
      if (orderIds.length === 0) return; // Without an effect there is nothing to do only once.
      await atomically(parts, 'releaseEnded', async (tx, attempt) => {
        if (!(await tx.isNew(message.id))) return;
        const { items, holds } = await lockHolds(tx, orderIds, undefined);
        await write(tx, attempt, message.id, items, release(items, holds, orderIds));
      });
    },

    addItem: (cause, wanted) =>
      edit(parts, 'addItem', cause, wanted.itemId, (item) => addItem(item, wanted)),
    editItem: (cause, itemId, wanted) =>
      edit(parts, 'editItem', cause, itemId, (item) => editItem(item, wanted)),
    removeItem: (cause, itemId) => edit(parts, 'removeItem', cause, itemId, removeItem),

    audit: ({ after, limit }) => audit(database, after, limit),
    forget: (beforeMs, limit) => forget(parts, beforeMs, limit),
  };
}

/** Runs a transaction, again when it met another one (P2), at most `racesMax` times. */
async function atomically<T>(
  { database, env, onChange }: Parts,
  operation: string,
  run: (tx: Transaction, attempt: Attempt) => Promise<T>,
): Promise<T> {
  for (let race = 1; ; race++) {
    try {
      const written: Change[] = [];
      const done = await database.transaction(operation, (tx) => {
        written.length = 0;
        return run(tx, { race, env, written });
      });
      for (const change of written) onChange(change);
      return done;
    } catch (error) {
      if (!(error instanceof RacedError) || race >= racesMax) throw error;
    }
  }
}

/** Inbox: those of these messages that were not seen before, each once. */
async function newOnes<M extends { id: string }>(
  tx: Transaction,
  messages: readonly M[],
): Promise<M[]> {
  const byId = new Map(messages.map((message) => [message.id, message]));
  const fresh = await tx.newOf([...byId.keys()]);
  return [...byId.values()].filter(({ id }) => fresh.has(id));
}

type Asked = {
  cause: string;
  requests: readonly ReserveRequest[];
  shortIsFinal: boolean;
  /** False: it is taken that none of these orders has a hold (P3). */
  look: boolean;
};

async function reserveIn(
  tx: Transaction,
  attempt: Attempt,
  asked: Asked,
): Promise<ReserveAnswer[]> {
  const { cause, requests, shortIsFinal } = asked;
  const itemIds = new Set(requests.flatMap(({ lines }) => lines.map((line) => line.itemId)));
  const stock = byItemId(await tx.query<Item>(statements.lockItems, [[...itemIds]]));
  const statuses = asked.look ? await statusesOf(tx, requests) : new Map<string, HoldStatus>();
  let decided = reserve(stock, statuses, requests, shortIsFinal);
  // Who is short now may hold something since an earlier call, which the write would not notice.
  if (!asked.look && decided.answers.some(({ outcome }) => outcome === 'short')) {
    decided = reserve(stock, await statusesOf(tx, requests), requests, shortIsFinal);
  }
  await write(tx, attempt, cause, stock, decided.change);
  return decided.answers;
}

/** Asked with the items locked, so it sees what they waited for. */
async function statusesOf(
  tx: Transaction,
  requests: readonly ReserveRequest[],
): Promise<Map<string, HoldStatus>> {
  const orderIds = requests.map((request) => request.orderId);
  type Row = { orderId: string; status: HoldStatus };
  const rows = await tx.query<Row>(statements.holdStatuses, [orderIds]);
  return new Map(rows.map(({ orderId, status }) => [orderId, status]));
}

/** @param lines of these orders as somebody else has them; undefined: those of their holds count */
async function lockHolds(
  tx: Transaction,
  orderIds: readonly string[],
  lines: readonly OrderLine[] | undefined,
) {
  const [locked, found] = await Promise.all([
    lines
      ? tx.query<Item>(statements.lockItems, [[...new Set(lines.map(({ itemId }) => itemId))]])
      : tx.query<Item>(statements.lockItemsOfHolds, [orderIds]),
    tx.query<HoldRow>(statements.holds, [orderIds]),
  ]);
  const items = byItemId(locked);
  const holds = new Map(found.map((row) => [row.orderId, holdOf(row)]));
  for (const { lines: held } of holds.values()) {
    const unlocked = held.find(({ itemId }) => !items.has(itemId));
    if (unlocked) throw new RacedError(`a hold on ${unlocked.itemId}, which is not locked`);
  }
  return { items, holds };
}

type HoldRow = { orderId: string; status: HoldStatus; lines: string };

function holdOf({ orderId, status, lines }: HoldRow): Hold {
  return { orderId, status, lines: JSON.parse(lines) as OrderLine[] };
}

/** Writes a change and says what the world hears of it. @throws RacedError */
async function write(
  tx: Transaction,
  { env, written }: Attempt,
  cause: string,
  before: ReadonlyMap<string, Item>,
  change: Change,
): Promise<void> {
  const { items, newHolds, movedHolds, entries } = change;
  if (items.length + newHolds.length + movedHolds.length + entries.length === 0) return;
  const events = stockEvents(before, items);
  const [rows] = await Promise.all([
    tx.query<{ made: number; moved: number; stocked: number }>(statements.write, [
      newHolds.map((hold) => hold.orderId),
      newHolds.map((hold) => hold.status),
      newHolds.map((hold) => JSON.stringify(hold.lines)),
      env.nowMs(),
      movedHolds.map((hold) => hold.orderId),
      movedHolds.map((hold) => hold.status),
      entries.map((entry) => entry.itemId),
      entries.map((entry) => entry.kind),
      entries.map((entry) => entry.quantity),
      cause,
      items.map((item) => item.itemId),
      items.map((item) => item.initial),
      items.map((item) => item.added),
      items.map((item) => item.sold),
      items.map((item) => item.onHand),
      items.map((item) => item.reserved),
      items.map((item) => item.stockVersion),
    ]),
    events.length > 0 ? tx.emit('stock.changed', events) : undefined,
  ]);
  const counts = rows[0];
  assert(counts?.stocked === items.length, `${counts?.stocked} of ${items.length} items written`);
  if (counts.made !== newHolds.length || counts.moved !== movedHolds.length) {
    throw new RacedError('a hold changed while we decided about it');
  }
  written.push(change);
}

async function edit(
  parts: Parts,
  operation: string,
  cause: string,
  itemId: string,
  decide: (current: Item | undefined) => EditOutcome,
): Promise<EditOutcome> {
  return atomically(parts, operation, async (tx, attempt) => {
    await tx.query(statements.lockNewItem, [itemId]);
    const before = byItemId(await tx.query<Item>(statements.lockItems, [[itemId]]));
    const outcome = decide(before.get(itemId));
    if (outcome.kind === 'done') {
      await putItem(tx, outcome.item);
      await write(tx, attempt, cause, before, outcome.change);
      await tx.emit('item.changed', [itemChanged(outcome.item)]);
    }
    return outcome;
  });
}

async function putItem(tx: Transaction, item: Item): Promise<void> {
  const { itemId, name, category, priceCents, removed, version } = item;
  await tx.query(statements.putItem, [itemId, name, category, priceCents, removed, version]);
}

async function seed(parts: Parts, name: string, wanted: readonly NewItem[]): Promise<boolean> {
  return atomically(parts, 'seed', async (tx, attempt) => {
    const sown = await tx.query(statements.sow, [name, parts.env.nowMs()]);
    if (sown.length === 0) return false;
    const before = byItemId(await tx.query<Item>(statements.items));
    const made: Item[] = [];
    for (const dish of wanted) {
      if (before.has(dish.itemId)) continue;
      const outcome = addItem(undefined, dish);
      assert(outcome.kind === 'done', `${dish.itemId} cannot be sown: ${outcome.kind}`);
      await putItem(tx, outcome.item);
      await write(tx, attempt, `seed ${name}`, before, outcome.change);
      made.push(outcome.item);
    }
    if (made.length > 0) await tx.emit('item.changed', made.map(itemChanged));
    return true;
  });
}

async function audit(
  database: Database,
  after: string | undefined,
  limit: number,
): Promise<StockAudit> {
  const found = await database.query<HoldRow>(statements.holdsPage, [
    after ?? firstOrderId,
    limit + 1,
  ]);
  const holds = found.slice(0, limit).map(holdOf);
  const next = found.length > limit ? holds.at(-1)?.orderId : undefined;
  if (after !== undefined) {
    return { items: await database.query<Item>(statements.items), holds, violations: [], next };
  }
  type Sums = Record<string, number> | null;
  // One statement is one snapshot: what it compares belongs together, also while orders run.
  const rows = await database.query<Item & { ledger: Sums; holds: Sums }>(statements.auditItems);
  const items = rows.map(({ ledger: _ledger, holds: _holds, ...item }) => item);
  const sums = (pick: (row: (typeof rows)[number]) => Sums) =>
    new Map(rows.map((row) => [row.itemId, pick(row) ?? {}]));
  const violations = findViolations(
    items,
    sums((row) => row.ledger),
    sums((row) => row.holds),
  );
  return { items, holds, violations, next };
}

async function forget(parts: Parts, beforeMs: number, limit: number): Promise<number> {
  const { database } = parts;
  const count = async (statement: Statement): Promise<number> => {
    const rows = await database.transaction('forget', (tx) =>
      tx.query<{ count: number }>(statement, [beforeMs, limit]),
    );
    return rows[0]?.count ?? 0;
  };
  const released = await database.transaction('forget', (tx) =>
    tx.query(statements.forgetReleased, [beforeMs, limit]),
  );
  const committed = await count(statements.forgetCommitted);
  const rolledUp = await count(statements.rollUpLedger);
  return released.length + committed + rolledUp;
}

function byItemId(items: readonly Item[]): Map<string, Item> {
  return new Map(items.map((item) => [item.itemId, item]));
}
