import { createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processNames, serviceNames, services } from '@rushlight/contracts';
import { expect, onTestFinished, test } from 'vitest';
import { type Reader, readerGroups } from '../src/readers.ts';
import type { EngineAddresses } from '../src/secret-files.ts';
import { writeSecrets } from '../src/write-secrets.ts';

const engines: EngineAddresses = {
  postgres: new URL('postgres://db.internal:5432?sslmode=verify-full'),
  bus: new URL('amqp://rabbitmq:5672'),
  cache: new URL('redis://redis:6379'),
};

function folderOfTest(): string {
  const folder = mkdtempSync(join(tmpdir(), 'rushlight-setup-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Every file below, with what it holds. */
function contentsOf(folder: string): Record<string, string> {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  const files = paths.filter((path) => statSync(join(folder, path)).isFile());
  return Object.fromEntries(files.map((path) => [path, readFileSync(join(folder, path), 'utf8')]));
}

test('repeating changes nothing', () => {
  const folder = folderOfTest();
  expect(writeSecrets(folder, engines).length).toBeGreaterThan(20);
  const before = contentsOf(folder);
  expect(writeSecrets(folder, engines)).toEqual([]);
  expect(contentsOf(folder)).toEqual(before);
});

test('another address changes URLs, and no password', () => {
  const folder = folderOfTest();
  writeSecrets(folder, engines);
  const before = contentsOf(folder);
  const written = writeSecrets(folder, { ...engines, cache: new URL('rediss://cache:6380') });
  expect(written.every((path) => path.endsWith('/cache-url'))).toBe(true);
  const [old, fresh] = [before, contentsOf(folder)].map(
    (files) => new URL(files['orders/cache-url'] ?? ''),
  );
  expect(fresh?.host).toBe('cache:6380');
  expect(fresh?.password).toBe(old?.password);
});

test('every service signs with a key that everybody can check', () => {
  const folder = folderOfTest();
  writeSecrets(folder, engines);
  const files = contentsOf(folder);
  const { keys } = JSON.parse(files['everybody/service-keys'] ?? '');
  expect(keys.map(({ kid }: { kid: string }) => kid)).toEqual(processNames);
  for (const key of keys) {
    expect(key).not.toHaveProperty('d');
    const own = JSON.parse(files[`${key.kid}/service-key`] ?? '');
    const signed = sign(null, Buffer.from('x'), createPrivateKey({ key: own, format: 'jwk' }));
    const open = createPublicKey({ key, format: 'jwk' });
    expect(verify(null, Buffer.from('x'), open, signed)).toBe(true);
  }
});

test('a service is told its own databases with its own passwords, the bus and the cache', () => {
  const folder = folderOfTest();
  writeSecrets(folder, engines);
  const files = contentsOf(folder);
  const passwords = new Set<string>();
  for (const name of serviceNames) {
    const { database, extraDatabases } = services[name];
    expect(files[`${name}/database-url`] !== undefined).toBe(database);
    for (const extra of extraDatabases) expect(files[`${name}/${extra}-database-url`]).toBeTruthy();
    if (!database) continue;
    const url = new URL(files[`${name}/database-url`] ?? '');
    expect(url).toMatchObject({ host: 'db.internal:5432', username: name, pathname: `/${name}` });
    expect(url.search.trim()).toBe('?sslmode=verify-full');
    passwords.add(url.password);
    expect(new URL(files[`${name}/bus-url`] ?? '').username).toBe('rushlight');
    expect(new URL(files[`${name}/cache-url`] ?? '').host).toBe('redis:6379');
  }
  expect(passwords.size).toBe(serviceNames.filter((name) => services[name].database).length);
});

test('without another bus it is the embedded one, in a database of its own', () => {
  const folder = folderOfTest();
  writeSecrets(folder, { ...engines, bus: undefined, cache: undefined });
  const files = contentsOf(folder);
  expect(new URL(files['gateway/bus-url'] ?? '')).toMatchObject({
    protocol: 'postgres:',
    pathname: '/bus',
    username: 'bus',
  });
  expect(Object.keys(files).filter((path) => path.endsWith('cache-url'))).toEqual([]);
});

test('engines are given the logins that services use', () => {
  const folder = folderOfTest();
  writeSecrets(folder, engines);
  const files = contentsOf(folder);
  const bus = new URL(files['orders/bus-url'] ?? '');
  expect(files['rabbitmq/20-login.conf']).toBe(
    `default_user = ${bus.username}\ndefault_pass = ${bus.password}\n`,
  );
  const cache = new URL(files['orders/cache-url'] ?? '');
  const hash = createHash('sha256').update(cache.password).digest('hex');
  expect(files['redis/users.acl']).toContain(`user ${cache.username} on #${hash} `);
  expect(files['redis/users.acl']).toContain('user default off\n');
  expect(files['setup/superuser-url']).toContain(files['postgres/superuser-password']?.trim());
});

test('nothing can be read by everybody but public keys', () => {
  const folder = folderOfTest();
  writeSecrets(folder, engines);
  const open = Object.keys(contentsOf(folder)).filter(
    (path) => (statSync(join(folder, path)).mode & 0o007) !== 0,
  );
  expect(open).toEqual(['everybody/service-keys']);
});

test.runIf(process.getuid?.() === 0)(
  'each is read by the group of its reader, and no other',
  () => {
    const folder = folderOfTest();
    writeSecrets(folder, engines);
    const paths = Object.keys(contentsOf(folder)).filter((path) =>
      /^(?!everybody|setup)/.test(path),
    );
    for (const path of paths) {
      const { mode, gid } = statSync(join(folder, path));
      expect(mode & 0o777, path).toBe(0o440);
      expect(gid, path).toBe(readerGroups[path.split('/')[0] as Reader]);
    }
    expect(new Set(Object.values(readerGroups)).size).toBe(Object.keys(readerGroups).length);
  },
);

test('a damaged file is said, and not replaced', () => {
  const folder = folderOfTest();
  writeSecrets(folder, engines);
  writeFileSync(join(folder, 'setup/kept.json'), '{');
  expect(() => writeSecrets(folder, engines)).toThrow('kept.json is damaged');
});
