// A shop to measure: the whole platform on a folder of its own, a crowd, dishes, and what it says of
// itself when asked. Its kitchen takes no time and no student is too quick.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AuditReport,
  pathOf,
  publicApi,
  type ServiceName,
  serviceNames,
  services,
} from '@rushlight/contracts';
import { type Platform, startPlatform } from '@rushlight/launcher';
import pg from 'pg';
import { parseMetrics, type Sample } from './metrics-text.ts';

export type ShopOptions = {
  students: number;
  /** Settings for one service; NODE_OPTIONS as well. */
  env?: Partial<Record<ServiceName, Readonly<Record<string, string>>>>;
};

export type Shop = AsyncDisposable & {
  readonly platform: Platform;
  readonly tokens: readonly string[];
  /** From the start of the start until every part was ready. */
  readonly startMs: number;
  /** New dishes, each with this stock; their ids. */
  dishes(count: number, stock: number): Promise<string[]>;
  /** Waits until no order is unpaid. Resolves with the moment, on the clock of `performance`. */
  whenPaid(deadlineMs: number): Promise<number>;
  /** Waits until every order has come to its end and nothing is on its way between services. */
  whenSettled(deadlineMs: number): Promise<number>;
  /** @throws when it is not ok */
  audit(): Promise<AuditReport>;
  metricsOf(service: ServiceName): Promise<Sample[]>;
  /** Transactions by database. Postgres adds up with a delay of `statisticsDelayMs`. */
  transactions(): Promise<Map<string, number>>;
};

/** So long may a backend that rests keep its counts for itself. */
export const statisticsDelayMs = 10_500;
const pollMs = 25;
const priceCents = 10;
const adminLogin = { studentId: 'admin', password: 'adminpassword' };
const databases = serviceNames.filter((name) => services[name].database);
const unsettled = `SELECT count(*)::int AS count FROM orders
  WHERE status NOT IN ('ready', 'collected', 'rejected', 'cancelled')`;
const unpaid = 'SELECT count(*)::int AS count FROM orders WHERE unpaid';

export async function openShop({ students, env = {} }: ShopOptions): Promise<Shop> {
  const parent = mkdtempSync(join(tmpdir(), 'rushlight-bench-'));
  const startedMs = performance.now();
  try {
    const platform = await startPlatform({
      data: join(parent, 'data'),
      port: 0,
      lab: true,
      env,
      settings: {
        RUSHLIGHT_KITCHEN_COOK_S_MIN: '0',
        RUSHLIGHT_KITCHEN_COOK_S_MAX: '0',
        RUSHLIGHT_GATEWAY_ORDERS_PER_S: '1000000',
        RUSHLIGHT_GATEWAY_ORDERS_BURST: '1000000',
      },
    });
    const startMs = performance.now() - startedMs;
    const books = openBooks(platform);
    const stop = async (): Promise<void> => {
      await books.close();
      await platform.stop();
      rmSync(parent, { recursive: true, force: true });
    };
    try {
      const admin = await loginOf(platform.url);
      const tokens = await crowdOf(platform.url, admin, students);
      const uses = usesOf(platform, admin);
      return { platform, tokens, startMs, ...uses, ...books, [Symbol.asyncDispose]: stop };
    } catch (error) {
      await stop();
      throw error;
    }
  } catch (error) {
    rmSync(parent, { recursive: true, force: true });
    throw error;
  }
}

/** What the databases say; each is asked over one connection that stays open. */
function openBooks(platform: Platform) {
  const pools = new Map<string, pg.Pool>();
  const ask = async <T extends object>(database: string, query: string): Promise<T[]> => {
    const pool = pools.get(database) ?? openPool(platform.databaseUrl(database));
    pools.set(database, pool);
    return (await pool.query<T>(query)).rows;
  };
  const count = async (database: string, query: string): Promise<number> =>
    (await ask<{ count: number }>(database, query))[0]?.count ?? 0;
  const pendingIn = async (): Promise<string | undefined> => {
    const waiting = await count('bus', 'SELECT count(*)::int AS count FROM messages');
    if (waiting > 0) return `${waiting} messages in queues`;
    for (const database of databases.filter((name) => name !== 'identity')) {
      const rows = await count(database, 'SELECT count(*)::int AS count FROM outbox');
      if (rows > 0) return `${rows} messages in the outbox of ${database}`;
    }
    const open = await count('orders', unsettled);
    return open > 0 ? `${open} orders that have not ended` : undefined;
  };
  return {
    whenPaid: (deadlineMs: number) =>
      eventually(deadlineMs, async () => {
        const rows = await count('orders', unpaid);
        return rows > 0 ? `${rows} orders that are not paid` : undefined;
      }),
    whenSettled: (deadlineMs: number) => eventually(deadlineMs, pendingIn),
    transactions: async () => {
      const query = `SELECT datname AS name, (xact_commit + xact_rollback)::float8 AS count
        FROM pg_stat_database WHERE datname IS NOT NULL`;
      const rows = await ask<{ name: string; count: number }>('orders', query);
      return new Map(rows.map(({ name, count: transactions }) => [name, transactions]));
    },
    close: async () => {
      await Promise.all([...pools.values()].map((pool) => pool.end()));
    },
  };
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
    await call(platform.url, publicApi.addItem, body, admin);
    return itemId;
  };
  return {
    dishes: async (count: number, stock: number) => {
      const itemIds: string[] = [];
      for (let n = 0; n < count; n++) itemIds.push(await addDish(stock));
      return itemIds;
    },
    audit: async () => {
      const report = AuditReport.parse(await call(platform.url, publicApi.audit, undefined, admin));
      if (report.ok) return report;
      throw new Error(`The audit is not ok: ${JSON.stringify(report, undefined, 1)}`);
    },
    metricsOf: async (service: ServiceName) => {
      const answer = await fetch(`${platform.serviceUrl(service)}/metrics`);
      return parseMetrics(await answer.text());
    },
  };
}

async function loginOf(url: string): Promise<string> {
  const reply = await call(url, publicApi.login, adminLogin);
  return publicApi.login.replies[200].parse(reply).token;
}

async function crowdOf(url: string, admin: string, students: number): Promise<string[]> {
  const reply = await call(url, publicApi.crowd, { students }, admin);
  return publicApi.crowd.replies[200].parse(reply).map(({ token }) => token);
}

type PlainRoute = { method: string; path: string };

async function call(
  url: string,
  route: PlainRoute,
  body?: object,
  token?: string,
): Promise<unknown> {
  const answer = await fetch(`${url}${pathOf(route as never, {} as never)}`, {
    method: route.method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!answer.ok) {
    throw new Error(`${route.method} ${route.path}: ${answer.status} ${await answer.text()}`);
  }
  return answer.json();
}
