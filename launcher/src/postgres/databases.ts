// Roles and databases, from the table of services: each its own, closed to everybody else.

import { type ServiceName, serviceNames, services } from '@rushlight/contracts';
import pg from 'pg';
import type { Secrets } from '../secrets.ts';
import { superuser } from './cluster.ts';

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

export function databaseUrl(port: number, secrets: Secrets, name: string): string {
  return urlFor(port, name, secrets.roles[name] ?? '', name);
}

export function superuserUrl(port: number, secrets: Secrets, database = 'postgres'): string {
  return urlFor(port, superuser, secrets.superuser, database);
}

function urlFor(port: number, role: string, password: string, database: string): string {
  return `postgres://${role}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`;
}

/** Which URL a service is given for a database that is at this URL. */
export type DatabaseWay = (service: ServiceName, url: string) => string;

/** What a service finds in its environment about databases. */
export function databaseEnvironment(
  port: number,
  secrets: Secrets,
  name: ServiceName,
  way: DatabaseWay = (_, url) => url,
): Record<string, string> {
  const urlOf = (database: string): string => way(name, databaseUrl(port, secrets, database));
  const own = services[name].database ? { RUSHLIGHT_DATABASE_URL: urlOf(name) } : {};
  const further = services[name].extraDatabases.map((extra) => [
    `RUSHLIGHT_${extra.toUpperCase()}_DATABASE_URL`,
    urlOf(extra),
  ]);
  return { ...own, ...Object.fromEntries(further), RUSHLIGHT_BUS_URL: urlOf(busDatabase) };
}

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
    connectionString: url,
    connectionTimeoutMillis: connectMs,
    query_timeout: statementMs,
    application_name: 'launcher',
  });
  client.on('error', () => undefined); // The query that runs fails by itself.
  return client;
}

/** Makes what is missing, and sets every password; repeating it changes nothing. */
export async function ensureDatabases(port: number, secrets: Secrets): Promise<void> {
  const client = connection(superuserUrl(port, secrets));
  await client.connect();
  try {
    const roles = await namesIn(client, 'SELECT rolname AS name FROM pg_roles');
    const present = await namesIn(client, 'SELECT datname AS name FROM pg_database');
    for (const name of databaseNames) {
      const role = client.escapeIdentifier(name);
      const password = client.escapeLiteral(secrets.roles[name] ?? '');
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
