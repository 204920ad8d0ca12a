// A shop to measure: the whole platform on a folder of its own, a crowd, dishes, and what it says of
// itself when asked. Its kitchen takes no time and no student is too quick.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AuditReport,
  publicApi,
  type ServiceName,
  serviceNames,
  services,
} from '@rushlight/contracts';
import { type Platform, type Scale, startPlatform } from '@rushlight/launcher';
import pg from 'pg';
import { call, untilTaken } from './api.ts';
import { type CpuReading, parentsOfAll, readCpu } from './cpu.ts';
import { family } from './memory.ts';
import { addUp, parseMetrics, type Sample } from './metrics-text.ts';

export type ShopOptions = {
  students: number;
  /** Settings for one service; NODE_OPTIONS as well. */
  env?: Partial<Record<ServiceName, Readonly<Record<string, string>>>>;
  /** Whether it is watched: traced, and with its monitor. It is unless given. */
  monitor?: boolean;
  /** How far it is spread; one of each unless given. */
  scale?: Partial<Scale>;
};

export type Shop = AsyncDisposable & {
  readonly platform: Platform;
  readonly tokens: readonly string[];
  /** From the start of the start until every part was ready. */
  readonly startMs: number;
  /** New dishes, each with this stock; their ids. */
  dishes(count: number, stock: number): Promise<string[]>;
  /** Waits until no order is on its way to be paid. Resolves with the moment, on the clock of `performance`. */
  whenPaid(deadlineMs: number): Promise<number>;
  /** Waits until every order has come to its end and nothing is on its way between services. */
  whenSettled(deadlineMs: number): Promise<number>;
  /** @throws when it is not ok */
  audit(): Promise<AuditReport>;
  /** A table for rows like orders, and a statement that writes one; the last parameter is its id. */
  rowToCommit(): Promise<{ databaseUrl: string; statement: string; values: (string | number)[] }>;
  /** Processor time of every process of the platform, and of those that are named. */
  cpu(others?: ReadonlyMap<number, string>): CpuReading;
  /** Of all its replicas together. */
  metricsOf(service: ServiceName): Promise<Sample[]>;
  /** Transactions by database. Postgres adds up with a delay of `statisticsDelayMs`. */
  transactions(): Promise<Map<string, number>>;
};

/** So long may a backend that rests keep its counts for itself. */
export const statisticsDelayMs = 10_500;
const pollMs = 25;
const clockSlackMs = 1_000;
const priceCents = 10;
const adminLogin = { studentId: 'admin', password: 'adminpassword' };
const databases = serviceNames.filter((name) => services[name].database);

// Ids of orders begin with the time, so only those since the last rest are looked at.
const unpaid = `SELECT count(*)::int AS count FROM orders
  WHERE order_id >= $1 AND status IN ('pending', 'queued', 'stock_verified')`;
const unsettled = `SELECT count(*)::int AS count FROM orders
  WHERE order_id >= $1 AND status NOT IN ('ready', 'collected', 'rejected', 'cancelled')`;

/** An order as a row that is written once: its id, its key and what it is about. */
const rowsTable = `CREATE TABLE IF NOT EXISTS bench.rows (
  order_id uuid PRIMARY KEY, student_id text NOT NULL, idem_key text NOT NULL,
  fingerprint text NOT NULL, lines json NOT NULL, total_cents bigint NOT NULL,
  accepted_at_ms bigint NOT NULL, status text NOT NULL, UNIQUE (student_id, idem_key))`;
const rowStatement = `INSERT INTO bench.rows
  (student_id, fingerprint, lines, total_cents, accepted_at_ms, status, order_id, idem_key)
  VALUES ($1, $2, $3, $4, $5, 'pending', $6::text::uuid, $6)`;

export async function openShop(options: ShopOptions): Promise<Shop> {
  const { students, env = {}, monitor = true, scale } = options;
  const parent = mkdtempSync(join(tmpdir(), 'rushlight-bench-'));
  const startedMs = performance.now();
  try {
    const platform = await startPlatform({
      data: join(parent, 'data'),
      port: 0,
      lab: true,
      env,
      monitor,
      scale,
      settings: {
        RUSHLIGHT_KITCHEN_COOK_S_MIN: '0',
        RUSHLIGHT_KITCHEN_COOK_S_MAX: '0',
        RUSHLIGHT_GATEWAY_ORDERS_PER_S: '1000000',
        RUSHLIGHT_GATEWAY_ORDERS_BURST: '1000000',
      },
    });
    const startMs = performance.now() - startedMs;
    const books = openBooks(platform);
    const forget = (): void => rmSync(parent, { recursive: true, force: true });
    process.once('exit', forget); // After the launcher, which ends at exit what it has started.
    const stop = async (): Promise<void> => {
      await books.close();
      await platform.stop();
      forget();
      process.off('exit', forget);
    };
    try {
      const admin = await loginOf(platform.url);
      const tokens = await crowdOf(platform.url, admin, students);
      const uses = usesOf(platform, admin);
      const cpu = cpuOf(platform);
      return { platform, tokens, startMs, cpu, ...uses, ...books, [Symbol.asyncDispose]: stop };
    } catch (error) {
      await stop();
      throw error;
    }
  } catch (error) {
    rmSync(parent, { recursive: true, force: true });
    throw error;
  }
}

/** Asked for its processes only once: to list them is work. */
function cpuOf(platform: Platform): Shop['cpu'] {
  const named = new Map<number, string>();
  let postgresPid = 0;
  const parents = parentsOfAll();
  for (const { name, pid } of platform.parts()) {
    if (pid === null) continue;
    named.set(pid, name === 'postgres' ? 'postgres postmaster' : name);
    if (name === 'postgres') postgresPid = pid;
    else if (name === 'rabbitmq') for (const child of family(pid, parents)) named.set(child, name);
  }
  return (others = new Map()) => readCpu(new Map([...named, ...others]), postgresPid);
}

/** What the databases say; each is asked over one connection that stays open. */
function openBooks(platform: Platform) {
  const pools = new Map<string, pg.Pool>();
  let since = firstIdOf(0);
  const ask = async <T extends object>(
    database: string,
    query: string,
    values: readonly string[] = [],
  ): Promise<T[]> => {
    const pool = pools.get(database) ?? openPool(platform.databaseUrl(database));
    pools.set(database, pool);
    return (await pool.query<T>(query, [...values])).rows;
  };
  const count = async (database: string, query: string, ...values: string[]): Promise<number> =>
    (await ask<{ count: number }>(database, query, values))[0]?.count ?? 0;
  const pendingIn = async (): Promise<string | undefined> => {
    // What waits in a broker shows in the orders that do not end.
    const isBusHere = platform.busUrl === undefined;
    const messages = 'SELECT count(*)::int AS count FROM messages';
    const waiting = isBusHere ? await count('bus', messages) : 0;
    if (waiting > 0) return `${waiting} messages in queues`;
    for (const database of databases.filter((name) => name !== 'identity')) {
      const rows = await count(database, 'SELECT count(*)::int AS count FROM outbox');
      if (rows > 0) return `${rows} messages in the outbox of ${database}`;
    }
    const open = await count('orders', unsettled, since);
    return open > 0 ? `${open} orders that have not ended` : undefined;
  };
  return {
    whenPaid: (deadlineMs: number) =>
      eventually(deadlineMs, async () => {
        const rows = await count('orders', unpaid, since);
        return rows > 0 ? `${rows} orders that are not paid` : undefined;
      }),
    whenSettled: async (deadlineMs: number) => {
      const settledMs = await eventually(deadlineMs, pendingIn);
      since = firstIdOf(Date.now() - clockSlackMs);
      return settledMs;
    },
    transactions: async () => {
      const query = `SELECT datname AS name, (xact_commit + xact_rollback)::float8 AS count
        FROM pg_stat_database WHERE datname IS NOT NULL`;
      const rows = await ask<{ name: string; count: number }>('orders', query);
      return new Map(rows.map(({ name, count: transactions }) => [name, transactions]));
    },
    rowToCommit: async () => {
      await ask('orders', 'CREATE SCHEMA IF NOT EXISTS bench');
      await ask('orders', rowsTable);
      const lines = JSON.stringify([{ itemId: 'dish-1', name: 'Dish 1', quantity: 1, priceCents }]);
      const values = ['student-1', 'x'.repeat(64), lines, priceCents, Date.now()];
      return { databaseUrl: platform.databaseUrl('orders'), statement: rowStatement, values };
    },
    close: async () => {
      await Promise.all([...pools.values()].map((pool) => pool.end()));
    },
  };
}

/** The lowest id (UUID version 7) of an order accepted at this time or later. */
function firstIdOf(ms: number): string {
  const hex = ms.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}

function openPool(connectionString: string): pg.Pool {
  const pool = new pg.Pool({ connectionString, max: 1, connectionTimeoutMillis: 10_000 });
  return pool.on('error', () => undefined); // The next question opens another connection.
}

async function eventually(
  deadlineMs: number,
  pending: () => Promise<string | undefined>,
): Promise<number> {
  const endMs = performance.now() + deadlineMs;
  for (;;) {
    const what = await pending();
    const nowMs = performance.now();
    if (what === undefined) return nowMs;
    if (nowMs > endMs) throw new Error(`After ${deadlineMs} ms there are still ${what}.`);
    await sleep(pollMs);
  }
}

function usesOf(platform: Platform, admin: string) {
  let made = 0;
  const addDish = async (stock: number): Promise<string> => {
    const itemId = `bench-${++made}`;
    const body = { itemId, name: `Dish ${made}`, category: 'mains', priceCents, stock };
    await call(platform.url, publicApi.addItem, { body, token: admin });
    return itemId;
  };
  return {
    dishes: async (count: number, stock: number) => {
      const itemIds: string[] = [];
      for (let n = 0; n < count; n++) itemIds.push(await untilTaken(() => addDish(stock)));
      return itemIds;
    },
    audit: async () => {
      const ask = () => call(platform.url, publicApi.audit, { token: admin });
      const report = AuditReport.parse(await untilTaken(ask));
      if (report.ok) return report;
      throw new Error(`The audit is not ok: ${JSON.stringify(report, undefined, 1)}`);
    },
    metricsOf: async (service: ServiceName) => {
      const parts = platform.parts().filter(({ name }) => serviceOfPart(name) === service);
      const texts = parts.map(async ({ name }) => {
        const answer = await fetch(`${platform.serviceUrl(name)}/metrics`);
        return parseMetrics(await answer.text());
      });
      return addUp(await Promise.all(texts));
    },
  };
}

/** `orders` of `orders-2`. */
export function serviceOfPart(part: string): string {
  return part.replace(/-\d+$/, '');
}

async function loginOf(url: string): Promise<string> {
  const reply = await untilTaken(() => call(url, publicApi.login, { body: adminLogin }));
  return publicApi.login.replies[200].parse(reply).token;
}

async function crowdOf(url: string, admin: string, students: number): Promise<string[]> {
  const body = { students };
  const reply = await untilTaken(() => call(url, publicApi.crowd, { body, token: admin }));
  return publicApi.crowd.replies[200].parse(reply).map(({ token }) => token);
}
