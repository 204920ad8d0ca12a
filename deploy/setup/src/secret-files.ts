// The files that services and engines read, as a plan: which, with what in it, for whom. Pure.
//
// S1. Nobody finds more than its own: its key, its databases, its logins.
// S2. What is public (everybody's public keys) is for all.

import { createHash } from 'node:crypto';
import { type ProcessName, processes, processNames } from '@rushlight/contracts';
import { busDatabase } from './databases.ts';
import type { KeptSecrets } from './kept-secrets.ts';
import type { Reader } from './readers.ts';
import { publicKeyOf } from './service-keys.ts';

/** Where the engines are, without logins. */
export type EngineAddresses = {
  /** postgres://host:port, options behind it as in any URL of Postgres. */
  postgres: URL;
  /** amqp:// or amqps://; absent: the embedded bus, on that Postgres. */
  bus: URL | undefined;
  /** redis:// or rediss://; absent: none. */
  cache: URL | undefined;
};

export type SecretFile = {
  /** Below the folder: `reader/name`. */
  path: string;
  text: string;
  /** `everybody`: no secret. `setup`: only who made it. */
  reader: Reader | 'everybody' | 'setup';
};

/** The login of services at RabbitMQ and Redis. */
const loginName = 'rushlight';
const superuser = 'postgres';

export function secretFiles(kept: KeptSecrets, engines: EngineAddresses): SecretFile[] {
  const publicKeys = processNames.map((name) => publicKeyOf(kept.keys[name]));
  const superuserUrl = withLogin(engines.postgres, superuser, kept.superuser, 'postgres');
  return [
    file('everybody', 'service-keys', JSON.stringify({ keys: publicKeys })),
    file('setup', 'superuser-url', superuserUrl),
    file('postgres', 'superuser-password', kept.superuser),
    file('rabbitmq', '20-login.conf', rabbitmqLogin(kept)),
    file('redis', 'users.acl', redisUsers(kept)),
    file('identity', 'admin-password', kept.admin),
    ...processNames.flatMap((name) => filesOf(name, kept, engines)),
  ];
}

function filesOf(name: ProcessName, kept: KeptSecrets, engines: EngineAddresses): SecretFile[] {
  const { postgres, bus, cache } = engines;
  const urlOf = (database: string): string =>
    withLogin(postgres, database, kept.roles[database] ?? '', database);
  const key = file(name, 'service-key', kept.keys[name]);
  // The monitor stands beside the shop, and has no part in it.
  if (name === 'monitor') return [key];
  const { database, extraDatabases } = processes[name];
  const busUrl = bus ? withLogin(bus, loginName, kept.bus) : urlOf(busDatabase);
  return [
    key,
    ...(database ? [file(name, 'database-url', urlOf(name))] : []),
    ...extraDatabases.map((extra) => file(name, `${extra}-database-url`, urlOf(extra))),
    file(name, 'bus-url', busUrl),
    ...(cache ? [file(name, 'cache-url', withLogin(cache, loginName, kept.cache))] : []),
  ];
}

function file(reader: SecretFile['reader'], name: string, text: string): SecretFile {
  return { path: `${reader}/${name}`, text: `${text}\n`, reader };
}

function withLogin(address: URL, user: string, password: string, database?: string): string {
  const url = new URL(address);
  url.username = user;
  url.password = password;
  if (database !== undefined) url.pathname = `/${database}`;
  return url.href;
}

function rabbitmqLogin({ bus }: KeptSecrets): string {
  return `default_user = ${loginName}\ndefault_pass = ${bus}`;
}

/** One user, who may do everything with data and nothing with the server; nobody else. */
function redisUsers({ cache }: KeptSecrets): string {
  const hash = createHash('sha256').update(cache).digest('hex');
  const may = '~* &* +@all -@admin -@dangerous +info';
  return `user default off\nuser ${loginName} on #${hash} ${may}`;
}
