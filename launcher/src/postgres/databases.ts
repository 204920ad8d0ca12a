// Where the databases of services are, on the Postgres that we run.

import { type ServiceName, services } from '@rushlight/contracts';
import { busDatabase } from '@rushlight/setup';
import type { Secrets } from '../secrets.ts';
import { superuser } from './cluster.ts';

/** @param server the URL of a superuser there */
export function databaseUrl(server: string, secrets: Secrets, name: string): string {
  return urlFor(server, name, secrets.roles[name] ?? '', name);
}

/** Of a Postgres that we run ourselves. */
export function superuserUrl(port: number, secrets: Secrets, database = 'postgres'): string {
  return urlFor(`postgres://127.0.0.1:${port}`, superuser, secrets.superuser, database);
}

function urlFor(server: string, role: string, password: string, database: string): string {
  const url = new URL(server);
  url.username = role;
  url.password = password;
  url.pathname = `/${database}`;
  return url.href;
}

/** Which URL a service is given for a database that is at this URL. */
export type DatabaseWay = (service: ServiceName, url: string) => string;

/** What a service finds in its environment about databases. */
export function databaseEnvironment(
  server: string,
  secrets: Secrets,
  name: ServiceName,
  way: DatabaseWay = (_, url) => url,
): Record<string, string> {
  const urlOf = (database: string): string => way(name, databaseUrl(server, secrets, database));
  const own = services[name].database ? { RUSHLIGHT_DATABASE_URL: urlOf(name) } : {};
  const further = services[name].extraDatabases.map((extra) => [
    `RUSHLIGHT_${extra.toUpperCase()}_DATABASE_URL`,
    urlOf(extra),
  ]);
  return { ...own, ...Object.fromEntries(further), RUSHLIGHT_BUS_URL: urlOf(busDatabase) };
}
