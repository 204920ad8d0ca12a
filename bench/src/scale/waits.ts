// What the backends of Postgres wait for while a shop sells: looked at now and then, as each role.
//
// A backend that works, or waits for a core, waits for nothing here. `Client` is a transaction that is
// open while its service does something else; `Lock` is a row that another transaction holds.

import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

/** Sessions at once, on average; by `DATABASE KIND`. */
export type Waits = Record<string, number>;

const everyMs = 250;
const query = `SELECT coalesce(wait_event_type, 'running') AS kind, count(*)::int AS count
  FROM pg_stat_activity
  WHERE datname = current_database() AND usename = current_user
    AND state <> 'idle' AND pid <> pg_backend_pid() GROUP BY 1`;

/** @param urls of the databases, by name @returns a function that ends it */
export function watchWaits(urls: ReadonlyMap<string, string>): () => Promise<Waits> {
  const ending = new AbortController();
  const clients = [...urls].map(([name, connectionString]) => ({
    name,
    client: new pg.Client({ connectionString, query_timeout: 10_000 }),
  }));
  const sums = new Map<string, number>();
  let looks = 0;
  const look = async ({ name, client }: (typeof clients)[number]): Promise<void> => {
    const { rows } = await client.query<{ kind: string; count: number }>(query);
    for (const { kind, count } of rows) {
      sums.set(`${name} ${kind}`, (sums.get(`${name} ${kind}`) ?? 0) + count);
    }
  };
  const watching = (async () => {
    await Promise.all(clients.map(({ client }) => client.connect()));
    while (!ending.signal.aborted) {
      await Promise.all(clients.map(look));
      looks += 1;
      await sleep(everyMs, undefined, { signal: ending.signal }).catch(() => undefined);
    }
  })();
  return async () => {
    ending.abort();
    try {
      await watching;
    } finally {
      await Promise.allSettled(clients.map(({ client }) => client.end()));
    }
    return Object.fromEntries([...sums].map(([name, sum]) => [name, sum / Math.max(1, looks)]));
  };
}

/** Sessions that wait for a lock, in all databases together. */
export function lockWaits(waits: Waits): number {
  return Object.entries(waits)
    .filter(([name]) => name.endsWith(' Lock'))
    .reduce((sum, [, sessions]) => sum + sessions, 0);
}
