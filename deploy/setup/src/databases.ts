// Roles and databases, from the table of services: each its own, closed to everybody else.

import { serviceNames, services } from '@rushlight/contracts';
import pg from 'pg';

/** The database of the embedded bus; everything that has a queue connects to it as this role. */
export const busDatabase = 'bus';

/** All databases; the role that owns one has the same name. */
export const databaseNames: readonly string[] = [
  busDatabase,
  ...serviceNames.flatMap((name) => [
    ...(services[name].database ? [name] : []),
    ...services[name].extraDatabases,
  ]),
];

const connectMs = 2_000;
const statementMs = 20_000;

/** Connects and asks. Throws when Postgres does not answer (yet). */
export async function ping(url: string): Promise<void> {
  const client = connection(url);
  try {
    await client.connect();
    await client.query('SELECT 1');
  } finally {
    await client.end().catch(() => undefined);
  }
}

function connection(url: string): pg.Client {
  const client = new pg.Client({
    connectionString: forDriver(url),
    connectionTimeoutMillis: connectMs,
    query_timeout: statementMs,
    application_name: 'setup',
  });
  client.on('error', () => undefined); // The query that runs fails by itself.
  return client;
}

/** `sslmode` means what it means to libpq, as it does to the services. */
function forDriver(text: string): string {
  const url = new URL(text);
  const { searchParams } = url;
  if (searchParams.has('sslmode') && !searchParams.has('uselibpqcompat')) {
    searchParams.set('uselibpqcompat', 'true');
  }
  return url.href;
}

/**
 * Makes what is missing, and sets every password; repeating it changes nothing.
 *
 * @param url of the server, as one who may make roles and databases
 * @param passwords of each role, by its name
 */
export async function ensureDatabases(
  url: string,
  passwords: Readonly<Record<string, string>>,
): Promise<void> {
  const client = connection(url);
  await client.connect();
  try {
    const roles = await namesIn(client, 'SELECT rolname AS name FROM pg_roles');
    const present = await namesIn(client, 'SELECT datname AS name FROM pg_database');
    for (const name of databaseNames) {
      const role = client.escapeIdentifier(name);
      const password = client.escapeLiteral(passwords[name] ?? '');
      const verb = roles.has(name) ? 'ALTER' : 'CREATE';
      await client.query(`${verb} ROLE ${role} LOGIN PASSWORD ${password}`);
    }
    for (const name of databaseNames.filter((database) => !present.has(database))) {
      const quoted = client.escapeIdentifier(name);
      await client.query(`CREATE DATABASE ${quoted} OWNER ${quoted}`);
    }
    for (const name of [...databaseNames, 'postgres', 'template1']) {
      await client.query(`REVOKE ALL ON DATABASE ${client.escapeIdentifier(name)} FROM PUBLIC`);
    }
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function namesIn(client: pg.Client, query: string): Promise<Set<string>> {
  const { rows } = await client.query<{ name: string }>(query);
  return new Set(rows.map(({ name }) => name));
}
