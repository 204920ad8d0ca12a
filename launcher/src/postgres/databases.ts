// Where the databases of services are, on the Postgres that we run.

import { type ServiceName, services } from '@rushlight/contracts';
import { busDatabase } from '@rushlight/setup';
import type { Secrets } from '../secrets.ts';
import { superuser } from './cluster.ts';

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
