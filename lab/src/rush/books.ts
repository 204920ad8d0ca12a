// The databases and the bus of a platform of our own, read only.

import type {
  HoldRecord,
  ItemBooks,
  MoneyMove,
  OrderRecord,
  StockMove,
  TicketRecord,
  Wallet,
} from '@rushlight/auditor';
import type { Platform } from '@rushlight/launcher';
import pg from 'pg';
import { booksOfBroker, booksOfPostgresBus } from './bus-books.ts';

export type Books = {
  orders(): Promise<OrderRecord[]>;
  items(): Promise<ItemBooks[]>;
  holds(): Promise<HoldRecord[]>;
  stockMoves(): Promise<StockMove[]>;
  provider(): Promise<MoneyMove[]>;
  mirror(): Promise<MoneyMove[]>;
  wallets(): Promise<Wallet[]>;
  declines(): Promise<string[]>;
  entrySum(): Promise<number>;
  tickets(): Promise<TicketRecord[]>;
  notices(): Promise<{ orderId: string; status: string }[]>;
  /** What is still under way, by kind; nothing is under way when all are 0. */
  underWay(): Promise<Record<string, number>>;
  /** Messages that no consumer could take. */
  deadLetters(): Promise<number>;
  /** The id of the last event that each of these clients is told; without a student: of all. */
  lastEventIds(
    clients: readonly { proc: string; student?: string }[],
  ): Promise<Record<string, number>>;
  close(): Promise<void>;
};

type Row = Record<string, unknown>;
const connectMsMax = 5_000;
const queryMsMax = 60_000;
const withOutbox = ['orders', 'inventory', 'payments', 'kitchen', 'notifications'] as const;

const orderIdOfPayment = `substr(reference, length('pay_') + 1)`;
const isMove = `kind IN ('capture', 'refund')`;

export function openBooks(platform: Pick<Platform, 'databaseUrl' | 'busUrl'>): Books {
  const read = <T extends Row>(database: string, text: string): Promise<T[]> =>
    ask<T>(platform.databaseUrl(database), text);
  const count = async (database: string, from: string): Promise<number> => {
    const [row] = await read<{ n: string }>(database, `SELECT count(*) AS n FROM ${from}`);
    return Number(row?.n);
  };
  const bus = platform.busUrl
    ? booksOfBroker(platform.busUrl)
    : booksOfPostgresBus((table) => count('bus', table));
  return {
    ...readersOf(read),
    deadLetters: bus.deadLetters,
    close: bus.close,
    entrySum: async () => {
      const text = 'SELECT coalesce(sum(balance_cents), 0) AS n FROM accounts';
      const [row] = await read<{ n: string }>('payments', text);
      return Number(row?.n);
    },
    underWay: async () => {
      const open = `status IN ('pending', 'queued', 'stock_verified')`;
      const counts: Record<string, number> = {};
      for (const name of withOutbox) counts[`outbox of ${name}`] = await count(name, 'outbox');
      counts['messages'] = await bus.messages();
      counts['orders'] = await count('orders', `orders WHERE ${open}`);
      counts['payments'] = await count('payments', 'work');
      counts['tickets'] = await count('kitchen', `tickets WHERE status IN ('waiting', 'cooking')`);
      return counts;
    },
    lastEventIds: async (clients) => {
      const rows = await read<{ student: string | null; id: string }>(
        'notifications',
        'SELECT student_id AS student, max(id) AS id FROM events GROUP BY student_id',
      );
      const last = (isHeard: (student: string | null) => boolean): number =>
        Math.max(0, ...rows.filter(({ student }) => isHeard(student)).map(({ id }) => Number(id)));
      return Object.fromEntries(
        clients.map(({ proc, student }) => [
          proc,
          last((whose) => student === undefined || whose === null || whose === student),
        ]),
      );
    },
  };
}

type Read = <T extends Row>(database: string, text: string) => Promise<T[]>;
type Readers = Omit<Books, 'deadLetters' | 'entrySum' | 'underWay' | 'lastEventIds' | 'close'>;

function readersOf(read: Read): Readers {
  return {
    orders: async () => {
      const rows = await read<Row & { history: string; lines: OrderRecord['lines'] }>(
        'orders',
        `SELECT order_id AS "orderId", student_id AS student, idem_key AS key, lines::json AS lines, status, reason,
           total_cents AS "totalCents", history FROM orders ORDER BY order_id`,
      );
      return rows.map((row) => orderOf(row));
    },
    items: () =>
      read<ItemBooks>(
        'inventory',
        `SELECT item_id AS "itemId", initial, added, sold, reserved AS held,
           on_hand - reserved AS left, removed FROM items ORDER BY item_id`,
      ),
    holds: () =>
      read<HoldRecord>(
        'inventory',
        `SELECT order_id AS "orderId",
           CASE status WHEN 'reserved' THEN 'held' WHEN 'committed' THEN 'sold' ELSE status END
             AS status FROM holds`,
      ),
    stockMoves: async () => {
      const rows = await read<Row>(
        'inventory',
        `SELECT at_ms AS "atMs", item_id AS "itemId",
           CASE kind WHEN 'reserved' THEN -quantity ELSE quantity END AS by
         FROM stock_ledger WHERE kind IN ('initial', 'added', 'reserved', 'released', 'returned')
         ORDER BY entry_id`,
      );
      return rows.map((row) => ({
        ...row,
        atMs: Number(row['atMs']),
        by: Number(row['by']),
      })) as StockMove[];
    },
    ...moneyReadersOf(read),
    tickets: () =>
      read<TicketRecord>('kitchen', 'SELECT order_id AS "orderId", status FROM tickets'),
    notices: () =>
      read(
        'notifications',
        `SELECT order_id AS "orderId", status FROM events WHERE kind = 'order' ORDER BY id`,
      ),
  };
}

function moneyReadersOf(read: Read): Pick<Readers, 'provider' | 'mirror' | 'wallets' | 'declines'> {
  return {
    provider: async () =>
      movesOf(
        await read(
          'provider',
          movesText(orderIdOfPayment, 'abs(amount_cents)', 'entry_id', 'ledger'),
        ),
      ),
    mirror: async () =>
      movesOf(
        await read(
          'payments',
          movesText('order_id::text', 'amount_cents', 'posting_id', 'postings'),
        ),
      ),
    wallets: async () => {
      const rows = await read<Row>(
        'provider',
        `SELECT student_id AS student, sum(amount_cents) AS cents FROM ledger
         WHERE NOT ${isMove} GROUP BY student_id`,
      );
      return rows.map((row) => ({
        student: String(row['student']),
        openingCents: Number(row['cents']),
      }));
    },
    declines: async () => {
      const rows = await read<{ id: string }>(
        'provider',
        `SELECT substr(payment_id, length('pay_') + 1) AS id FROM charges WHERE outcome = 'declined'`,
      );
      return rows.map(({ id }) => id);
    },
  };
}

function movesText(orderId: string, cents: string, id: string, table: string): string {
  return `SELECT ${orderId} AS "orderId", kind, ${cents} AS cents, student_id AS student,
    at_ms AS "atMs" FROM ${table} WHERE ${isMove} ORDER BY ${id}`;
}

function movesOf(rows: readonly Row[]): MoneyMove[] {
  return rows.map(({ orderId, kind, cents, student, atMs }) => ({
    orderId: String(orderId),
    kind: kind as MoneyMove['kind'],
    amountCents: Number(cents),
    student: String(student),
    atMs: Number(atMs),
  }));
}

/** A history is "status:atMs" of each step, with blanks between. */
function orderOf(row: Row & { history: string; lines: OrderRecord['lines'] }): OrderRecord {
  const { orderId, student, key, status, reason, totalCents } = row;
  const history = row.history.split(' ').map((step) => {
    const [name = '', at = ''] = step.split(':');
    return { status: name, atMs: Number(at) };
  });
  return {
    orderId: String(orderId),
    student: String(student),
    ...(key === null ? {} : { key: String(key) }),
    lines: row.lines.map(({ itemId, quantity }) => ({ itemId, quantity })),
    totalCents: Number(totalCents),
    status: String(status),
    ...(reason === null ? {} : { reason: String(reason) }),
    history,
  };
}

/** A connection for each question: they are few, and a database may have died since the last one. */
async function ask<T extends Row>(url: string, text: string): Promise<T[]> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: connectMsMax,
    query_timeout: queryMsMax,
    application_name: 'auditor',
    options: '-c default_transaction_read_only=on',
  });
  client.on('error', () => undefined); // The question that is asked fails by itself.
  try {
    await client.connect();
    return (await client.query<T>(text)).rows;
  } finally {
    await client.end().catch(() => undefined);
  }
}
