// Databases for tests, on the one Postgres of the run.

import { Client, escapeIdentifier, escapeLiteral } from 'pg';
import { inject } from 'vitest';
import { realEnvironment } from '../environment.ts';

export type FreshDatabase = { name: string; url: string } & AsyncDisposable;

/** The URL of the run's Postgres, as its superuser. */
export function testPostgres(): string {
  return inject('testPostgresUrl');
}

/**
 * Creates an empty database that is owned by a role of its own, as the launcher does.
 *
 * @param name stands in the database's name, so that a failing test can be told by it
 */
export async function freshDatabase(
  name = 'test',
  adminUrl = testPostgres(),
): Promise<FreshDatabase> {
  const suffix = realEnvironment.newId().replaceAll('-', '').slice(-12);
  const database = `${name.toLowerCase().replace(/\W+/g, '_').slice(0, 40)}_${suffix}`;
  const quoted = escapeIdentifier(database);
  const password = realEnvironment.newId();
  await asAdmin(adminUrl, [
    `CREATE ROLE ${quoted} LOGIN PASSWORD ${escapeLiteral(password)}`,
    `CREATE DATABASE ${quoted} OWNER ${quoted}`,
  ]);
  const url = new URL(
    adminUrl === testPostgres() ? (inject('testPoolerUrl') ?? adminUrl) : adminUrl,
  );
  url.username = database;
  url.password = password;
  url.pathname = `/${database}`;
  return {
    name: database,
    url: url.href,
    [Symbol.asyncDispose]: () =>
      asAdmin(adminUrl, [
        `DROP DATABASE IF EXISTS ${quoted} WITH (FORCE)`,
        `DROP ROLE IF EXISTS ${quoted}`,
      ]),
  };
}

/** Runs statements one after the other, outside of a transaction, as the superuser. */
export async function asAdmin(adminUrl: string, statements: readonly string[]): Promise<void> {
  const client = new Client({ connectionString: adminUrl, connectionTimeoutMillis: 5_000 });
  client.on('error', () => {});
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}
