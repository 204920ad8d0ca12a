// A Postgres of the system instead of the embedded one: by URL, through PgBouncer, and with TLS. The
// suites of the stores run on it as they are, each in a run of its own with the URL of that server.

import { existsSync } from 'node:fs';
import { openPostgres, openPostgresBus, realEnvironment, silentLog } from '@rushlight/chassis';
import { freshDatabase } from '@rushlight/chassis/testing';
import { type Servers, startServers } from '@rushlight/launcher';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { makeAuthority } from '../src/certificates.ts';
import { pgbouncer, startPgbouncer } from '../src/pgbouncer.ts';
import { missingPrograms } from '../src/programs.ts';
import { expectGreen } from '../src/run-tests.ts';
import { trustedPostgres } from '../src/trusted-postgres.ts';

const env = realEnvironment;
const missing = [...missingPrograms(['openssl']), '/usr/lib/postgresql', pgbouncer].filter(
  (path) => !path.startsWith('/') || !existsSync(path),
);
const services = ['inventory', 'kitchen', 'notifications', 'orders', 'payments'];
const stores = services.map((name) => `services/${name}/test/store.test.ts`);
let servers: Servers;
let adminUrl: string;

function openStore(url: string, sizeMax = 4) {
  const migrations = new URL('../../chassis/test/store-migrations/', import.meta.url);
  return openPostgres({ url, name: 'server-test', env, log: silentLog, migrations, sizeMax });
}

const who = {
  name: 'who',
  text: 'SELECT ssl, application_name AS name FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE pid = pg_backend_pid()',
};

describe.skipIf(missing.length > 0)(`a Postgres by URL (missing: ${missing.join(', ')})`, () => {
  beforeAll(async () => {
    servers = await startServers({ only: ['postgres'] });
    adminUrl = servers.environment['RUSHLIGHT_POSTGRES_URL'] ?? '';
  });
  afterAll(() => servers?.stop());

  test('the stores of all services, and the embedded bus, run on it', async () => {
    const chassis = ['store-postgres', 'bus-postgres'];
    await expectGreen([...chassis.map((name) => `chassis/test/${name}.test.ts`), ...stores], {
      RUSHLIGHT_POSTGRES_URL: adminUrl,
    });
  }, 300_000);

  test('they run behind PgBouncer in transaction mode', async () => {
    await using pooler = await startPgbouncer(adminUrl);
    const chassis = ['store-postgres', 'store-outbox', 'store-migrations'];
    const files = [...chassis.map((name) => `chassis/test/${name}.test.ts`), ...stores];
    await expectGreen(files, {
      RUSHLIGHT_POSTGRES_URL: adminUrl,
      RUSHLIGHT_POOLER_URL: pooler.url,
    });
  }, 300_000);

  test('behind PgBouncer a transaction has its time-outs, and a session keeps none', async () => {
    await using pooler = await startPgbouncer(adminUrl);
    await using database = await freshDatabase('pooled', adminUrl);
    const url = new URL(pooler.url);
    url.pathname = `/${database.name}`;
    await using store = await openStore(url.href);
    const limits = {
      name: 'limits',
      text: `SELECT current_setting('statement_timeout') AS statement,
                    current_setting('lock_timeout') AS lock`,
    };
    const inside = await store.transaction('look', (tx) => tx.query(limits));
    expect(inside).toEqual([{ statement: '5s', lock: '2s' }]);
    const after = await Promise.all(Array.from({ length: 8 }, () => store.query(limits)));
    expect(after.flat()).toEqual(Array(8).fill({ statement: '0', lock: '0' }));
  });

  test('the embedded bus says that it cannot live behind PgBouncer', async () => {
    const opening = openPostgresBus({
      ...{ url: `${adminUrl}?pgbouncer=true`, name: 'test', env, log: silentLog },
    });
    await expect(opening).rejects.toThrow(/pgbouncer=true.*direct connection/);
  });

  test('it opens no more connections than it may', async () => {
    await using database = await freshDatabase('few', adminUrl);
    await using store = await openStore(database.url, 3);
    const count = {
      name: 'count',
      text: 'SELECT count(*) AS open, pg_sleep(0.05) FROM pg_stat_activity WHERE datname = current_database()',
    };
    const seen = await Promise.all(
      Array.from({ length: 30 }, () => store.query<{ open: number }>(count)),
    );
    expect(Math.max(...seen.flat().map(({ open }) => open))).toBeLessThanOrEqual(3);
  });

  describe('with TLS', () => {
    let trusted: Awaited<ReturnType<typeof trustedPostgres>>;
    beforeAll(async () => {
      trusted = await trustedPostgres(adminUrl);
    });
    afterAll(() => trusted?.[Symbol.asyncDispose]());

    async function secured(settings: string, host = 'localhost') {
      const database = await freshDatabase('tls', adminUrl);
      onTestFinished(() => database[Symbol.asyncDispose]());
      const url = new URL(`${database.url}?${settings}`);
      url.hostname = host;
      return url.href;
    }

    test('verify-full takes the certificate of its signer', async () => {
      const url = await secured(`sslmode=verify-full&sslrootcert=${trusted.authority}`);
      await using store = await openStore(url);
      expect(await store.query(who)).toEqual([{ ssl: true, name: 'server-test' }]);
    });

    test('require encrypts, and trusts whoever answers', async () => {
      await using store = await openStore(await secured('sslmode=require'));
      expect(await store.query(who)).toEqual([{ ssl: true, name: 'server-test' }]);
    });

    test('another signer, or another host name, is refused with words', async () => {
      const other = await makeAuthority(trusted.folder, 'other');
      const wrongSigner = await secured(`sslmode=verify-full&sslrootcert=${other}`);
      await expect(openStore(wrongSigner)).rejects.toThrow(/not trusted.*sslrootcert/);
      const settings = `sslmode=verify-full&sslrootcert=${trusted.authority}`;
      const wrongName = await secured(settings, '127.0.0.1');
      await expect(openStore(wrongName)).rejects.toThrow(/not trusted.*host name/);
    });
  });
});
